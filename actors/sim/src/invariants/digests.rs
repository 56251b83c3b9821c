//! I7: digests of any two folds of the same prefix are equal, whoever folded it, however often it was loaded from a cut.

use std::collections::BTreeMap;

use souk_model::journal::ShardId;
use souk_model::owner::Fold;

use super::Violation;
use crate::node::Incarnation;

/// Positions at which every owner's digest is taken.
pub const EVERY: u64 = 16;

#[derive(Debug, Default)]
pub struct Digests {
    at: BTreeMap<(ShardId, u64), u64>,
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
            self.take(incarnation.shard, position, incarnation.owner.fold().digest())?;
        }
        Ok(true)
    }

    /// Compares a digest with all others of the same prefix.
    pub fn take(&mut self, shard: ShardId, position: u64, digest: u64) -> Result<(), Violation> {
        let known = *self.at.entry((shard, position)).or_insert(digest);
        if known == digest {
            return Ok(());
        }
        Err(Violation::new("I7", format!("{shard} at {position}: two folds of one prefix, digests {known:016x} and {digest:016x}")))
    }

    /// Positions of a shard at which somebody's digest is known.
    pub fn is_known(&self, shard: ShardId, position: u64) -> bool {
        self.at.contains_key(&(shard, position))
    }
}
