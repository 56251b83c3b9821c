//! A log on a simulated disk, and what its callers were told: nothing of that may ever turn out wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use souk_model::journal::{Entry, Partitions, ShardId};
use souk_model::time::Millis;
use souk_runtime::ports::{Appended, Clock, NewRecord};

use super::disk::SimDisk;
use super::rng::Rng;
use crate::blocks;
use crate::open::{Opened, open};
use crate::request::Request;
use crate::visible::Found;
use crate::{Check, Durability, Error, OnFatal, Options, Retention};

pub(super) const PARTITIONS: Partitions = Partitions { users: 2, products: 1 };
pub(super) const SHARDS: [ShardId; 3] = [ShardId::users(0), ShardId::users(1), ShardId::products(0)];

#[derive(Debug, Default)]
pub(super) struct Wander(AtomicI64);

impl Clock for Wander {
    fn now(&self) -> Millis {
        // Steps back now and then.
        let tick = self.0.fetch_add(1, Ordering::Relaxed);
        1_700_000_000_000 + tick * 10 - (tick % 7) * 40
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) durability: Durability,
    pub(super) segment_bytes: u64,
    pub(super) tail_bytes: usize,
    pub(super) retention: Retention,
    pub(super) check: Check,
}

impl Shape {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let hour = Duration::from_secs(3_600);
        Self {
            durability: if rng.one_in(3) { Durability::Interval(hour) } else { Durability::Fsync },
            segment_bytes: 1_024 << rng.below(4),
            tail_bytes: [0, 2_000, 1 << 20][rng.below(3) as usize],
            retention: Retention { keep: hour, most_bytes: [0, 4_000, 1 << 30][rng.below(3) as usize] },
            check: if rng.one_in(2) { Check::Newest } else { Check::Everything },
        }
    }
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) disk: SimDisk,
    pub(super) shape: Shape,
    pub(super) opened: Option<Opened>,
    clock: Arc<Wander>,
    fatal_calls: Arc<AtomicU64>,
    incarnation: u64,
    next_record: u64,
    /// Records of the newest frame.
    pub(super) newest_frame: usize,
    /// What callers were told, by shard and offset; and what of it must survive a power loss.
    pub(super) told: BTreeMap<(ShardId, u64), Bytes>,
    firm: BTreeSet<(ShardId, u64)>,
    /// Records of which nobody knows whether they are in the log, and those that must not be.
    unknown: BTreeSet<Bytes>,
    never: BTreeSet<Bytes>,
    released: BTreeMap<ShardId, u64>,
}

impl World {
    pub(super) fn new(seed: u64, shape: impl FnOnce(&mut Rng) -> Shape) -> Self {
        let mut rng = Rng::new(seed);
        let shape = shape(&mut rng);
        Self {
            disk: SimDisk::new(rng.draw()),
            rng,
            shape,
            opened: None,
            clock: Arc::default(),
            fatal_calls: Arc::default(),
            incarnation: 0,
            next_record: 0,
            newest_frame: 0,
            told: BTreeMap::new(),
            firm: BTreeSet::new(),
            unknown: BTreeSet::new(),
            never: BTreeSet::new(),
            released: BTreeMap::new(),
        }
    }

