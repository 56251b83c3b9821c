//! SimStore: segments on three replicas, last write wins per cell; manifests behind one linearisable conditional register per shard.

use std::collections::{BTreeMap, BTreeSet};

use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{HEADER, Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, WriteOutcome};
use souk_model::time::{Millis, SECOND};

use crate::faults::{Chaos, Fault};

const REPLICAS: usize = 3;
const QUORUM: usize = 2;

/// One cell of one replica. Equal timestamps: a tombstone wins, then the larger bytes, as Cassandra has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    timestamp: u64,
    blob: Option<Segment>,
}

type Replica = BTreeMap<(ShardId, SegmentId), Cell>;

#[derive(Debug, Default)]
pub struct SimStore {
    replicas: [Replica; REPLICAS],
    manifests: BTreeMap<ShardId, Manifest>,
    /// Shards whose last load was answered by one replica alone: the next one is not.
    read_weakly: BTreeSet<ShardId>,
    under_way: BTreeMap<ShardId, u32>,
    unavailable_until: Millis,
    slow_until: Millis,
    full_until: Millis,
}

/// What becomes of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CasFate {
    /// When its condition is judged; never for a write that got lost.
    pub apply_after: Option<Millis>,
    /// When the owner hears of it, and whether it hears the outcome or only a timeout.
    pub reply_after: Millis,
    pub told: bool,
}

/// What becomes of a write of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteFate {
    pub apply_after: Millis,
    pub replicas: [bool; REPLICAS],
    pub reply_after: Millis,
    pub outcome: WriteOutcome,
}

/// Timestamp of a plain write: epoch first, then cut. Explicit on every write and delete.
fn timestamp(id: SegmentId) -> u64 {
    id.epoch << 32 | id.cut
}

impl SimStore {
    pub fn is_unavailable(&self, now: Millis) -> bool {
        now < self.unavailable_until
    }

    /// Delay of one operation.
    pub fn latency(&self, now: Millis, chaos: &mut Chaos) -> Millis {
        let quick = chaos.rng.between(1, 6);
        if now < self.slow_until { quick * 300 } else { quick }
    }

    pub fn disturb(&mut self, now: Millis, chaos: &mut Chaos) {
        if chaos.strikes(Fault::StoreUnavailable, 40) {
            self.unavailable_until = now + chaos.rng.between(1, 10) * SECOND;
        }
        if chaos.strikes(Fault::StoreSlow, 40) {
            self.slow_until = now + chaos.rng.between(1, 60) * SECOND;
        }
        if chaos.strikes(Fault::DiskFull, 40) {
            self.full_until = now + chaos.rng.between(1, 20) * SECOND;
        }
    }

    pub fn cas_fate(&self, now: Millis, chaos: &mut Chaos) -> CasFate {
        let latency = self.latency(now, chaos);
        let timeout = 2 * SECOND + chaos.rng.between(0, 500);
        let unknown = |apply_after| CasFate { apply_after, reply_after: timeout, told: false };
        if self.is_unavailable(now) || chaos.strikes(Fault::CasNotAppliedReplyLost, 12) {
            return unknown(None);
        }
        if chaos.strikes(Fault::CasAppliedReplyLost, 8) {
            return unknown(Some(latency));
        }
        if chaos.strikes(Fault::CasAppliedLater, 8) {
            // After the timeout, and after anything the owner or its successor did meanwhile.
            return unknown(Some(timeout + chaos.rng.between(0, 20 * SECOND)));
        }
        if chaos.strikes(Fault::CasContention, 6) {
            let apply = chaos.rng.percent(50).then_some(timeout - 1);
            return unknown(apply);
        }
        CasFate { apply_after: Some(latency), reply_after: latency, told: true }
    }

    /// The linearisation point of a conditional write.
    pub fn compare_and_set(
        &mut self,
        shard: ShardId,
        condition: Condition,
        manifest: Manifest,
    ) -> CasOutcome {
        if let Some(count) = self.under_way.get_mut(&shard) {
            *count = count.saturating_sub(1);
        }
        let current = self.manifests.get(&shard);
        if !condition.holds(current) {
            return CasOutcome::NotApplied { current: current.cloned().map(Box::new) };
        }
        self.manifests.insert(shard, manifest);
        CasOutcome::Applied
    }

    /// A serial read.
    pub fn manifest(&self, shard: ShardId) -> Option<&Manifest> {
        self.manifests.get(&shard)
    }

    pub fn write_fate(&self, now: Millis, chaos: &mut Chaos) -> WriteFate {
        let latency = self.latency(now, chaos);
        let mut fate = WriteFate {
            apply_after: latency,
            replicas: [true; REPLICAS],
            reply_after: latency,
            outcome: WriteOutcome::Written,
        };
        if self.is_unavailable(now) || now < self.full_until {
            return WriteFate { replicas: [false; REPLICAS], outcome: WriteOutcome::Unknown, ..fate };
        }
        if chaos.strikes(Fault::SegmentLostBeforeQuorum, 10) {
            fate.replicas = [false; REPLICAS];
            fate.replicas[chaos.rng.index(REPLICAS)] = true;
            return WriteFate { reply_after: 2 * SECOND, outcome: WriteOutcome::Unknown, ..fate };
        }
        if chaos.strikes(Fault::SegmentsWrittenLate, 12) {
            let apply_after = chaos.rng.between(3, 60) * SECOND;
            return WriteFate {
                apply_after,
                reply_after: 2 * SECOND,
                outcome: WriteOutcome::Unknown,
                ..fate
            };
        }
        if chaos.strikes(Fault::ReplicaMissesWrites, 4) {
            fate.replicas[chaos.rng.index(REPLICAS)] = false;
        }
        fate
    }

