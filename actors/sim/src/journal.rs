//! SimJournal: both journals' partitions with brokers whose replies get lost, whose clocks lie, and whose logs can be damaged.

use std::collections::BTreeMap;

use souk_model::journal::{Entry, Journal, Partitions, ShardId};
use souk_model::owner::{Ends, Entries};
use souk_model::time::{HOUR, MINUTE, Millis, SECOND};

use crate::faults::{Chaos, Fault};
use crate::invariants::digests::EVERY;
use crate::rng::Rng;

/// Entries one read may return.
const READ_AT_MOST: usize = 64;
/// A stall or an unavailable partition lasts at most this long.
const OUTAGE: Millis = 8 * SECOND;

/// What becomes of one append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendFate {
    /// Delays after which the record reaches the broker: none when refused, two when a producer sends twice.
    pub arrivals: Vec<Millis>,
    pub reply: AppendReply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendReply {
    /// With the first arrival.
    Told,
    /// The producer gives up after this long, knowing nothing.
    LostAfter(Millis),
    RefusedAfter(Millis),
}

/// Damage to a log that no owner may serve over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogDamage {
    /// Retention took the head up to here, this one included.
    HeadLost(u64),
    /// The log ends here.
    TailLost(u64),
    /// Same name, another topic, nothing in it.
    Recreated,
}

#[derive(Debug)]
struct Log {
    topic_id: u64,
    /// Everything ever appended; retention and damage only hide.
    entries: Vec<Entry>,
    start: u64,
    damage: Option<LogDamage>,
    unavailable_until: Millis,
    clock: BrokerClock,
}

/// A broker's idea of time.
#[derive(Debug, Default)]
struct BrokerClock {
    skew: Millis,
    frozen: Option<(Millis, Millis)>,
}

impl BrokerClock {
    fn read(&mut self, now: Millis) -> Millis {
        match self.frozen {
            Some((until, value)) if now < until => value,
            _ => {
                self.frozen = None;
                now + self.skew
            }
        }
    }

    fn disturb(&mut self, now: Millis, chaos: &mut Chaos) {
        if chaos.strikes(Fault::BrokerClockJumps, 400) {
            self.skew = [HOUR + 2 * MINUTE, -HOUR, 0][chaos.rng.index(3)];
        }
        if chaos.strikes(Fault::BrokerClockStepsBack, 150) {
            self.skew -= chaos.rng.between(1, 20 * SECOND);
        }
        if chaos.strikes(Fault::BrokerClockFrozen, 300) {
            self.frozen = Some((now + chaos.rng.between(1, 30) * SECOND, now + self.skew));
        }
    }
}

#[derive(Debug)]
pub struct SimJournal {
    partitions: Partitions,
    logs: BTreeMap<ShardId, Log>,
}

impl SimJournal {
    pub fn new(partitions: Partitions, rng: &mut Rng) -> Self {
        let users = (0..partitions.users).map(ShardId::users);
        let logs = users.chain((0..partitions.products).map(ShardId::products)).map(|shard| {
            let log = Log {
                topic_id: rng.draw() | 1,
                entries: Vec::new(),
                start: 1,
                damage: None,
                unavailable_until: 0,
                clock: BrokerClock::default(),
            };
            (shard, log)
        });
        Self { partitions, logs: logs.collect() }
    }

    pub fn shards(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.logs.keys().copied()
    }

    pub fn partitions_of(&self, journal: Journal) -> u16 {
        match journal {
            Journal::Users => self.partitions.users,
            Journal::Products => self.partitions.products,
        }
    }

    /// What a producer's append will meet.
    pub fn fate(&self, shard: ShardId, now: Millis, chaos: &mut Chaos) -> AppendFate {
        let latency = chaos.rng.between(1, 8);
        let told = |arrivals| AppendFate { arrivals, reply: AppendReply::Told };
        if self.is_unavailable(shard, now) || chaos.strikes(Fault::AppendRefused, 60) {
            return AppendFate { arrivals: Vec::new(), reply: AppendReply::RefusedAfter(latency) };
        }
        if chaos.strikes(Fault::AppendReplyLost, 25) {
            return AppendFate { arrivals: vec![latency], reply: AppendReply::LostAfter(2 * SECOND) };
        }
        if chaos.strikes(Fault::AppendDelayed, 50) {
            let delay = chaos.rng.between(3, 60) * SECOND;
            return AppendFate { arrivals: vec![delay], reply: AppendReply::LostAfter(2 * SECOND) };
        }
        if chaos.strikes(Fault::AppendDuplicated, 30) {
            return told(vec![latency, latency + chaos.rng.between(0, 5 * SECOND)]);
        }
        if chaos.strikes(Fault::AppendsReordered, 8) {
            return told(vec![latency + chaos.rng.between(0, 800)]);
        }
        told(vec![latency])
    }

