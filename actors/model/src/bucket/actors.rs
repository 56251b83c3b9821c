//! The store of a shard's actors: 64 buckets by key hash, kept at sections `base_section + bucket`.
//!
//! [`Actors::fold`] is where every record and timer meets its actor. An actor is hot (a slot of the slab) or idle (an entry of its
//! bucket's arena); whichever it is shows nowhere, not in a digest, not in a cut, not in the order of timers.

use super::KeyRef;
use super::cut::Cut;
use super::index::Place;
use super::slab::{Body, CLEAN, Mark, NEVER, Slab, SmallKey};
use super::store::Bucket;
use super::timers::{Due, as_array, rearm};
use crate::actor::{Actor, StateError};
use crate::cut::segment::Segment;
use crate::key::{BUCKETS, BucketId, bucket_of};
use crate::planted::Planted;
use crate::time::Millis;

/// Where an actor was found: worth looking at first the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint(pub(super) u32);

impl Hint {
    #[cfg(test)]
    pub(crate) fn at(slot: u32) -> Self {
        Self(slot)
    }
}

impl Default for Hint {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

/// A hot actor being folded: where it is, and what it goes by.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    at: u32,
    hash: u64,
    key: &'a SmallKey,
}

impl<'a> Spot<'a> {
    pub fn hint(self) -> Hint {
        Hint(self.at)
    }

    pub fn hash(self) -> u64 {
        self.hash
    }

    /// Its key's text, as bytes.
    pub fn key(self) -> &'a [u8] {
        self.key.as_bytes()
    }
}

#[derive(Debug)]
pub struct Actors<A> {
    pub(super) base_section: u16,
    /// `None`: not loaded.
    pub(super) buckets: Vec<Option<Bucket>>,
    /// How many are.
    pub(super) loaded: usize,
    pub(super) slab: Slab<A>,
    pub(super) due: Due,
    /// Hashes of the actors changed since the last freeze, each once.
    pub(super) dirty: usize,
    /// The mark of those actors.
    pub(super) mark: Mark,
    pub(super) cut: Option<Box<Cut>>,
    /// Digests of the buckets that were evicted.
    pub(super) evicted: [Option<u64>; BUCKETS as usize],
    pub(super) planted: Planted,
}

/// What became of an actor that was folded.
struct Change {
    fresh: bool,
    was_there: bool,
    is_there: bool,
    deadlines: [Millis; 2],
}

impl<A: Actor> Actors<A> {
    pub fn new(base_section: u16, planted: Planted) -> Self {
        Self {
            base_section,
            buckets: (0..BUCKETS).map(|_| None).collect(),
            loaded: 0,
            slab: Slab::default(),
            due: Due::default(),
            dirty: 0,
            mark: CLEAN + 1,
            cut: None,
            evicted: [None; BUCKETS as usize],
            planted,
        }
    }

    /// A fresh shard: every bucket is known to be empty.
    pub fn set_empty_store(&mut self) {
        self.buckets.fill_with(|| Some(Bucket::default()));
        self.loaded = self.buckets.len();
    }

    pub fn is_loaded(&self, bucket: BucketId) -> bool {
        self.buckets.get(usize::from(bucket.0)).is_some_and(Option::is_some)
    }

    pub fn loaded_all(&self) -> bool {
        self.loaded == self.buckets.len()
    }

    /// The section a bucket is stored at.
    pub fn section(&self, bucket: BucketId) -> u16 {
        self.base_section + u16::from(bucket.0)
    }

    pub(super) fn number_of(&self, section: u16) -> Option<u8> {
        let number = section.checked_sub(self.base_section)?;
        (number < u16::from(BUCKETS)).then_some(number as u8)
    }

    /// Takes a bucket as the committed cut holds it: base, then deltas in order; none when it holds nothing. A bucket that is loaded
    /// already stays as it is: it knows more.
    pub fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError> {
        let number = self
            .number_of(section)
            .ok_or_else(|| StateError::Damaged(format!("section {section} is no bucket of these")))?;
        let place = &mut self.buckets[usize::from(number)];
        if place.is_none() {
            let bucket = place.insert(Bucket::read(segments)?);
            self.loaded += 1;
            self.evicted[usize::from(number)] = None;
            for (clock, timers) in bucket.timers.iter().enumerate() {
                self.due.set_head(clock, number, NEVER);
                self.due.note(clock, number, timers.earliest());
            }
        }
        Ok(())
    }

