//! The values of a cell that are no plain numbers: money by currency, extremes, multisets, sets.

use super::{Distinct, Multiset};
use crate::money::Currency;

/// What a number is of: a currency, or nothing for plain quantities. Amounts of two units never meet.
pub type Unit = Option<Currency>;

/// Money counted: enough for a sum and for a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    pub sum: i64,
    pub count: i64,
}

/// One part of a cell. Lists are sorted by the three letters of the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Totals(Vec<(Unit, Total)>),
    Least(Vec<(Unit, i64)>),
    Greatest(Vec<(Unit, i64)>),
    Multisets(Vec<(Unit, Multiset)>),
    Distinct(Distinct),
}

impl Part {
    /// Counts `value` with `sign`: only totals can lose one again, and settings see to it that no other is asked to.
    pub fn count(&mut self, unit: Unit, value: i64, sign: i64, exact_to: usize) {
        match self {
            Self::Totals(totals) => {
                let total = entry(totals, unit, Total::default());
                total.sum = total.sum.saturating_add(value.saturating_mul(sign));
                total.count += sign;
            }
            Self::Least(least) => {
                let least = entry(least, unit, value);
                *least = value.min(*least);
            }
            Self::Greatest(greatest) => {
                let greatest = entry(greatest, unit, value);
                *greatest = value.max(*greatest);
            }
            Self::Multisets(sets) => entry(sets, unit, Multiset::default()).insert(value, exact_to),
            Self::Distinct(set) => set.insert(value as u64, exact_to),
        }
    }

    /// Merges another cell's part of the same slot. Parts of two shapes cannot meet: a slot keeps its meaning under its metric's name.
    pub fn merge(&mut self, other: &Part, exact_to: usize) {
        match (self, other) {
            (Self::Totals(mine), Self::Totals(theirs)) => {
                for (unit, more) in theirs {
                    let total = entry(mine, *unit, Total::default());
                    total.sum = total.sum.saturating_add(more.sum);
                    total.count += more.count;
                }
            }
            (Self::Least(mine), Self::Least(theirs)) => {
                for (unit, value) in theirs {
                    let least = entry(mine, *unit, *value);
                    *least = (*least).min(*value);
                }
            }
            (Self::Greatest(mine), Self::Greatest(theirs)) => {
                for (unit, value) in theirs {
                    let greatest = entry(mine, *unit, *value);
                    *greatest = (*greatest).max(*value);
                }
            }
            (Self::Multisets(mine), Self::Multisets(theirs)) => {
                for (unit, more) in theirs {
                    entry(mine, *unit, Multiset::default()).merge(more, exact_to);
                }
            }
            (Self::Distinct(mine), Self::Distinct(theirs)) => mine.merge(theirs, exact_to),
            _ => debug_assert!(false, "a slot changed its shape"),
        }
    }
}

fn entry<T>(list: &mut Vec<(Unit, T)>, unit: Unit, new: T) -> &mut T {
    let at = match list.binary_search_by_key(&unit.map(Currency::code), |(unit, _)| unit.map(Currency::code)) {
        Ok(at) => at,
        Err(at) => {
            list.insert(at, (unit, new));
            at
        }
    };
    &mut list[at].1
}
