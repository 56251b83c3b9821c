//! Timers of a shard's actors, on two clocks, fired in exact (deadline, key text) order.
//!
//! Each bucket has a [`Timers`] per clock: a heap of 16-byte entries for what comes next, and before that a list per slot of four
//! minutes, four bytes an entry. An actor whose deadline moves later keeps its entry, which is put right when it is popped. Entries due
//! at the same time are gathered before the first of them fires, because only their keys say who comes first, and two owners with
//! different histories must agree; [`Actors::gather_due`] does it in slices when there are very many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::actors::Actors;
use super::index::{Place, tag_of};
use super::slab::NEVER;
use super::store::Bucket;
use crate::actor::{Actor, StateError, TimerClock};
use crate::key::{ActorKey, BUCKETS};
use crate::time::Millis;

/// Superseded entries tolerated beside one per actor.
const SLACK: usize = 64;
/// A slot is 2^18 ms. Shorter ones would be many and nearly empty, and each costs as much as a dozen entries; of longer ones too much
/// would lie in the heap.
const SLOT_BITS: u32 = 18;

/// One bucket's timers on one clock.
#[derive(Debug)]
pub(super) struct Timers {
    /// (deadline, hash of the key) of the slots before `opened`.
    near: BinaryHeap<Reverse<(Millis, u64)>>,
    /// By slot, the tags of later ones: the actors know their deadlines.
    far: BTreeMap<i64, Vec<u32>>,
    opened: i64,
    len: usize,
}

/// What is to be done about the earliest timer.
enum Next {
    /// It is one of a slot: which of these actors it is, and when exactly, is to be found out.
    Open { slot: i64, tag: u32 },
    /// It is this actor's, now.
    Due { hash: u64 },
}

fn slot_of(deadline: Millis) -> i64 {
    deadline >> SLOT_BITS
}

impl Default for Timers {
    fn default() -> Self {
        Self { near: BinaryHeap::new(), far: BTreeMap::new(), opened: i64::MIN, len: 0 }
    }
}

impl Timers {
    pub(super) fn push(&mut self, deadline: Millis, hash: u64) {
        let slot = slot_of(deadline);
        if slot < self.opened {
            return self.push_near(deadline, hash);
        }
        let tags = self.far.entry(slot).or_default();
        if tags.len() == tags.capacity() {
            tags.reserve_exact(tags.len() / 8 + 4); // doubling would cost as much as the index
        }
        tags.push(tag_of(hash));
        self.len += 1;
    }

    /// Whether the entry of one deadline serves for another: in a slot not opened yet it says no more than the slot.
    pub(super) fn is_as_good(&self, entry: Millis, deadline: Millis) -> bool {
        entry == deadline || (slot_of(entry) == slot_of(deadline) && slot_of(entry) >= self.opened)
    }

    fn push_near(&mut self, deadline: Millis, hash: u64) {
        self.near.push(Reverse((deadline, hash)));
        self.len += 1;
    }

    /// Never later than the earliest: of a slot only its start is known.
    pub(super) fn earliest(&self) -> Millis {
        let near = self.near.peek().map_or(NEVER, |Reverse((deadline, _))| *deadline);
        let far = self.far.keys().next().map_or(NEVER, |slot| slot << SLOT_BITS);
        near.min(far)
    }

    /// Takes an entry that may be due at `deadline`.
    fn next_at(&mut self, deadline: Millis) -> Option<Next> {
        if let Some(mut first) = self.far.first_entry()
            && *first.key() <= slot_of(deadline)
        {
            let slot = *first.key();
            let tag = first.get_mut().pop()?;
            if first.get().is_empty() {
                first.remove();
            }
            self.opened = slot + 1; // even if more of it is to be opened: what is armed in it from now on is armed exactly
            self.len -= 1;
            return Some(Next::Open { slot, tag });
        }
        if self.earliest() != deadline {
            return None;
        }
        self.len -= 1;
        let next = self.near.pop().map(|Reverse((_, hash))| Next::Due { hash });
        if self.near.is_empty() {
            self.near.shrink_to(SLACK);
        }
        next
    }

    /// More superseded entries than actors: time to drop them.
    fn is_bloated(&self, actors: usize) -> bool {
        self.len > 2 * actors + SLACK
    }

    /// Keeps each entry once, and only if an actor with that tag has a timer `armed` like it.
    fn tidy(&mut self, armed: impl Fn(u32, &dyn Fn(Millis) -> bool) -> bool) {
        let mut near = std::mem::take(&mut self.near).into_vec();
        near.sort_unstable();
        near.dedup();
        near.retain(|Reverse((deadline, hash))| armed(tag_of(*hash), &|at| at == *deadline));
        self.near = near.into();
        self.far.retain(|slot, tags| {
            tags.sort_unstable();
            tags.dedup();
            tags.retain(|tag| armed(*tag, &|at| slot_of(at) == *slot));
            !tags.is_empty()
        });
        self.len = self.near.len() + self.far.values().map(Vec::len).sum::<usize>();
    }

