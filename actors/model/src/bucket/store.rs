//! One bucket: the index over its actors, the idle ones themselves, their timers, and what the store holds of it.

use xxhash_rust::xxh3::xxh3_64;

use super::KeyRef;
use super::arena::Arena;
use super::entry::Entry;
use super::index::{Index, Place, tag_of};
use super::slab::{Body, CLEAN, Mark, NEVER, Slab, Slot, SmallKey};
use super::timers::{Timers, as_array};
use crate::actor::{Actor, StateError};
use crate::cut::segment::Segment;
use crate::time::Millis;

#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) index: Index,
    pub(super) arena: Arena,
    /// By clock.
    pub(super) timers: [Timers; 2],
    /// Actors; those removed since the last cut not counted.
    pub(super) live: u64,
    /// Bytes an actor took in the newest blob of the bucket: how much room the next one needs.
    pub(super) blob_bytes_each: usize,
    /// Hashes of the actors marked dirty since the last freeze: none, and no cut under way, and the bucket may leave memory. Per bucket, so
    /// that none of them ever grows by a millisecond's worth.
    pub(super) dirty: Vec<u64>,
    pub(super) stored: Stored,
    /// Freezes in a row that found nothing dirty: how cold it is, at no cost to folding.
    pub(super) rested: u32,
}

/// Segments a committed cut holds of a bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stored {
    /// Without a base every actor is dirty: the first draft is a base.
    pub(super) base: bool,
    pub(super) base_bytes: u64,
    pub(super) deltas: u64,
    pub(super) delta_bytes: u64,
}

impl Stored {
    fn add(&mut self, segment: &Segment) {
        self.count(segment.base, segment.blob.len() as u64);
    }

    pub(super) fn count(&mut self, base: bool, bytes: u64) {
        if base {
            *self = Self { base, base_bytes: bytes, deltas: 0, delta_bytes: 0 };
        } else {
            self.deltas += 1;
            self.delta_bytes += bytes;
        }
    }
}

impl Bucket {
    /// Reads base and deltas. All actors are idle afterwards: nothing is decoded that nobody asks for.
    pub(super) fn read(segments: &[Segment]) -> Result<Self, StateError> {
        let mut bucket = Self::default();
        for segment in segments {
            let opened = segment.open()?;
            if segment.base == bucket.stored.base {
                return Err(StateError::Damaged("a section is one base and then deltas".to_owned()));
            }
            opened.each(|entry| bucket.apply(entry))?;
            bucket.stored.add(segment);
        }
        let Self { index, arena, timers, .. } = &mut bucket;
        for (_, place) in index.from(0) {
            let Place::Idle(at) = place else { continue };
            let idle = arena.get(at);
            for (timers, deadline) in timers.iter_mut().zip(as_array(idle.deadlines)) {
                if deadline != NEVER {
                    timers.push(deadline, xxh3_64(idle.key));
                }
            }
        }
        bucket.live = bucket.index.len() as u64;
        Ok(bucket)
    }

    fn apply(&mut self, entry: Entry<'_>) -> Result<(), StateError> {
        let key = entry.key.as_bytes();
        let hash = xxh3_64(key);
        let known = self.index.find(tag_of(hash), |place| match place {
            Place::Idle(at) => self.arena.get(at).key == key,
            Place::Hot(_) => false,
        });
        if let Some(Place::Idle(before)) = known.map(|position| self.index.place(position)) {
            self.arena.kill(before);
        }
        let Some(state) = entry.state else {
            if let Some(position) = known {
                self.index.remove(position);
            }
            return Ok(());
        };
        let at = self
            .arena
            .push(key, entry.deadlines, CLEAN, |out| out.extend_from_slice(state))
            .ok_or_else(|| StateError::Damaged("a bucket outgrows its arena".to_owned()))?;
        match known {
            Some(position) => self.index.set(position, Place::Idle(at)),
            None => self.index.insert(tag_of(hash), Place::Idle(at)),
        }
        self.sweep();
        Ok(())
    }

    #[inline]
    pub(super) fn find<A>(&self, slab: &Slab<A>, key: KeyRef<'_>) -> Option<(usize, Place)> {
        let text = key.text.as_bytes();
        let position = self.index.find(tag_of(key.hash), |place| match place {
            Place::Hot(at) => {
                let slot = slab.get(at);
                slot.hash == key.hash && slot.key.as_bytes() == text
            }
            Place::Idle(at) => self.arena.get(at).key == text,
        })?;
        Some((position, self.index.place(position)))
    }

