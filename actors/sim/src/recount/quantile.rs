//! Nearest rank by sorting (section 11).

use super::settings::Ppm;

/// Value number ⌈q·n⌉ of the sorted values; none of no values.
pub(super) fn nearest_rank(values: &[i64], q: Ppm) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() as u128;
    let rank = (u128::from(q.0) * n).div_ceil(1_000_000).max(1);
    usize::try_from(rank).ok().and_then(|rank| sorted.get(rank - 1).copied())
}