    /// Finds or makes the actor, runs `f` on it, marks it dirty; drops it when it is empty afterwards.
    #[inline]
    pub fn fold<R>(&mut self, key: KeyRef<'_>, f: impl FnOnce(&mut A) -> R) -> Result<R, StateError>
    where
        A: Default,
    {
        self.fold_at_spot(key, |_, actor| f(actor))
    }

    /// As [`Actors::fold`], telling `f` where the actor is.
    #[inline]
    pub fn fold_at_spot<R>(
        &mut self,
        key: KeyRef<'_>,
        f: impl FnOnce(Spot<'_>, &mut A) -> R,
    ) -> Result<R, StateError>
    where
        A: Default,
    {
        let (at, fresh) = self.find_or_admit(key)?;
        Ok(self.fold_slot(at, fresh, f))
    }

    /// As [`Actors::fold_at_spot`], for an actor found before: nothing happens unless it is still there and `is` knows its key.
    #[inline]
    pub fn fold_known<R>(
        &mut self,
        hint: Hint,
        is: impl FnOnce(&[u8]) -> bool,
        f: impl FnOnce(Spot<'_>, &mut A) -> R,
    ) -> Option<R>
    where
        A: Default,
    {
        let is_it = self.slab.at(hint.0).is_some_and(|slot| is(slot.key.as_bytes()));
        is_it.then(|| self.fold_slot(hint.0, false, f))
    }

    /// The slot of the actor, made hot or made new; and whether it is new.
    #[inline]
    fn find_or_admit(&mut self, key: KeyRef<'_>) -> Result<(u32, bool), StateError> {
        let number = key.bucket().0;
        let bucket = self.buckets[usize::from(number)].as_mut().ok_or_else(|| not_loaded(number))?;
        Ok(match bucket.find(&self.slab, key) {
            Some((_, Place::Hot(at))) => (at, false),
            Some((position, Place::Idle(_))) => (bucket.thaw(&mut self.slab, position, key.hash)?, false),
            None => (bucket.admit(&mut self.slab, key), true),
        })
    }

    #[inline]
    fn fold_slot<R>(&mut self, at: u32, fresh: bool, f: impl FnOnce(Spot<'_>, &mut A) -> R) -> R
    where
        A: Default,
    {
        let slot = self.slab.get_mut(at);
        let number = bucket_of(slot.hash).0;
        if let Some(cut) = &mut self.cut {
            cut.preserve(number, slot);
        }
        let was_there = matches!(slot.body, Body::Is(_));
        if !was_there {
            slot.body = Body::Is(A::default());
        }
        let Body::Is(actor) = &mut slot.body else { unreachable!("it was just put there") };
        let result = f(Spot { at, hash: slot.hash, key: &slot.key }, actor);

        let is_there = !actor.is_empty();
        let deadlines = as_array(actor.deadlines());
        if !is_there {
            slot.body = Body::Gone;
        }
        slot.touched = true;
        let is_clean = slot.mark != self.mark;
        let is_earlier = is_there && deadlines.iter().zip(&slot.armed).any(|(new, armed)| new < armed);
        if is_clean || is_earlier || is_there != was_there {
            self.changed(at, number, Change { fresh, was_there, is_there, deadlines });
        }
        result
    }

    /// The actor of a slot changed more than in itself: its bucket hears of it.
    fn changed(&mut self, at: u32, number: u8, change: Change) {
        let Change { fresh, was_there, is_there, deadlines } = change;
        let bucket = self.buckets[usize::from(number)].as_mut().expect("a bucket with a slot is loaded");
        let slot = self.slab.get_mut(at);
        bucket.live = bucket.live + u64::from(is_there) - u64::from(was_there);
        if fresh && !is_there {
            bucket.forget(&mut self.slab, at); // never was, as far as any cut knows
            return;
        }
        let bloated = is_there && rearm(bucket, &mut self.due, number, slot.hash, &mut slot.armed, deadlines);
        if slot.mark != self.mark {
            slot.mark = self.mark;
            bucket.dirty.push(slot.hash);
            self.dirty += 1;
        }
        if bloated {
            self.drop_superseded(number);
        }
    }

    /// Drops the actor; whether there was one.
    pub fn remove(&mut self, key: KeyRef<'_>) -> Result<bool, StateError> {
        let number = key.bucket().0;
        let bucket = self.buckets[usize::from(number)].as_mut().ok_or_else(|| not_loaded(number))?;
        let Some((position, _)) = bucket.find(&self.slab, key) else { return Ok(false) };
        let at = bucket.thaw(&mut self.slab, position, key.hash)?;
        let slot = self.slab.get_mut(at);
        if matches!(slot.body, Body::Gone) {
            return Ok(false);
        }
        if let Some(cut) = &mut self.cut {
            cut.preserve(number, slot);
        }
        slot.body = Body::Gone;
        bucket.live -= 1;
        if slot.mark != self.mark {
            slot.mark = self.mark;
            bucket.dirty.push(key.hash);
            self.dirty += 1;
        }
        Ok(true)
    }
}

#[cold]
pub(super) fn not_loaded(number: u8) -> StateError {
    StateError::Damaged(format!("bucket {number} is not loaded"))
}
