//! Presence: where one actor was counted as a distinct user. Kept inside the actor and encoded with it.
//!
//! Per key the panes of its events as runs, bridging gaps no declared window can tell from presence. Compact: one flat vector sorted by
//! (key, pane), most actors hold a handful. Runs too old to meet a fact that still counts go when room is made or on [`Presence::prune`].

use prost::encoding::{decode_varint, encode_varint};

use super::codec::damaged;
use crate::actor::StateError;
use crate::limits::PRESENCES;
use crate::time::{Millis, SECOND};

/// Start of the record that says a key's total counted this actor.
const EVER: Millis = Millis::MIN;
/// Runs an actor holds before it is worth looking for old ones.
const FEW: usize = 16;

/// Where one actor was counted as a distinct user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    key: u64,
    /// Start of its first and of its last pane.
    first: Millis,
    last: Millis,
    /// How far high water may be ahead of `last` before no fact that counts can meet this run.
    reach: Millis,
}

/// How the runs of one metric lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Panes at most this far apart are one run: the smallest window.
    pub join: Millis,
    /// Lateness, correction time and the largest window together.
    pub keep: Millis,
}

/// What a visit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Between two panes of one run: every window that holds it knows the actor already.
    Known,
    /// The nearest panes before and after it.
    Between { before: Option<Millis>, after: Option<Millis> },
}

impl Presence {
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// See [`crate::actor::Actor::touch`].
    pub(crate) fn touch(&self) -> u64 {
        // One run a cache line: where among them the next one belongs shows only when it comes.
        self.runs.iter().step_by(64 / size_of::<Run>()).take(FEW).fold(0, |sum, run| sum ^ run.key)
    }

    /// Notes an event of the actor in a pane under a key.
    pub fn visit(&mut self, key: u64, pane: Millis, reach: Reach, high_water: Millis) -> Visit {
        let mut at = self.place(key, pane);
        let before =
            at.checked_sub(1).map(|at| self.runs[at]).filter(|run| run.key == key && run.first != EVER);
        if before.is_some_and(|run| pane <= run.last) {
            return Visit::Known;
        }
        let after = self.runs.get(at).copied().filter(|run| run.key == key);
        let joins_before = before.is_some_and(|run| pane - run.last <= reach.join);
        let joins_after = after.is_some_and(|run| run.first - pane <= reach.join);
        match (joins_before, joins_after) {
            (true, true) => {
                self.runs[at - 1].last = self.runs[at].last;
                self.runs.remove(at);
            }
            (true, false) => self.runs[at - 1].last = pane,
            (false, true) => self.runs[at].first = pane,
            (false, false) => {
                if self.make_room(high_water) {
                    at = self.place(key, pane);
                }
                self.runs.insert(at, Run { key, first: pane, last: pane, reach: reach.keep });
            }
        }
        Visit::Between { before: before.map(|run| run.last), after: after.map(|run| run.first) }
    }

    /// Whether this is the first time the actor is counted under a key at all.
    pub fn first_ever(&mut self, key: u64, time: Millis, high_water: Millis) -> bool {
        let mut at = self.place(key, EVER);
        if at > 0 && self.runs[at - 1].key == key {
            return false;
        }
        if self.make_room(high_water) {
            at = self.place(key, EVER);
        }
        let last = time.div_euclid(SECOND) * SECOND;
        self.runs.insert(at, Run { key, first: EVER, last, reach: Millis::MAX });
        true
    }

    /// Forgets runs that no fact can meet any more.
    pub fn prune(&mut self, high_water: Millis) {
        self.runs.retain(|run| run.last.saturating_add(run.reach) >= high_water);
    }

