use proptest::prelude::*;

use super::part::Part;
use super::*;
use crate::money::Currency;

const EXACT_TO: usize = 12;

fn multiset(values: &[i64]) -> Multiset {
    let mut set = Multiset::default();
    values.iter().for_each(|value| set.insert(*value, EXACT_TO));
    set
}

fn distinct(values: &[u64]) -> Distinct {
    let mut set = Distinct::default();
    values.iter().for_each(|value| set.insert(xxhash_rust::xxh3::xxh3_64(&value.to_le_bytes()), EXACT_TO));
    set
}

fn parts(values: &[(bool, i64)]) -> Vec<Part> {
    let units = [None, Currency::parse("EUR")];
    let mut parts = vec![
        Part::Totals(Vec::new()),
        Part::Least(Vec::new()),
        Part::Greatest(Vec::new()),
        Part::Multisets(Vec::new()),
        Part::Distinct(Distinct::default()),
    ];
    for (unit, value) in values {
        parts.iter_mut().for_each(|part| part.count(units[usize::from(*unit)], *value, 1, EXACT_TO));
    }
    parts
}

proptest! {
    #[test]
    fn parts_merge_in_any_order_and_grouping(
        a in prop::collection::vec((any::<bool>(), -1_000_000_000_i64..1_000_000_000), 0..20),
        b in prop::collection::vec((any::<bool>(), -1_000_000_000_i64..1_000_000_000), 0..20),
        c in prop::collection::vec((any::<bool>(), -1_000_000_000_i64..1_000_000_000), 0..20),
    ) {
        let whole = parts(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (parts(&a), parts(&b), parts(&c));
        for at in 0..whole.len() {
            let mut left = a[at].clone();
            left.merge(&b[at], EXACT_TO);
            left.merge(&c[at], EXACT_TO);
            let mut right = c[at].clone();
            right.merge(&b[at], EXACT_TO);
            let mut other = a[at].clone();
            other.merge(&right, EXACT_TO);
            prop_assert_eq!(&left, &whole[at]);
            prop_assert_eq!(&other, &whole[at]);
        }
    }

    #[test]
    fn a_quantile_is_the_nearest_rank_and_within_one_percent_beyond(
        values in prop::collection::vec(-1_000_000_000_000_i64..1_000_000_000_000, 1..200),
        millionths in 0_u32..=1_000_000,
    ) {
        let set = multiset(&values);
        let mut sorted = values;
        sorted.sort_unstable();
        let rank = (sorted.len() as u128 * u128::from(millionths)).div_ceil(1_000_000).max(1) as usize;
        let (truth, told) = (sorted[rank - 1], set.quantile(millionths).unwrap());
        prop_assert_eq!(set.is_exact(), sorted.len() <= EXACT_TO);
        if set.is_exact() {
            prop_assert_eq!(told, truth);
        } else {
            prop_assert!((told - truth).abs() * 100 <= truth.abs(), "{} for {}", told, truth);
        }
    }
}

#[test]
fn extreme_values_have_buckets() {
    for value in [i64::MIN, i64::MIN + 1, -128, -127, 0, 127, 128, 129, i64::MAX] {
        let set = multiset(&[value; EXACT_TO + 1]);
        let told = set.quantile(500_000).unwrap();
        assert!(told.abs_diff(value) <= value.unsigned_abs() / 100, "{told} for {value}");
    }
}

#[test]
fn a_sketch_of_distinct_values_is_near_the_truth_at_every_size() {
    for size in [13_u64, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let set = distinct(&(0..size).collect::<Vec<_>>());
        let count = set.count();
        assert!(count.abs_diff(size) <= size / 40 + 1, "{count} for {size}");
    }
    assert_eq!(distinct(&[1, 2, 2, 1, 3]).count(), 3);
}