    pub fn write(&mut self, shard: ShardId, segments: &[Segment], replicas: [bool; REPLICAS]) {
        for (replica, _) in self.replicas.iter_mut().zip(replicas).filter(|(_, takes)| *takes) {
            for segment in segments {
                let cell = Cell { timestamp: timestamp(segment.id), blob: Some(segment.clone()) };
                put(replica, (shard, segment.id), cell);
            }
        }
    }

    pub fn delete(&mut self, shard: ShardId, segments: &[SegmentId], chaos: &mut Chaos) {
        for id in segments {
            let key = (shard, *id);
            let resurrected = chaos.strikes(Fault::SegmentResurrected, 6);
            for replica in &mut self.replicas {
                if resurrected {
                    continue;
                }
                put(replica, key, Cell { timestamp: timestamp(*id), blob: None });
            }
        }
    }

    /// Every stored segment of these sections, as a quorum answers; now and then as one replica does, that may have missed writes.
    pub fn load(&mut self, shard: ShardId, sections: &[u16], chaos: &mut Chaos) -> Vec<Segment> {
        let weakly = !self.read_weakly.remove(&shard) && chaos.strikes(Fault::StaleReplicaRead, 4);
        if weakly {
            self.read_weakly.insert(shard);
        }
        let left_out = chaos.rng.index(REPLICAS);
        let mut merged = Replica::new();
        let asked =
            self.replicas.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, replica)| replica);
        for replica in asked.take(if weakly { 1 } else { QUORUM }) {
            for section in sections {
                let first = SegmentId { section: *section, cut: 0, epoch: 0 };
                let last = SegmentId { section: *section, cut: u64::MAX, epoch: u64::MAX };
                for (key, cell) in replica.range((shard, first)..=(shard, last)) {
                    put(&mut merged, *key, cell.clone());
                }
            }
        }
        merged.into_values().filter_map(|cell| cell.blob).collect()
    }

    /// The segments of the header the committed manifest names: without them nobody can start.
    fn committed_header(&self, shard: ShardId) -> Vec<SegmentId> {
        let Some(summary) = self.manifests.get(&shard).and_then(|manifest| manifest.sections.get(&HEADER))
        else {
            return Vec::new();
        };
        let names = std::iter::once(summary.base).chain(summary.deltas.iter().copied());
        names.map(|(cut, epoch)| SegmentId { section: HEADER, cut, epoch }).collect()
    }

    /// Damages what a start of this shard needs. Returns what brings it back; `None` when there is nothing to damage yet.
    pub fn damage(&mut self, shard: ShardId, fault: Fault, chaos: &mut Chaos) -> Option<StoreBackup> {
        let id = *self.committed_header(shard).last()?;
        let key = (shard, id);
        let backup =
            StoreBackup { key, cells: std::array::from_fn(|at| self.replicas[at].get(&key).cloned()) };
        for replica in &mut self.replicas {
            match fault {
                Fault::BitFlip => {
                    if let Some(segment) = replica.get_mut(&key).and_then(|cell| cell.blob.as_mut()) {
                        let mut blob = segment.blob.to_vec();
                        let at = chaos.rng.index(blob.len());
                        if let Some(byte) = blob.get_mut(at) {
                            *byte ^= 1 << chaos.rng.below(8);
                        }
                        segment.blob = blob.into();
                    }
                }
                Fault::WrongTimestampWrite => {
                    let segment = Segment { id, base: true, blob: b"written by hand".to_vec().into() };
                    replica.insert(key, Cell { timestamp: u64::MAX, blob: Some(segment) });
                }
                _ => {
                    replica.remove(&key);
                }
            }
        }
        chaos.done(fault);
        Some(backup)
    }

    pub fn restore(&mut self, backup: StoreBackup) {
        for (replica, cell) in self.replicas.iter_mut().zip(backup.cells) {
            match cell {
                Some(cell) => replica.insert(backup.key, cell),
                None => replica.remove(&backup.key),
            };
        }
    }

    /// A conditional write is on its way: it will be judged sometime.
    pub fn cas_sent(&mut self, shard: ShardId) {
        *self.under_way.entry(shard).or_default() += 1;
    }

    /// Whether some conditional write of this shard may still be applied.
    pub fn is_cas_under_way(&self, shard: ShardId) -> bool {
        self.under_way.get(&shard).is_some_and(|count| *count > 0)
    }

    pub fn calm(&mut self) {
        self.unavailable_until = 0;
        self.slow_until = 0;
        self.full_until = 0;
    }
}

/// A cell before it was damaged.
#[derive(Debug)]
pub struct StoreBackup {
    key: (ShardId, SegmentId),
    cells: [Option<Cell>; REPLICAS],
}

fn put(replica: &mut Replica, key: (ShardId, SegmentId), cell: Cell) {
    let wins = replica.get(&key).is_none_or(|old| match cell.timestamp.cmp(&old.timestamp) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => match (&cell.blob, &old.blob) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(new), Some(old)) => new.blob > old.blob,
        },
    });
    if wins {
        replica.insert(key, cell);
    }
}
