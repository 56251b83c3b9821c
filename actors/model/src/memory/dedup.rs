//! Event ids an actor counted in the last hour of log time. SEMANTICS.md section 2, "Duplicates".
//!
//! Looked at for every event: a few ids are searched where they lie, many through an index that is not part of the state.

use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashSet;

use crate::actor::StateError;
use crate::codec::{Reader, damaged, put_int, put_uint};
use crate::limits::{REMEMBERED_EVENT_MINUTES, REMEMBERED_EVENTS};
use crate::time::{MINUTE, Millis};

/// Up to this many ids a search of the ring (four cache lines of it) beats keeping an index.
const SEARCHED: usize = 32;

/// The newest ids, at most [`REMEMBERED_EVENTS`], each with the minute of log time it was counted in.
#[derive(Debug, Clone, Default)]
pub struct EventMemory {
    /// Fingerprints of the ids, oldest first, no two the same.
    ids: VecDeque<u64>,
    /// The minutes they were counted in, oldest first: how many ids each. A minute takes 16 bytes, not each id.
    minutes: VecDeque<Minute>,
    /// The same ids again, once there are more than [`SEARCHED`].
    index: Option<Box<Index>>,
}

type Index = HashSet<u64, BuildHasherDefault<AsIs>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Minute {
    minute: i64,
    ids: u32,
}

impl EventMemory {
    /// Whether an event with this fingerprint was counted within the hour before `log_time`. Forgets what is older.
    pub fn knows(&mut self, fingerprint: u64, log_time: Millis) -> bool {
        self.forget(log_time.div_euclid(MINUTE) - REMEMBERED_EVENT_MINUTES);
        match &self.index {
            Some(index) => index.contains(&fingerprint),
            None => self.ids.contains(&fingerprint),
        }
    }

    /// Remembers an event just counted, which was not known. The oldest gives way.
    pub fn remember(&mut self, fingerprint: u64, log_time: Millis) {
        if self.ids.len() == REMEMBERED_EVENTS {
            self.drop_oldest();
        }
        let minute = log_time.div_euclid(MINUTE);
        match self.minutes.back_mut() {
            Some(last) if last.minute == minute => last.ids += 1,
            _ => self.minutes.push_back(Minute { minute, ids: 1 }),
        }
        self.ids.push_back(fingerprint);
        match &mut self.index {
            Some(index) => {
                index.insert(fingerprint);
            }
            None if self.ids.len() > SEARCHED => {
                self.index = Some(Box::new(self.ids.iter().copied().collect()))
            }
            None => {}
        }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Forgets ids of minutes before `oldest`.
    fn forget(&mut self, oldest: i64) {
        while self.minutes.front().is_some_and(|front| front.minute < oldest) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(id) = self.ids.pop_front() else { return };
        if let Some(front) = self.minutes.front_mut() {
            front.ids -= 1;
            if front.ids == 0 {
                self.minutes.pop_front();
            }
        }
        if let Some(index) = &mut self.index {
            index.remove(&id);
        }
        if self.ids.len() <= SEARCHED / 2 {
            self.index = None;
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        put_uint(out, self.minutes.len() as u64);
        let mut ids = self.ids.iter();
        for minute in &self.minutes {
            put_int(out, minute.minute);
            put_uint(out, u64::from(minute.ids));
            for id in ids.by_ref().take(minute.ids as usize) {
                out.extend_from_slice(&id.to_le_bytes());
            }
        }
    }

    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut memory = Self::default();
        for _ in 0..reader.count(REMEMBERED_EVENTS)? {
            let minute = reader.int()?;
            let ids = reader.count(REMEMBERED_EVENTS - memory.ids.len())?;
            if ids == 0 || memory.minutes.back().is_some_and(|last| last.minute >= minute) {
                return Err(damaged("minutes of event ids are empty or out of order"));
            }
            memory.minutes.push_back(Minute { minute, ids: ids as u32 });
            for _ in 0..ids {
                memory.ids.push_back(reader.fixed64()?);
            }
        }
        let index: Index = memory.ids.iter().copied().collect();
        if index.len() != memory.ids.len() {
            return Err(damaged("an event id is remembered twice"));
        }
        memory.index = (memory.ids.len() > SEARCHED).then(|| Box::new(index));
        Ok(memory)
    }
}

/// The index is derived: whether there is one says nothing about the state.
impl PartialEq for EventMemory {
    fn eq(&self, other: &Self) -> bool {
        self.ids == other.ids && self.minutes == other.minutes
    }
}

impl Eq for EventMemory {}

/// Fingerprints are hashes already.
#[derive(Debug, Clone, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