    pub(super) fn open(&mut self) -> Result<(), Error> {
        self.fatal_calls = Arc::default();
        let calls = Arc::clone(&self.fatal_calls);
        let on_fatal = OnFatal::new(move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        let Shape { durability, segment_bytes, tail_bytes, retention, check } = self.shape;
        let options = Options {
            durability,
            segment_bytes,
            tail_bytes,
            retention,
            check,
            ..Options::new("/journal", PARTITIONS, 0xfeed, on_fatal)
        };
        let clock = Arc::clone(&self.clock);
        let opened = open(Arc::new(self.disk.clone()), options, clock)?;
        assert!(opened.meta.incarnation > self.incarnation, "every start has a higher incarnation");
        self.incarnation = opened.meta.incarnation;
        self.opened = Some(opened);
        Ok(())
    }

    pub(super) fn opened(&mut self) -> &mut Opened {
        self.opened.as_mut().expect("the log is open")
    }

    /// Some callers append something, at once.
    pub(super) fn append(&mut self) {
        let mut queue = VecDeque::new();
        let mut callers = Vec::new();
        for _ in 0..=self.rng.below(4) {
            let records: Vec<_> = (0..=self.rng.below(6)).map(|_| self.record()).collect();
            let (request, answered) = Request::new(records.clone(), None, None);
            queue.push_back(request);
            callers.push((records, answered));
        }
        let log = &mut self.opened.as_mut().expect("the log is open").log;
        // Small enough for one frame.
        log.commit(&mut queue);
        self.newest_frame = callers.iter().map(|(records, _)| records.len()).sum();
        for (records, mut answered) in callers {
            let outcomes = answered.try_recv().expect("everyone is answered");
            assert_eq!(outcomes.len(), records.len());
            records.into_iter().zip(outcomes).for_each(|(record, outcome)| self.note(record, outcome));
        }
        if self.shape.durability == Durability::Fsync {
            self.firm();
        }
    }

    /// One record, which nobody keeps account of.
    pub(super) fn append_one(&mut self, shard: ShardId, bytes: [u8; 32]) {
        let record = NewRecord { shard, bytes: Bytes::copy_from_slice(&bytes) };
        let (request, mut answered) = Request::new(vec![record], None, None);
        self.opened().log.commit(&mut VecDeque::from([request]));
        let outcomes = answered.try_recv().expect("it is answered");
        assert!(matches!(outcomes[..], [Appended::At { .. }]));
    }

    fn record(&mut self) -> NewRecord {
        self.next_record += 1;
        let mut bytes = self.next_record.to_le_bytes().to_vec();
        let longest = if self.rng.one_in(10) { 700 } else { 60 };
        let length = bytes.len() + self.rng.below(longest) as usize;
        // Among them what looks like a frame.
        bytes.resize(length, b'S');
        NewRecord { shard: SHARDS[self.rng.below(3) as usize], bytes: bytes.into() }
    }

    fn note(&mut self, record: NewRecord, outcome: Appended) {
        let fresh = match outcome {
            Appended::At { offset, .. } => self.told.insert((record.shard, offset), record.bytes).is_none(),
            Appended::Refused(_) => self.never.insert(record.bytes),
            Appended::Unknown => self.unknown.insert(record.bytes),
        };
        assert!(fresh, "no two records have one place");
        assert_eq!(self.fatal_calls(), u64::from(self.has_failed()), "the node is told once");
    }

    pub(super) fn fatal_calls(&self) -> u64 {
        self.fatal_calls.load(Ordering::Relaxed)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.opened.as_ref().is_none_or(|opened| opened.log.has_failed())
    }

    /// What was told so far survives anything.
    fn firm(&mut self) {
        self.firm = self.told.keys().copied().collect();
    }

    pub(super) fn sync(&mut self) {
        self.opened().log.sync_now();
        if !self.has_failed() {
            self.firm();
        }
    }

    /// The cut of a shard holds what it has read, more or less.
    pub(super) fn release(&mut self) {
        let shard = SHARDS[self.rng.below(3) as usize];
        let end = self.end(shard);
        let upto = end - self.rng.below(5).min(end);
        let released = self.released.entry(shard).or_default();
        *released = upto.max(*released);
        let partition = self.partition(shard);
        self.opened().visible.release(partition, upto);
        self.opened().log.retain();
    }

    pub(super) fn partition(&mut self, shard: ShardId) -> usize {
        self.opened().meta.layout.number(shard).expect("one of the shards")
    }

    pub(super) fn end(&mut self, shard: ShardId) -> u64 {
        let partition = self.partition(shard);
        self.opened().visible.end(partition)
    }

    /// As a reader does it, without waiting.
    pub(super) fn read(
        &mut self,
        shard: ShardId,
        from: u64,
        most_bytes: usize,
    ) -> Result<Vec<Entry>, String> {
        let partition = self.partition(shard);
        let opened = self.opened();
        match opened.visible.find(partition, from, most_bytes).ok_or("not found")? {
            Found::InMemory(entries) => Ok(entries),
            Found::OnDisk(segment, block) => {
                let bytes = blocks::load(&*opened.visible.disk, &segment, &block)
                    .map_err(|error| error.to_string())?;
                blocks::entries(opened.meta.topic_id, &bytes, partition, from, most_bytes)
                    .map_err(|(_, flaw)| flaw.to_string())
            }
        }
    }

    /// One read somewhere gives what was told.
    pub(super) fn read_somewhere(&mut self) {
        let shard = SHARDS[self.rng.below(3) as usize];
        let partition = self.partition(shard);
        let (start, end) = (self.opened().visible.start(partition), self.end(shard));
        if start > end {
            return;
        }
        let from = start + self.rng.below(end - start + 1);
        let most_bytes = self.rng.below(2_000) as usize;
        match self.read(shard, from, most_bytes) {
            Ok(entries) => {
                assert!(!entries.is_empty());
                for (entry, offset) in entries.iter().zip(from..) {
                    assert_eq!(entry.offset, offset);
                    assert_eq!(self.told.get(&(shard, offset)), Some(&entry.bytes), "{shard} {offset}");
                }
            }
            Err(error) => assert!(error.contains("machine"), "{shard} {from}: {error}"),
        }
    }

    /// The log was opened again: everything told must be there, and nothing that must not. What is there is certain from now on.
    pub(super) fn check(&mut self, lost_power: bool) {
        for shard in SHARDS {
            let partition = self.partition(shard);
            let (start, end) = (self.opened().visible.start(partition), self.end(shard));
            let released = self.released.get(&shard).copied().unwrap_or_default();
            assert!(start <= released + 1, "{shard} starts at {start}, released up to {released}");
            let mut found = BTreeMap::new();
            let (mut next, mut append_time) = (start, Millis::MIN);
            while next <= end {
                for entry in self.read(shard, next, 1_000).expect("it reads") {
                    assert_eq!(entry.offset, next, "{shard}: dense");
                    assert!(entry.append_time >= append_time, "{shard}: append times never go back");
                    append_time = entry.append_time;
                    found.insert(next, entry.bytes);
                    next += 1;
                }
            }
            self.compare(shard, start, end, lost_power, found);
        }
        // What is not there now never will be.
        self.never.append(&mut self.unknown);
        self.firm();
    }

    fn compare(
        &mut self,
        shard: ShardId,
        start: u64,
        end: u64,
        lost_power: bool,
        found: BTreeMap<u64, Bytes>,
    ) {
        let told: Vec<_> =
            self.told.range((shard, 0)..=(shard, u64::MAX)).map(|((_, offset), _)| *offset).collect();
        for offset in told.into_iter().filter(|offset| *offset > end) {
            let bytes = self.told.remove(&(shard, offset)).expect("just listed");
            let was_firm = self.firm.contains(&(shard, offset));
            assert!(lost_power && !was_firm, "{shard} {offset} was told and is gone");
            self.never.insert(bytes);
        }
        for (offset, bytes) in found {
            assert!(offset >= start && !self.never.contains(&bytes), "{shard} {offset} must not be there");
            let unknown = self.unknown.remove(&bytes);
            match self.told.insert((shard, offset), bytes.clone()) {
                Some(told) => assert_eq!(told, bytes, "{shard} {offset} changed"),
                None => assert!(unknown, "{shard} {offset} came from nowhere"),
            }
        }
    }
}
