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