    /// Key, hash and timers of the actor at `place`.
    pub(super) fn armed<'a, A>(&'a self, slab: &'a Slab<A>, place: Place) -> (&'a [u8], u64, [Millis; 2]) {
        match place {
            Place::Hot(at) => {
                let slot = slab.get(at);
                (slot.key.as_bytes(), slot.hash, slot.armed)
            }
            Place::Idle(at) => {
                let idle = self.arena.get(at);
                (idle.key, xxh3_64(idle.key), as_array(idle.deadlines))
            }
        }
    }

    /// Every place with this tag: one, but for collisions.
    pub(super) fn with_tag(&self, tag: u32) -> impl Iterator<Item = Place> {
        self.index.from(tag).take_while(move |(found, _)| *found == tag).map(|(_, place)| place)
    }

    /// Makes room for a new actor.
    pub(super) fn admit<A>(&mut self, slab: &mut Slab<A>, key: KeyRef<'_>) -> u32 {
        let key_bytes = SmallKey::new(key.text.as_bytes());
        let slot = Slot {
            hash: key.hash,
            key: key_bytes,
            armed: [NEVER; 2],
            mark: CLEAN,
            touched: true,
            body: Body::Gone,
        };
        let at = slab.insert(slot);
        self.index.insert(tag_of(key.hash), Place::Hot(at));
        at
    }

    /// Decodes the idle actor at this position of the index.
    pub(super) fn thaw<A: Actor>(
        &mut self,
        slab: &mut Slab<A>,
        position: usize,
        hash: u64,
    ) -> Result<u32, StateError> {
        let offset = match self.index.place(position) {
            Place::Hot(at) => return Ok(at),
            Place::Idle(offset) => offset,
        };
        let idle = self.arena.get(offset);
        let at = slab.insert(Slot {
            hash,
            key: SmallKey::new(idle.key),
            armed: as_array(idle.deadlines),
            mark: idle.mark,
            touched: true,
            body: Body::Is(A::decode(idle.state)?),
        });
        self.arena.kill(offset);
        self.index.set(position, Place::Hot(at));
        Ok(at)
    }

    /// What changed since the last freeze; the bucket begins to rest.
    pub(super) fn take_dirty(&mut self) -> Vec<u64> {
        self.rested = if self.dirty.is_empty() { self.rested.saturating_add(1) } else { 0 };
        std::mem::take(&mut self.dirty)
    }

    /// Drops a hot actor's slot and its place.
    pub(super) fn forget<A>(&mut self, slab: &mut Slab<A>, at: u32) {
        let tag = tag_of(slab.get(at).hash);
        if let Some(position) = self.index.find(tag, |place| place == Place::Hot(at)) {
            self.index.remove(position);
        }
        slab.remove(at);
    }

    /// Lets the arena sweep, after an entry was added.
    pub(super) fn sweep(&mut self) {
        let Self { arena, index, .. } = self;
        arena.sweep(|key, from, to| {
            let position = index.find(tag_of(xxh3_64(key)), |place| place == Place::Idle(from));
            index.set(position.expect("an entry that is not dead is indexed"), Place::Idle(to));
        });
    }

    pub(super) fn mark<A>(&self, slab: &Slab<A>, place: Place) -> Mark {
        match place {
            Place::Hot(at) => slab.get(at).mark,
            Place::Idle(at) => self.arena.get(at).mark,
        }
    }

    pub(super) fn set_mark<A>(&mut self, slab: &mut Slab<A>, place: Place, mark: Mark) {
        match place {
            Place::Hot(at) => slab.get_mut(at).mark = mark,
            Place::Idle(at) => self.arena.set_mark(at, mark),
        }
    }

    /// Every place whose actor has this hash: one, but for collisions.
    pub(super) fn with_hash<A>(&self, slab: &Slab<A>, hash: u64, out: &mut Vec<Place>) {
        out.clear();
        out.extend(self.with_tag(tag_of(hash)).filter(|place| self.armed(slab, *place).1 == hash));
    }

    pub(super) fn bytes(&self) -> usize {
        self.index.bytes() + self.arena.bytes() + self.timers.iter().map(Timers::bytes).sum::<usize>()
    }
}