    pub(super) fn bytes(&self) -> usize {
        let far: usize = self.far.values().map(|tags| tags.capacity() * size_of::<u32>()).sum();
        let slots = self.far.len() * size_of::<(i64, Vec<u32>)>();
        self.near.capacity() * size_of::<(Millis, u64)>() + far + slots
    }
}

/// What is known across buckets.
#[derive(Debug)]
pub(super) struct Due {
    /// Per clock and bucket, the earliest entry: of its timers, or as announced while it is not loaded.
    heads: [[Millis; BUCKETS as usize]; 2],
    /// Per clock, a lower bound of what the loaded buckets hold.
    soonest: [Millis; 2],
    /// Entries gathered: due, in firing order. In nodes: a million of them in one piece could not grow within a slice.
    ready: [BTreeSet<(Millis, ActorKeyText)>; 2],
}

type ActorKeyText = Box<str>;

impl Default for Due {
    fn default() -> Self {
        Self { heads: [[NEVER; BUCKETS as usize]; 2], soonest: [NEVER; 2], ready: Default::default() }
    }
}

impl Due {
    #[inline]
    pub(super) fn note(&mut self, clock: usize, bucket: u8, deadline: Millis) {
        let head = &mut self.heads[clock][usize::from(bucket)];
        *head = deadline.min(*head);
        self.soonest[clock] = deadline.min(self.soonest[clock]);
    }

    pub(super) fn set_head(&mut self, clock: usize, bucket: u8, deadline: Millis) {
        self.heads[clock][usize::from(bucket)] = deadline;
    }

    /// Never later than the earliest deadline of the bucket, entries already gathered included.
    pub(super) fn earliest(&self, clock: usize, bucket: u8) -> Option<Millis> {
        let ready = self.ready[clock].first().map_or(NEVER, |(deadline, _)| *deadline);
        let earliest = self.heads[clock][usize::from(bucket)].min(ready);
        (earliest != NEVER).then_some(earliest)
    }

    pub(super) fn bytes(&self) -> usize {
        let entry = size_of::<(Millis, ActorKeyText)>();
        self.ready.iter().map(|ready| ready.len() * entry).sum()
    }
}

/// Puts an entry where the actor's deadline came nearer than any it has; whether the timers should be tidied for it.
#[inline]
pub(super) fn rearm(
    bucket: &mut Bucket,
    due: &mut Due,
    number: u8,
    hash: u64,
    armed: &mut [Millis; 2],
    deadlines: [Millis; 2],
) -> bool {
    let mut bloated = false;
    for clock in 0..2 {
        if deadlines[clock] < armed[clock] {
            armed[clock] = deadlines[clock];
            bucket.timers[clock].push(deadlines[clock], hash);
            due.note(clock, number, deadlines[clock]);
            bloated |= bucket.timers[clock].is_bloated(bucket.index.len());
        }
    }
    bloated
}

impl<A: Actor> Actors<A> {
    /// Tells of the timers of a bucket that is not loaded.
    pub fn announce(&mut self, section: u16, watermark: Option<Millis>, log_time: Option<Millis>) {
        let Some(number) = self.number_of(section).filter(|n| self.buckets[usize::from(*n)].is_none()) else {
            return;
        };
        self.due.set_head(0, number, watermark.unwrap_or(NEVER));
        self.due.set_head(1, number, log_time.unwrap_or(NEVER));
    }

    /// Sections not loaded that have timers due by `upto`.
    pub fn due_sections(&self, clock: TimerClock, upto: Millis) -> Vec<u16> {
        if self.loaded_all() {
            return Vec::new();
        }
        let heads = self.due.heads[clock as usize].iter().zip(&self.buckets).enumerate();
        let due = heads.filter(|(_, (head, bucket))| **head <= upto && **head != NEVER && bucket.is_none());
        due.map(|(number, _)| self.base_section + number as u16).collect()
    }

    /// Whether any timer waits, in a loaded bucket or in another.
    pub fn has_timers(&self) -> bool {
        (0..2).any(|clock| (0..BUCKETS).any(|bucket| self.due.earliest(clock, bucket).is_some()))
    }

    /// Whether a timer of a loaded bucket may be due by `upto`: cheap, and never wrong when it says no.
    #[inline]
    pub fn is_due(&self, clock: TimerClock, upto: Millis) -> bool {
        let ready = self.due.ready[clock as usize].first();
        self.due.soonest[clock as usize] <= upto || ready.is_some_and(|(deadline, _)| *deadline <= upto)
    }

    /// Readies the timers that fire next, looking at `budget` entries at most; `false` when there are more. Calling it is only
    /// needed to keep a slice short: [`Actors::next_due`] does whatever is left.
    pub fn gather_due(&mut self, clock: TimerClock, upto: Millis, mut budget: usize) -> bool {
        self.gather_within(clock, upto, &mut budget)
    }