    /// Where a run of this key and start would follow. Keys are hashes, spread evenly: a key's share of them is about its place's share of
    /// the runs. From there the steps double, so that of a person's thousand runs only a few lines of memory are looked at.
    fn place(&self, key: u64, first: Millis) -> usize {
        let is_before = |at: usize| self.runs.get(at).is_some_and(|run| (run.key, run.first) <= (key, first));
        let guess = ((u128::from(key) * self.runs.len() as u128) >> 64) as usize;
        let (mut from, mut to, mut step) = (guess, guess, 1);
        if is_before(guess) {
            while is_before(to) {
                from = to + 1;
                to += step;
                step *= 2;
            }
        } else {
            while from > 0 && !is_before(from - 1) {
                to = from - 1;
                from = from.saturating_sub(step);
                step *= 2;
            }
        }
        let to = to.min(self.runs.len());
        from + self.runs[from..to].partition_point(|run| (run.key, run.first) <= (key, first))
    }

    /// Whether places moved.
    fn make_room(&mut self, high_water: Millis) -> bool {
        let before = self.runs.len();
        if before >= FEW && (before.is_power_of_two() || before >= PRESENCES) {
            self.prune(high_water);
        }
        if self.runs.len() >= PRESENCES {
            let oldest = self.runs.iter().enumerate().min_by_key(|(_, run)| (run.last, run.key, run.first));
            if let Some((oldest, _)) = oldest {
                self.runs.remove(oldest);
            }
        }
        self.runs.len() != before
    }

    /// Appends the canonical encoding: nothing for an empty one. Times count back from the newest, in seconds where that is exact.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Some(base) = self.runs.iter().map(|run| run.last).max() else { return };
        let exact = |time: Millis| time == EVER || time % SECOND == 0;
        let unit = if self.runs.iter().all(|run| exact(run.first) && exact(run.last)) { SECOND } else { 1 };
        let mut reaches: Vec<Millis> = self.runs.iter().map(|run| run.reach).collect();
        reaches.sort_unstable();
        reaches.dedup();
        out.push(u8::from(unit == SECOND));
        encode_varint(zigzag(base / unit), out);
        encode_varint(reaches.len() as u64, out);
        for reach in &reaches {
            encode_varint(*reach as u64, out);
        }
        for run in &self.runs {
            let reach = reaches.partition_point(|reach| *reach < run.reach) as u64;
            out.extend_from_slice(&run.key.to_le_bytes());
            encode_varint((reach << 1) | u64::from(run.first == EVER), out);
            encode_varint(((base - run.last) / unit) as u64, out);
            if run.first != EVER {
                encode_varint(((run.last - run.first) / unit) as u64, out);
            }
        }
    }

    /// Reads back what [`Presence::encode`] wrote.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StateError> {
        let Some((seconds, rest)) = bytes.split_first() else { return Ok(Self::default()) };
        bytes = rest;
        let unit = if *seconds == 1 { SECOND } else { 1 };
        let bytes = &mut bytes;
        let base = unzigzag(varint(bytes)?);
        let count = varint(bytes)?;
        if count > PRESENCES as u64 {
            return Err(damaged("a presence of too many reaches"));
        }
        let reaches =
            (0..count).map(|_| Ok(varint(bytes)? as Millis)).collect::<Result<Vec<_>, StateError>>()?;
        let mut runs: Vec<Run> = Vec::new();
        while !bytes.is_empty() {
            let (key, rest) =
                bytes.split_first_chunk::<8>().ok_or_else(|| damaged("a presence is cut short"))?;
            *bytes = rest;
            let key = u64::from_le_bytes(*key);
            let kind = varint(bytes)?;
            let reach =
                *reaches.get((kind >> 1) as usize).ok_or_else(|| damaged("a presence of no reach"))?;
            let last = base.wrapping_sub(varint(bytes)? as i64);
            let first = if kind & 1 == 1 { None } else { Some(last.wrapping_sub(varint(bytes)? as i64)) };
            let first = first.map_or(EVER, |first| first.wrapping_mul(unit));
            if runs.last().is_some_and(|run| (run.key, run.first) >= (key, first)) || runs.len() == PRESENCES
            {
                return Err(damaged("a presence out of order"));
            }
            runs.push(Run { key, first, last: last.wrapping_mul(unit), reach });
        }
        Ok(Self { runs })
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, StateError> {
    decode_varint(bytes).map_err(|_| damaged("a presence is cut short"))
}
