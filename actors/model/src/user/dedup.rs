//! The events an actor remembers, so that a repeat is a DUPLICATE: for an hour of log time, counted in whole minutes.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::wire::{Reader, Writer, damaged};
use crate::actor::StateError;
use crate::limits::{REMEMBERED_EVENT_MINUTES, REMEMBERED_EVENTS};
use crate::time::{MINUTE, Millis};

/// Up to here the ids are searched one by one, newest first: they fit in a few cache lines. Beyond, by a hashed index.
const SEARCHED: usize = 64;

/// Fingerprints in the order they were remembered, and how many of them in which minute.
///
/// Only [`Dedup::remember`] and [`Dedup::forget`] change it: asking does not, so a refused event leaves no trace.
#[derive(Debug, Default, Clone)]
pub(super) struct Dedup {
    fingerprints: VecDeque<u64>,
    runs: VecDeque<Run>,
    /// The same fingerprints, once there are many. Never encoded, never iterated.
    index: Option<Box<HashTable<u64>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    minute: i64,
    events: u32,
}

impl Dedup {
    pub(super) fn knows(&self, fingerprint: u64, log_time: Millis) -> bool {
        let found = match &self.index {
            Some(index) => index.find(fingerprint, |known| *known == fingerprint).is_some(),
            None => {
                let (older, newer) = self.fingerprints.as_slices();
                newer.contains(&fingerprint) || older.contains(&fingerprint)
            }
        };
        found && self.is_fresh(fingerprint, minute_of(log_time))
    }

    /// Whether the newest remembering of a known id is young enough: expired ones stay until something is remembered.
    fn is_fresh(&self, fingerprint: u64, minute: i64) -> bool {
        let expired: usize = self.expired(minute);
        expired == 0 || self.fingerprints.range(expired..).any(|known| *known == fingerprint)
    }

    fn expired(&self, minute: i64) -> usize {
        let old = |run: &&Run| minute.saturating_sub(run.minute) > REMEMBERED_EVENT_MINUTES;
        self.runs.iter().take_while(old).map(|run| run.events as usize).sum()
    }

    /// Remembers a counted event. What is too old or too much is forgotten first.
    pub(super) fn remember(&mut self, fingerprint: u64, log_time: Millis) {
        let minute = minute_of(log_time);
        self.forget(log_time);
        if self.fingerprints.len() == REMEMBERED_EVENTS {
            self.forget_oldest();
        }
        self.fingerprints.push_back(fingerprint);
        match self.runs.back_mut() {
            Some(run) if run.minute == minute => run.events += 1,
            _ => self.runs.push_back(Run { minute, events: 1 }),
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
    pub(super) fn forget(&mut self, log_time: Millis) {
        for _ in 0..self.expired(minute_of(log_time)) {
            self.forget_oldest();
        }
        if self.fingerprints.is_empty() {
            *self = Self::default();
        }
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

    /// See [`crate::actor::Actor::touch`].
    pub(super) fn touch(&self) -> u64 {
        let minute = self.runs.back().map_or(0, |run| run.minute as u64);
        minute ^ self.fingerprints.front().copied().unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// When the newest is forgotten too: by then an actor nobody touches has let go of them all.
    pub(super) fn forgotten_at(&self) -> Option<Millis> {
        let newest = self.runs.back()?;
        Some(newest.minute.saturating_add(REMEMBERED_EVENT_MINUTES + 1).saturating_mul(MINUTE))
    }

    /// Runs first, a byte for a minute with one event; then the fingerprints.
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.runs.len());
        let mut before = None;
        for run in &self.runs {
            let several = u64::from(run.events > 1);
            match before {
                None => {
                    w.minute(run.minute);
                    w.unsigned(u64::from(run.events) - 1);
                }
                Some(before) => {
                    w.unsigned((run.minute.wrapping_sub(before) as u64 - 1) << 1 | several);
                    if several == 1 {
                        w.unsigned(u64::from(run.events) - 2);
                    }
                }
            }
            before = Some(run.minute);
        }
        for fingerprint in &self.fingerprints {
            w.fixed(*fingerprint);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut dedup = Self::default();
        let mut total = 0u64;
        for place in 0..r.count(REMEMBERED_EVENTS)? {
            let (minute, events) = if place == 0 {
                (r.minute()?, r.unsigned()?.saturating_add(1))
            } else {
                let step = r.unsigned()?;
                let before = dedup.runs.back().map_or(0, |run| run.minute);
                let events = if step & 1 == 1 { r.unsigned()?.saturating_add(2) } else { 1 };
                let Some(minute) = before.checked_add_unsigned((step >> 1) + 1) else {
                    return damaged("minutes overflow");
                };
                (minute, events)
            };
            total = total.saturating_add(events);
            if total > REMEMBERED_EVENTS as u64 {
                return damaged("too many event ids");
            }
            dedup.runs.push_back(Run { minute, events: events as u32 });
        }
        for _ in 0..total {
            dedup.fingerprints.push_back(r.fixed()?);
        }
        dedup.build_index();
        Ok(dedup)
    }
}

fn minute_of(log_time: Millis) -> i64 {
    log_time.div_euclid(MINUTE)
}