    /// As [`Actors::gather_due`], for several calls within one budget.
    pub fn gather_within(&mut self, clock: TimerClock, upto: Millis, budget: &mut usize) -> bool {
        let clock = clock as usize;
        while let Some(deadline) = self.to_gather(clock, upto) {
            for number in 0..BUCKETS {
                while self.due.heads[clock][usize::from(number)] == deadline {
                    if self.buckets[usize::from(number)].is_none() {
                        break;
                    }
                    if *budget == 0 {
                        return false;
                    }
                    *budget -= 1;
                    self.gather_one(clock, number, deadline);
                }
            }
            let loaded = self.due.heads[clock].iter().zip(&self.buckets).filter(|(_, b)| b.is_some());
            self.due.soonest[clock] = loaded.map(|(head, _)| *head).min().unwrap_or(NEVER);
        }
        true
    }

    /// The deadline whose entries must be gathered before anything fires.
    #[inline]
    fn to_gather(&self, clock: usize, upto: Millis) -> Option<Millis> {
        let soonest = self.due.soonest[clock];
        let first = self.due.ready[clock].first().map_or(NEVER, |(deadline, _)| *deadline);
        (soonest <= upto && soonest <= first && soonest != NEVER).then_some(soonest)
    }

    /// Moves the bucket's first entry on: to its exact deadline, or to the ready ones, unless it is superseded.
    fn gather_one(&mut self, clock: usize, number: u8, deadline: Millis) {
        let Some(bucket) = self.buckets[usize::from(number)].as_mut() else { return };
        let mut timers = std::mem::take(&mut bucket.timers[clock]);
        match timers.next_at(deadline) {
            Some(Next::Open { slot, tag }) => {
                for place in bucket.with_tag(tag) {
                    let (_, hash, armed) = bucket.armed(&self.slab, place);
                    if slot_of(armed[clock]) == slot {
                        timers.push_near(armed[clock], hash);
                    }
                }
            }
            Some(Next::Due { hash }) => {
                for place in bucket.with_tag(tag_of(hash)) {
                    let (key, of, armed) = bucket.armed(&self.slab, place);
                    if of == hash && armed[clock] == deadline {
                        self.due.ready[clock].insert((deadline, text(key).into()));
                    }
                }
            }
            None => {}
        }
        self.due.heads[clock][usize::from(number)] = timers.earliest();
        bucket.timers[clock] = timers;
    }

    /// Takes the earliest timer due by `upto`, in (deadline, key) order. The caller folds that actor, which moves its deadline.
    pub fn next_due(
        &mut self,
        clock: TimerClock,
        upto: Millis,
    ) -> Result<Option<(Millis, ActorKey)>, StateError> {
        loop {
            self.gather_due(clock, upto, usize::MAX);
            let ready = &mut self.due.ready[clock as usize];
            if ready.first().is_none_or(|(deadline, _)| *deadline > upto) {
                return Ok(None);
            }
            let Some((deadline, key)) = ready.pop_first() else { return Ok(None) };
            let key = ActorKey::parse(&key)
                .ok_or_else(|| StateError::Damaged(format!("{key:?} is no actor's key")))?;
            if self.fires(clock as usize, deadline, &key)? {
                return Ok(Some((deadline, key)));
            }
        }
    }

    /// Takes the entry off its actor. One whose deadline moved on since gets an entry there, and does not fire.
    fn fires(&mut self, clock: usize, deadline: Millis, key: &ActorKey) -> Result<bool, StateError> {
        let number = key.bucket().0;
        let Some(bucket) = self.buckets[usize::from(number)].as_mut() else { return Ok(false) };
        let Some((position, place)) = bucket.find(&self.slab, key.into()) else { return Ok(false) };
        if bucket.armed(&self.slab, place).2[clock] != deadline {
            return Ok(false);
        }
        let at = match place {
            Place::Hot(at) => at,
            Place::Idle(_) => bucket.thaw(&mut self.slab, position, key.hash())?,
        };
        let slot = self.slab.get_mut(at);
        slot.armed[clock] = NEVER;
        let Some(actor) = slot.body.get() else { return Ok(false) };
        let deadlines = as_array(actor.deadlines());
        if deadlines[clock] == deadline {
            return Ok(true);
        }
        rearm(bucket, &mut self.due, number, slot.hash, &mut slot.armed, deadlines);
        Ok(false)
    }
}

impl<A: Actor> Actors<A> {
    /// Drops the timer entries no actor stands behind any more.
    #[cold]
    pub(super) fn drop_superseded(&mut self, number: u8) {
        let Some(bucket) = self.buckets[usize::from(number)].as_mut() else { return };
        let mut timers = std::mem::take(&mut bucket.timers);
        for (clock, timers) in timers.iter_mut().enumerate() {
            timers.tidy(|tag, like| {
                bucket.with_tag(tag).any(|place| like(bucket.armed(&self.slab, place).2[clock]))
            });
            self.due.set_head(clock, number, NEVER);
            self.due.note(clock, number, timers.earliest());
        }
        bucket.timers = timers;
    }
}

/// Keys come as text and are kept as bytes.
pub(super) fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).expect("keys are text when they are taken in")
}

#[inline]
pub(super) fn as_array(deadlines: crate::actor::Deadlines) -> [Millis; 2] {
    [deadlines.watermark.unwrap_or(NEVER), deadlines.log_time.unwrap_or(NEVER)]
}
