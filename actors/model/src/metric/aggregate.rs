//! Aggregation values: what a cell of a tally holds, and how two of them become one.
//!
//! Everything here is absolute and merges associatively and commutatively, whatever the order facts came in and however they were
//! spread over shards: the joined value of a window is a function of the multiset of its facts alone. Plain numbers lie in a flat
//! vector by [`layout`]; the rest are [`part`]s beside it.

pub mod distinct;
pub mod layout;
pub mod multiset;
pub mod part;
#[cfg(test)]
mod tests;

pub use distinct::Distinct;
pub use layout::{Layout, Place, UserSlots};
pub use multiset::Multiset;
pub use part::{Part, Unit};

/// The values of one cell: numbers by slot, and the parts that are no plain numbers, by slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    pub numbers: Vec<i64>,
    /// Sorted by slot; a slot nothing was counted in is absent.
    pub parts: Vec<(u8, Part)>,
}

impl Values {
    pub fn number(&self, slot: usize) -> i64 {
        self.numbers.get(slot).copied().unwrap_or(0)
    }

    pub fn part(&self, slot: u8) -> Option<&Part> {
        find_part(&self.parts, slot)
    }

    /// Adds the numbers of another cell.
    pub fn add_numbers(&mut self, numbers: &[i64]) {
        if self.numbers.len() < numbers.len() {
            self.numbers.resize(numbers.len(), 0);
        }
        for (sum, number) in self.numbers.iter_mut().zip(numbers) {
            *sum = sum.saturating_add(*number);
        }
    }
}

/// The part of a slot, if anything was counted in it.
pub fn find_part(parts: &[(u8, Part)], slot: u8) -> Option<&Part> {
    parts.iter().find(|(at, _)| *at == slot).map(|(_, part)| part)
}

/// The part of `slot`, made by `empty` when it is the first to be counted in.
pub fn part_mut(parts: &mut Vec<(u8, Part)>, slot: u8, empty: impl FnOnce() -> Part) -> &mut Part {
    let at = match parts.binary_search_by_key(&slot, |(at, _)| *at) {
        Ok(at) => at,
        Err(at) => {
            parts.insert(at, (slot, empty()));
            at
        }
    };
    &mut parts[at].1
}
