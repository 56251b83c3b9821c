//! I7: digests of any two folds of the same prefix are equal, whoever folded it, however often it was loaded from a cut.

use std::collections::BTreeMap;

use souk_model::journal::ShardId;
use souk_model::owner::Fold;
use souk_model::shard::Shard;

use super::Violation;
use crate::node::Incarnation;

/// Positions at which every owner's digest is taken.
pub const EVERY: u64 = 32;

/// By shard and position, then by section: owners load different parts, and compare what they both hold.
#[derive(Debug, Default)]
pub struct Digests {
    at: BTreeMap<(ShardId, u64), BTreeMap<u16, u64>>,
}

impl Digests {
    /// Takes the digest of an owner that has just come to a comparable position. Says whether it moved at all.
    pub fn observe(&mut self, incarnation: &mut Incarnation) -> Result<bool, Violation> {
        let position = incarnation.position();
        if position == incarnation.digested || incarnation.owner.epoch().is_none() {
            return Ok(false);
        }
        incarnation.digested = position;
        if position.is_multiple_of(EVERY) {
            self.take(incarnation.shard, incarnation.owner.fold())?;
        }
        Ok(true)
    }

    /// Compares the digests of a fold with all others of the same prefix.
    pub fn take(&mut self, shard: ShardId, fold: &Shard) -> Result<(), Violation> {
        let position = fold.position();
        let digests = fold
            .digests()
            .map_err(|error| Violation::new("I7", format!("{shard} at {position}: {error}")))?;
        let known = self.at.entry((shard, position)).or_default();
        for (section, digest) in digests {
            let first = *known.entry(section).or_insert(digest);
            if first != digest {
                let what =
                    format!("{shard} at {position}, section {section}: {first:016x} and {digest:016x}");
                return Err(Violation::new("I7", format!("two folds of one prefix differ: {what}")));
            }
        }
        Ok(())
    }

    /// Whether somebody's digests are known of a shard at a position.
    pub fn is_known(&self, shard: ShardId, position: u64) -> bool {
        self.at.contains_key(&(shard, position))
    }
}
