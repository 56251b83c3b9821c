//! Letting actors cool: hot to idle, and a whole bucket out of memory.

use super::actors::Actors;
use super::index::Place;
use super::slab::{Body, NEVER};
use super::store::Bucket;
use super::timers::{as_array, rearm};
use crate::actor::Actor;
use crate::key::{BUCKETS, BucketId, bucket_of};
use crate::limits::HOT_ACTOR_BYTES;
use crate::planted::Bug;

/// Slots the clock hand passes for each actor asked for: enough to clear every mark once, and bounded.
const LOOKS: usize = 4;

impl<A: Actor> Actors<A> {
    /// Encodes up to `max` of the coldest hot actors; says how many. Coldest by second chance: an actor folded since the hand last
    /// passed is spared once. Dirty ones go too: the arena keeps their mark.
    pub fn passivate(&mut self, max: usize) -> usize {
        let mut done = 0;
        for _ in 0..max.saturating_mul(LOOKS) {
            if done == max {
                break;
            }
            let Some((at, slot)) = self.slab.next() else { break };
            if !matches!(slot.body, Body::Is(_)) {
                continue;
            }
            if std::mem::take(&mut slot.touched) {
                continue;
            }
            done += usize::from(self.cool(at));
        }
        done
    }

    /// Hot actors: decoded, in the slab.
    pub fn hot(&self) -> usize {
        self.slab.len()
    }

    fn cool(&mut self, at: u32) -> bool {
        let slot = self.slab.get_mut(at);
        let number = bucket_of(slot.hash).0;
        let (Some(bucket), Body::Is(actor)) = (self.buckets[usize::from(number)].as_mut(), &slot.body) else {
            return false;
        };
        let deadlines = actor.deadlines();
        let added = bucket.arena.push(slot.key.as_bytes(), deadlines, slot.mark, |out| actor.encode(out));
        let Some(offset) = added else { return false };
        // An idle actor has no room for what its timer says: make it say the truth.
        let mut unarmed = as_array(deadlines);
        for (clock, deadline) in unarmed.iter_mut().enumerate() {
            if !bucket.timers[clock].is_as_good(slot.armed[clock], *deadline) {
                *deadline = NEVER;
            }
        }
        let bloated = rearm(bucket, &mut self.due, number, slot.hash, &mut unarmed, as_array(deadlines));
        let tag = super::index::tag_of(slot.hash);
        if let Some(position) = bucket.index.find(tag, |place| place == Place::Hot(at)) {
            bucket.index.set(position, Place::Idle(offset));
        }
        self.slab.remove(at);
        bucket.sweep();
        if bloated {
            self.drop_superseded(number);
        }
        true
    }

    /// The loaded bucket that holds something, may leave memory, and rested longest.
    pub fn coldest(&self, may_leave: impl Fn(BucketId) -> bool) -> Option<BucketId> {
        let loaded = (0..BUCKETS).map(BucketId).zip(&self.buckets);
        let loaded = loaded.filter_map(|(number, bucket)| bucket.as_ref().map(|bucket| (number, bucket)));
        loaded
            .filter(|(number, bucket)| {
                bucket.index.len() > 0 && self.is_held_by_a_cut(bucket) && may_leave(*number)
            })
            .max_by_key(|(_, bucket)| bucket.rested)
            .map(|(number, _)| number)
    }

    /// Whether a committed cut holds everything of the bucket. Not known while one is under way.
    fn is_held_by_a_cut(&self, bucket: &Bucket) -> bool {
        self.cut.is_none() && (bucket.dirty.is_empty() || self.planted.has(Bug::DirtyUnloaded))
    }

    /// Drops a loaded bucket of which a committed cut holds everything; `false` when that is not so. Its timers stay announced.
    pub fn evict(&mut self, bucket: BucketId) -> bool {
        let place = usize::from(bucket.0);
        let loaded = self.buckets.get(place).and_then(Option::as_ref);
        if !loaded.is_some_and(|bucket| self.is_held_by_a_cut(bucket)) {
            return false;
        }
        let Ok(digest) = self.digest_of(bucket) else { return false };
        let Some(dropped) = self.buckets[place].take() else { return false };
        self.loaded -= 1;
        for (_, held) in dropped.index.from(0) {
            if let Place::Hot(at) = held {
                self.slab.remove(at);
            }
        }
        for clock in 0..2 {
            let earliest =
                self.due.earliest(clock, bucket.0).filter(|_| !self.planted.has(Bug::TimersUnloaded));
            self.due.set_head(clock, bucket.0, earliest.unwrap_or(NEVER));
        }
        self.evicted[place] = Some(digest);
        true
    }

    /// About how many bytes are held in memory: what hot actors own beyond themselves is estimated.
    pub fn bytes_about(&self) -> usize {
        self.bytes() + self.hot() * HOT_ACTOR_BYTES
    }

    /// Bytes held in memory, but for what hot actors own beyond themselves.
    pub fn bytes(&self) -> usize {
        let buckets: usize = self.buckets.iter().flatten().map(|bucket| bucket.bytes()).sum();
        let cut = self.cut.as_ref().map_or(0, |cut| cut.bytes());
        buckets + self.slab.bytes() + self.due.bytes() + cut
    }
}
