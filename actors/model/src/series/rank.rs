//! Rank: the first rows by a measure, exact over every resident row.

use std::cmp::Ordering;

use super::join::{Figure, Measured};
use super::query::Top;

/// Where a value stands among others. Fractions are compared exactly; what has no value comes last either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Score {
    /// Denominators are positive.
    fraction: Option<(i128, i128)>,
}

impl Score {
    pub(super) fn of(measured: &Measured, top: &Top) -> Self {
        let whole = |value: i64| (i128::from(value), 1);
        let of_currency = |currency| currency == Some(top.currency);
        let fraction = match &measured.figure {
            Figure::None => None,
            Figure::Integer(value) => Some(whole(*value)),
            Figure::Fraction { numerator, denominator } => over(*numerator, *denominator),
            Figure::Amounts(amounts) => {
                amounts.iter().find(|(unit, _)| of_currency(*unit)).map(|(_, amount)| whole(*amount))
            }
            Figure::Means(means) => {
                means.iter().find(|(unit, _)| of_currency(*unit)).and_then(|(_, total)| over(total.sum, total.count))
            }
        };
        Self { fraction }
    }

    /// The order asked for: `Less` comes first.
    fn compare(self, other: Self, ascending: bool) -> Ordering {
        match (self.fraction, other.fraction) {
            (Some((a, b)), Some((c, d))) => {
                let order = (a * d).cmp(&(c * b));
                if ascending { order } else { order.reverse() }
            }
            (mine, theirs) => theirs.is_some().cmp(&mine.is_some()),
        }
    }
}

/// The first `top.n` of `scored`, in order; equal values in key order.
pub(super) fn first<K: Ord>(mut scored: Vec<(Score, K)>, top: &Top) -> Vec<K> {
    let order = |a: &(Score, K), b: &(Score, K)| a.0.compare(b.0, top.ascending).then_with(|| a.1.cmp(&b.1));
    if top.n == 0 {
        return Vec::new();
    }
    if scored.len() > top.n {
        scored.select_nth_unstable_by(top.n - 1, order);
        scored.truncate(top.n);
    }
    scored.sort_by(order);
    scored.into_iter().map(|(_, key)| key).collect()
}

fn over(numerator: i64, denominator: i64) -> Option<(i128, i128)> {
    match denominator {
        0 => None,
        denominator if denominator < 0 => Some((-i128::from(numerator), -i128::from(denominator))),
        denominator => Some((i128::from(numerator), i128::from(denominator))),
    }
}
