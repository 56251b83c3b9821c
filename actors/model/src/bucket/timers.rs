//! Timers of a shard's actors, on two clocks, fired in exact (deadline, key text) order.
//!
//! Each bucket has a heap per clock of 16-byte entries. An actor whose deadline moves later keeps its entry, which is put right when it is
//! popped. Entries due at the same time are gathered before the first of them fires, because only their keys say who comes first, and
//! two owners with different histories must agree; [`Actors::gather_due`] does it in slices when there are very many.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::actors::Actors;
use super::index::{Place, tag_of};
use super::slab::NEVER;
use super::store::Bucket;
use crate::actor::{Actor, StateError, TimerClock};
use crate::key::{ActorKey, BUCKETS};
use crate::time::Millis;

/// Superseded entries tolerated in a heap beside one per actor.
const SLACK: usize = 64;

/// One bucket's timers on one clock: (deadline, hash of the key).
#[derive(Debug, Default)]
pub(super) struct TimerHeap {
    entries: BinaryHeap<Reverse<(Millis, u64)>>,
}

impl TimerHeap {
    pub(super) fn push(&mut self, deadline: Millis, hash: u64) {
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(self.entries.len() / 8 + SLACK); // doubling would cost as much as the index
        }
        self.entries.push(Reverse((deadline, hash)));
    }

    /// Takes the entries of a bucket that is being loaded, unordered.
    pub(super) fn fill(&mut self, entries: Vec<(Millis, u64)>) {
        self.entries = entries.into_iter().map(Reverse).collect::<Vec<_>>().into();
    }

    pub(super) fn earliest(&self) -> Millis {
        self.entries.peek().map_or(NEVER, |Reverse((deadline, _))| *deadline)
    }

    fn pop_at(&mut self, deadline: Millis) -> Option<u64> {
        if self.earliest() != deadline {
            return None;
        }
        self.entries.pop().map(|Reverse((_, hash))| hash)
    }

    /// More superseded entries than actors: time to drop them.
    pub(super) fn is_bloated(&self, actors: usize) -> bool {
        self.entries.len() > 2 * actors + SLACK
    }

    pub(super) fn retain(&mut self, mut armed: impl FnMut(Millis, u64) -> bool) {
        self.entries.retain(|Reverse((deadline, hash))| armed(*deadline, *hash));
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(Millis, u64)>()
    }
}

/// What is known across buckets.
#[derive(Debug)]
pub(super) struct Due {
    /// Per clock and bucket, the earliest entry: of its heap, or as announced while it is not loaded.
    heads: [[Millis; BUCKETS as usize]; 2],
    /// Per clock, a lower bound of what the loaded heaps hold.
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

/// Puts a heap entry where the actor's deadline came nearer than any it has; whether the heaps should be tidied for it.
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

    /// Moves the bucket's first entry to the ready ones, unless it is superseded.
    fn gather_one(&mut self, clock: usize, number: u8, deadline: Millis) {
        let Some(bucket) = self.buckets[usize::from(number)].as_mut() else { return };
        if let Some(hash) = bucket.timers[clock].pop_at(deadline) {
            for (tag, place) in bucket.index.from(tag_of(hash)) {
                if tag != tag_of(hash) {
                    break;
                }
                if let Some((key, armed)) = bucket.armed(&self.slab, place, hash)
                    && armed[clock] == deadline
                {
                    self.due.ready[clock].insert((deadline, text(key).into()));
                }
            }
        }
        self.due.heads[clock][usize::from(number)] = bucket.timers[clock].earliest();
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
        if bucket.armed(&self.slab, place, key.hash()).is_none_or(|(_, armed)| armed[clock] != deadline) {
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

/// Keys come as text and are kept as bytes.
pub(super) fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).expect("keys are text when they are taken in")
}

#[inline]
pub(super) fn as_array(deadlines: crate::actor::Deadlines) -> [Millis; 2] {
    [deadlines.watermark.unwrap_or(NEVER), deadlines.log_time.unwrap_or(NEVER)]
}
