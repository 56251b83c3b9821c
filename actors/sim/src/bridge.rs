//! Bridges from a foreign topic: one process per foreign partition, at least once, stamped so that the fold counts each record once.
//!
//! A bridge pipelines sends and stops at its first failed one; the next process starts after the last offset known to be durable.
//! Zombies go on sending beside it.

use std::collections::BTreeSet;

use prost::Message;
use souk_model::journal::ShardId;
use souk_model::time::SECOND;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;

use crate::faults::Fault;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::workload::Request;
use crate::world::{BridgeNews, Happening, PARTITIONS, Sender, World};

pub const SOURCE: &str = "foreign";
const PARTITIONS_OF_SOURCE: u32 = 2;
/// Sends under way.
const WINDOW: usize = 8;
const RECORDS: (i64, i64) = (10, 40);

/// One foreign partition: its records, and how far a bridge has committed.
#[derive(Debug)]
pub struct Foreign {
    pub partition: u32,
    /// Offset is place plus one.
    pub records: Vec<Request>,
    planned: usize,
    committed: u64,
}

/// One bridge process.
#[derive(Debug)]
struct Process {
    partition: usize,
    next: u64,
    stable: u64,
    acknowledged: BTreeSet<u64>,
    in_flight: usize,
    dead: bool,
}

#[derive(Debug, Default)]
pub struct Bridges {
    pub foreign: Vec<Foreign>,
    processes: Vec<Process>,
}

impl Bridges {
    pub fn new(plan: &Plan) -> Self {
        let mut rng = Rng::of(plan.seed, "bridges");
        let foreign = (0..PARTITIONS_OF_SOURCE).map(|partition| Foreign {
            partition,
            records: Vec::new(),
            planned: rng.between(RECORDS.0, RECORDS.1) as usize,
            committed: 0,
        });
        Self { foreign: foreign.collect(), processes: Vec::new() }
    }

    /// Whether every foreign record is known to be in the journal.
    pub fn is_done(&self) -> bool {
        self.foreign.iter().all(|foreign| foreign.committed as usize == foreign.records.len())
    }
}

impl World {
    pub fn open_bridges(&mut self) {
        for partition in 0..self.bridges.foreign.len() {
            self.start_bridge(partition);
        }
    }

    fn start_bridge(&mut self, partition: usize) {
        let stable = self.bridges.foreign[partition].committed;
        self.bridges.processes.push(Process {
            partition,
            next: stable + 1,
            stable,
            acknowledged: BTreeSet::new(),
            in_flight: 0,
            dead: false,
        });
        self.step_soon(self.bridges.processes.len() - 1);
    }

    fn step_soon(&mut self, bridge: usize) {
        let after = self.rng.between(20, 1_500);
        self.schedule.after(after, Happening::Bridge { bridge, news: BridgeNews::Step });
    }

    pub fn bridge(&mut self, bridge: usize, news: BridgeNews) {
        let process = &mut self.bridges.processes[bridge];
        if process.dead {
            return;
        }
        match news {
            BridgeNews::Step => {
                self.produce_foreign(bridge);
                self.bridge_one(bridge);
                self.step_soon(bridge);
            }
            BridgeNews::Appended { offset } => {
                process.in_flight = process.in_flight.saturating_sub(1);
                process.acknowledged.insert(offset);
                while process.acknowledged.remove(&(process.stable + 1)) {
                    process.stable += 1;
                }
                let foreign = &mut self.bridges.foreign[process.partition];
                foreign.committed = foreign.committed.max(process.stable);
            }
            BridgeNews::Failed => {
                process.dead = true;
                let partition = process.partition;
                self.start_bridge(partition);
            }
        }
        let partition = self.bridges.processes[bridge].partition;
        if self.chaos.strikes(Fault::BridgeZombie, 60) {
            self.start_bridge(partition);
        }
    }

    /// The foreign topic grows as it is read, so that its event times are those of now.
    fn produce_foreign(&mut self, bridge: usize) {
        let process = &self.bridges.processes[bridge];
        let (partition, next) = (process.partition, process.next as usize);
        let foreign = &self.bridges.foreign[partition];
        if next == foreign.records.len() + 1
            && foreign.records.len() < foreign.planned
            && !self.chaos.is_calm()
        {
            let shard = ShardId::users((partition % usize::from(PARTITIONS.users)) as u16);
            let now = self.now();
            let broker_time = self.journal.broker_time(shard, now);
            let request = self.clients.workload.foreign(broker_time, &mut self.chaos);
            self.bridges.foreign[partition].records.push(request);
        }
    }

    fn bridge_one(&mut self, bridge: usize) {
        let process = &mut self.bridges.processes[bridge];
        let foreign = &self.bridges.foreign[process.partition];
        let offset = process.next;
        let Some(request) = foreign.records.get(offset as usize - 1) else { return };
        if process.in_flight >= WINDOW {
            return;
        }
        process.next += 1;
        process.in_flight += 1;
        let mut record = request.record.clone();
        if let Some(Body::Event(event)) = &mut record.body {
            event.bridge = Some(journal::BridgeStamp {
                source: SOURCE.into(),
                partition: foreign.partition,
                offset,
                stable: (process.stable > 0).then_some(process.stable),
            });
        }
        let shard = ShardId::users(request.key.partition(PARTITIONS.users));
        if self.chaos.strikes(Fault::BridgeSendLost, 25) {
            self.schedule.after(2 * SECOND, Happening::Bridge { bridge, news: BridgeNews::Failed });
            return;
        }
        self.send_append(shard, record.encode_to_vec(), Sender::Bridge { bridge, offset });
    }
}
