//! Reading ahead: the actors of the next few records are brought into the cache together. Folding one after the other waits for memory
//! at every step from index to slot to actor; here each step is taken for all of them, and their waits overlap.

use std::hint::black_box;

use super::KeyRef;
use super::actors::Actors;
use super::index::{Place, tag_of};
use crate::actor::Actor;
use crate::key::bucket_of;

/// Actors brought in together: about as many as a processor waits for at once.
pub const WARMED: usize = 16;

impl<A: Actor> Actors<A> {
    /// Brings the actors of up to [`WARMED`] keys nearer. Changes nothing.
    pub fn warm<'a>(&self, keys: impl Iterator<Item = KeyRef<'a>>) {
        self.warm_hashes(keys.map(|key| key.hash));
    }

    pub(super) fn warm_hashes(&self, hashes: impl Iterator<Item = u64>) {
        let mut hot = [0_u32; WARMED];
        let mut found = 0;
        for hash in hashes.take(WARMED) {
            let bucket = self.buckets[usize::from(bucket_of(hash).0)].as_ref();
            if let Some(Place::Hot(at)) = bucket.and_then(|bucket| bucket.index.first(tag_of(hash))) {
                hot[found] = at;
                found += 1;
            }
        }
        let hot = &hot[..found];
        black_box(hot.iter().fold(0, |sum, at| sum ^ self.slab.get(*at).hash));
        let actors = hot.iter().filter_map(|at| self.slab.get(*at).body.get());
        black_box(actors.fold(0, |sum, actor| sum ^ actor.touch()));
    }
}
