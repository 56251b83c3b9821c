//! The events an actor counted in the last hour of log time, so that a repeat is a DUPLICATE. SEMANTICS.md section 2.
//!
//! Looked at for every event: a few ids are searched where they lie, many through an index that is not part of the state.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::limits::{REMEMBERED_EVENT_MINUTES, REMEMBERED_EVENTS};
use crate::time::{MINUTE, Millis};

/// Up to here the ids are searched one by one: they fit in a few cache lines. Beyond, by the index.
const SEARCHED: usize = 64;

/// Fingerprints of ids in the order they were remembered, at most [`REMEMBERED_EVENTS`], and how many of them in which minute.
///
/// Only [`Dedup::remember`] and [`Dedup::forget`] change it: asking does not, so a refused event leaves no trace.
#[derive(Debug, Clone, Default)]
pub struct Dedup {
    fingerprints: VecDeque<u64>,
    runs: VecDeque<Run>,
    /// The same fingerprints, once there are many. Never encoded, never iterated.
    index: Option<Box<HashTable<u64>>>,
}

/// A minute of log time, and how many events were remembered in it: 16 bytes a minute, not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    minute: i64,
    events: u32,
}

impl Dedup {
    /// Whether an event with this fingerprint was counted within the hour before `log_time`.
    pub fn knows(&self, fingerprint: u64, log_time: Millis) -> bool {
        let found = match &self.index {
            Some(index) => index.find(fingerprint, |known| *known == fingerprint).is_some(),
            None => self.fingerprints.contains(&fingerprint),
        };
        found && self.is_fresh(fingerprint, minute_of(log_time))
    }

    /// Remembers an event just counted, which was not known. What is too old is forgotten; beyond the bound the oldest gives way.
    pub fn remember(&mut self, fingerprint: u64, log_time: Millis) {
        self.forget(log_time);
        if self.fingerprints.len() == REMEMBERED_EVENTS {
            self.forget_oldest();
        }
        self.fingerprints.push_back(fingerprint);
        let minute = minute_of(log_time);
        match self.runs.back_mut() {
            Some(run) if run.minute == minute => run.events += 1,
            _ => {
                self.runs.reserve_exact(usize::from(self.runs.is_empty())); // idle people have one
                self.runs.push_back(Run { minute, events: 1 });
            }
        }
        match &mut self.index {
            Some(index) => {
                index.insert_unique(fingerprint, fingerprint, |known| *known);
            }
            None if self.fingerprints.len() > SEARCHED => self.build_index(),
            None => {}
        }
    }

    /// Forgets what is older than an hour at this log time.
    pub fn forget(&mut self, log_time: Millis) {
        for _ in 0..self.expired(minute_of(log_time)) {
            self.forget_oldest();
        }
        if self.fingerprints.is_empty() {
            *self = Self::default();
        }
    }

    /// When even the newest is too old: a timer then lets an actor nobody touches forget them all.
    pub fn forgotten_at(&self) -> Option<Millis> {
        let newest = self.runs.back()?;
        Some(newest.minute.saturating_add(REMEMBERED_EVENT_MINUTES + 1).saturating_mul(MINUTE))
    }

    /// See [`crate::actor::Actor::touch`].
    pub fn touch(&self) -> u64 {
        let minute = self.runs.back().map_or(0, |run| run.minute as u64);
        minute ^ self.fingerprints.front().copied().unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.fingerprints.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Whether a fingerprint found is young enough: those too old stay until something is remembered.
    fn is_fresh(&self, fingerprint: u64, minute: i64) -> bool {
        let expired = self.expired(minute);
        expired == 0 || self.fingerprints.range(expired..).any(|known| *known == fingerprint)
    }

    /// How many of the oldest are too old.
    fn expired(&self, minute: i64) -> usize {
        let old = |run: &&Run| minute.saturating_sub(run.minute) > REMEMBERED_EVENT_MINUTES;
        self.runs.iter().take_while(old).map(|run| run.events as usize).sum()
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.fingerprints.pop_front() else { return };
        if let Some(run) = self.runs.front_mut() {
            run.events -= 1;
            if run.events == 0 {
                self.runs.pop_front();
            }
        }
        if let Some(index) = &mut self.index
            && let Ok(entry) = index.find_entry(oldest, |known| *known == oldest)
        {
            entry.remove();
        }
    }

    fn build_index(&mut self) {
        if self.fingerprints.len() > SEARCHED {
            let mut index = HashTable::with_capacity(2 * self.fingerprints.len());
            for fingerprint in &self.fingerprints {
                index.insert_unique(*fingerprint, *fingerprint, |known| *known);
            }
            self.index = Some(Box::new(index));
        }
    }

    /// Runs first, from the newest back, mostly a byte for a minute with one event; then the fingerprints. The newest minute is the time
    /// other times of the actor are best written against.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.runs.len());
        let mut after: Option<i64> = None;
        for run in self.runs.iter().rev() {
            match after {
                None => {
                    w.minute(run.minute);
                    w.uint(u64::from(run.events) - 1);
                }
                Some(after) => {
                    let several = u64::from(run.events > 1);
                    w.uint((after.wrapping_sub(run.minute) as u64 - 1) << 1 | several);
                    if several == 1 {
                        w.uint(u64::from(run.events) - 2);
                    }
                }
            }
            after = Some(run.minute);
        }
        for fingerprint in &self.fingerprints {
            w.fixed64(*fingerprint);
        }
    }

    pub fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut dedup = Self::default();
        let mut total = 0_u64;
        for _ in 0..r.count(REMEMBERED_EVENTS)? {
            let (minute, events) = match dedup.runs.front() {
                None => (r.minute()?, r.uint()?.saturating_add(1)),
                Some(after) => {
                    let gap = r.uint()?;
                    let events = if gap & 1 == 1 { r.uint()?.saturating_add(2) } else { 1 };
                    let minute = after.minute.checked_sub_unsigned((gap >> 1) + 1);
                    (minute.ok_or_else(|| damaged("minutes end"))?, events)
                }
            };
            total = total.saturating_add(events);
            if total > REMEMBERED_EVENTS as u64 {
                return Err(damaged("more event ids than there can be"));
            }
            dedup.runs.push_front(Run { minute, events: events as u32 });
        }
        for _ in 0..total {
            dedup.fingerprints.push_back(r.fixed64()?);
        }
        dedup.build_index();
        Ok(dedup)
    }
}

/// The index is derived: whether there is one says nothing about the state.
impl PartialEq for Dedup {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprints == other.fingerprints && self.runs == other.runs
    }
}

fn minute_of(log_time: Millis) -> i64 {
    log_time.div_euclid(MINUTE)
}