    /// The record reaches the broker. `None` when the partition takes nothing now.
    pub fn append(&mut self, shard: ShardId, now: Millis, bytes: Vec<u8>, chaos: &mut Chaos) -> Option<u64> {
        let log = self.logs.get_mut(&shard)?;
        if log.damage.is_some() {
            return None;
        }
        log.clock.disturb(now, chaos);
        let offset = log.entries.len() as u64 + 1;
        let append_time = log.clock.read(now);
        log.entries.push(Entry::new(offset, append_time, bytes.into()));
        Some(offset)
    }

    pub fn is_unavailable(&self, shard: ShardId, now: Millis) -> bool {
        self.logs.get(&shard).is_none_or(|log| log.damage.is_some() || now < log.unavailable_until)
    }

    /// Makes the partition unreachable for a while.
    pub fn cut_off(&mut self, shard: ShardId, now: Millis, rng: &mut Rng) {
        if let Some(log) = self.logs.get_mut(&shard) {
            log.unavailable_until = now + rng.between(1, OUTAGE);
        }
    }

    pub fn ends(&self, shard: ShardId) -> Option<Ends> {
        let log = self.logs.get(&shard)?;
        let (start, end) = log.bounds();
        let topic_id = if log.damage == Some(LogDamage::Recreated) { log.topic_id ^ 2 } else { log.topic_id };
        Some(Ends { topic_id, partitions: self.partitions_of(shard.journal), start, end, origin: None })
    }

    /// Entries from `from` on; batches end where digests are compared now and then.
    pub fn read(&self, shard: ShardId, from: u64, rng: &mut Rng) -> Option<Entries> {
        let log = self.logs.get(&shard)?;
        let (start, end) = log.bounds();
        let from = from.max(start);
        let mut last = end.min((from - 1).saturating_add(rng.between(1, READ_AT_MOST as i64) as u64));
        let comparable = last / EVERY * EVERY;
        if comparable >= from {
            last = comparable;
        }
        let entries = if from <= last {
            log.entries.get(from as usize - 1..last as usize).map(<[Entry]>::to_vec).unwrap_or_default()
        } else {
            Vec::new()
        };
        Some(Entries { entries, end })
    }

    /// Everything ever appended, for the oracles.
    pub fn whole(&self, shard: ShardId) -> &[Entry] {
        self.logs.get(&shard).map_or(&[], |log| &log.entries)
    }

    /// Append time a record of this partition would get now.
    pub fn broker_time(&mut self, shard: ShardId, now: Millis) -> Millis {
        self.logs.get_mut(&shard).map_or(now, |log| log.clock.read(now))
    }

    /// Retention takes the head, never above `upto`.
    pub fn retain_after(&mut self, shard: ShardId, upto: u64) {
        if let Some(log) = self.logs.get_mut(&shard) {
            log.start = log.start.max(upto + 1);
        }
    }

    pub fn damage(&mut self, shard: ShardId, damage: Option<LogDamage>) {
        if let Some(log) = self.logs.get_mut(&shard) {
            log.damage = damage;
        }
    }

    /// Brokers come right: the tail. Their clocks go on from the latest time they ever gave, or deadlines would wait for hours.
    pub fn calm(&mut self, now: Millis) {
        for log in self.logs.values_mut() {
            log.unavailable_until = 0;
            let latest = log.entries.iter().map(|entry| entry.append_time).max().unwrap_or(now);
            log.clock = BrokerClock { skew: (latest - now).max(0), frozen: None };
        }
    }
}

impl Log {
    /// First retained and last offset, as damage shows them.
    fn bounds(&self) -> (u64, u64) {
        let end = self.entries.len() as u64;
        match self.damage {
            None => (self.start, end),
            Some(LogDamage::HeadLost(upto)) => (self.start.max(upto + 1), end),
            Some(LogDamage::TailLost(last)) => (self.start, end.min(last)),
            Some(LogDamage::Recreated) => (1, 0),
        }
    }
}
