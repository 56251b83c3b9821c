//! The world of one seed: ports, nodes, owners, people; and the loop that lets one thing happen after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::{Partitions, ShardId};
use souk_model::owner::{Input, Tag};
use souk_model::shard::SettingsLibrary;
use souk_model::time::{Millis, SECOND};

use crate::bridge::Bridges;
use crate::clients::Clients;
use crate::clock::SimClock;
use crate::damage::Damage;
use crate::faults::Chaos;
use crate::invariants::{Ledger, Violation};
use crate::journal::SimJournal;
use crate::net::{Delivery, SimNet};
use crate::node::{Incarnation, NODES, Node, OwnerId};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::rows::RowWatchers;
use crate::schedule::Schedule;
use crate::store::SimStore;
use crate::subject::Opening;
use crate::trace::{Trace, Tracing};
use crate::view::SimView;
use crate::watchers::Watchers;

/// Where virtual time begins: 2026-03-01 00:00 UTC.
pub const EPOCH: Millis = 1_772_323_200_000;
pub const PARTITIONS: Partitions = Partitions { users: 2, products: 2 };
/// How often placement looks for shards without an owner, and trouble for somebody to meet.
const PLACE_EVERY: Millis = 300;
const DISTURB_EVERY: Millis = SECOND;

/// Something to come.
#[derive(Debug)]
pub enum Happening {
    /// A reply or message reaches an owner.
    Input {
        owner: OwnerId,
        input: Input,
    },
    Wake {
        owner: OwnerId,
    },
    /// A pause is over.
    Resume {
        owner: OwnerId,
    },
    /// A read held back at the end of the log is answered empty.
    PollTimeout {
        owner: OwnerId,
        tag: Tag,
    },
    /// A record reaches its broker.
    Arrive {
        shard: ShardId,
        bytes: Vec<u8>,
        sender: Sender,
    },
    Store(StoreOp),
    Peer(Delivery),
    /// A client does its next thing, or hears of its request.
    NextRequest,
    Client {
        request: usize,
        news: ClientNews,
    },
    Bridge {
        bridge: usize,
        news: BridgeNews,
    },
    Watch {
        watcher: usize,
    },
    WatchRows {
        watcher: usize,
    },
    Damage,
    Place,
    Disturb,
}

impl Happening {
    /// Whether the journal or the store may be another one after it.
    pub fn leaves_a_trace(&self) -> bool {
        match self {
            Self::Arrive { .. } | Self::Client { news: ClientNews::Retry, .. } => true,
            Self::Store(op) => !matches!(op, StoreOp::ReadManifest { .. } | StoreOp::Load { .. }),
            _ => false,
        }
    }
}

/// Who is told of an append, if the reply is not lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Owner { owner: OwnerId, tag: Tag },
    Client { request: usize },
    Bridge { bridge: usize, offset: u64 },
    Nobody,
}

/// What a client hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientNews {
    Appended {
        shard: ShardId,
        offset: u64,
    },
    Refused,
    Unknown,
    /// Time to ask an owner for the outcome.
    Ask,
    /// Time to send again.
    Retry,
}

/// What a bridge hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeNews {
    Appended {
        offset: u64,
    },
    Failed,
    /// Time to read on.
    Step,
}

/// An operation reaches the store.
#[derive(Debug)]
pub enum StoreOp {
    ReadManifest {
        owner: OwnerId,
        tag: Tag,
        shard: ShardId,
    },
    CompareAndSet {
        shard: ShardId,
        condition: Condition,
        manifest: Box<Manifest>,
        reply: Option<(OwnerId, Tag)>,
    },
    Write {
        shard: ShardId,
        segments: Vec<Segment>,
        replicas: [bool; 3],
    },
    Load {
        owner: OwnerId,
        tag: Tag,
        shard: ShardId,
        sections: Vec<u16>,
    },
    Delete {
        shard: ShardId,
        segments: Vec<SegmentId>,
    },
}

#[derive(Debug)]
pub struct World {
    pub plan: Plan,
    pub schedule: Schedule<Happening>,
    pub chaos: Chaos,
    /// Chance of the harness itself: delays, choices nobody is to blame for.
    pub rng: Rng,
    pub trace: Trace,
    pub opening: Opening,
    pub journal: SimJournal,
    pub store: SimStore,
    pub net: SimNet,
    pub view: SimView,
    pub nodes: Vec<Node>,
    pub owners: BTreeMap<OwnerId, Incarnation>,
    /// The newest owner of each shard, while it lives; and when placement may start another.
    pub current: BTreeMap<ShardId, OwnerId>,
    pub vacant_since: BTreeMap<ShardId, Millis>,
    pub clients: Clients,
    pub bridges: Bridges,
    pub watchers: Watchers,
    pub row_watchers: RowWatchers,
    pub damage: Option<Damage>,
    pub ledger: Ledger,
    pub violation: Option<Violation>,
    pub barrier: bool,
    /// Nothing is appended any more: the journals are to be recounted.
    pub closed: bool,
    pub(crate) owners_started: u32,
}

impl World {
    pub fn new(plan: Plan, tracing: Tracing, library: Arc<SettingsLibrary>) -> Self {
        let mut rng = Rng::of(plan.seed, "world");
        let mut chaos = Chaos::new(plan.seed, plan.faults);
        let journal = SimJournal::new(PARTITIONS, &mut rng);
        let vacant_since = journal.shards().map(|shard| (shard, Millis::MIN)).collect();
        let opening = Opening { partitions: PARTITIONS, library, planted: plan.planted() };
        let mut world = Self {
            schedule: Schedule::starting_at(EPOCH),
            trace: Trace::new(tracing),
            opening,
            journal,
            store: SimStore::default(),
            net: SimNet::default(),
            view: SimView::default(),
            nodes: (0..NODES).map(|_| Node { clock: SimClock::new(&mut chaos), build: 1 }).collect(),
            chaos,
            owners: BTreeMap::new(),
            current: BTreeMap::new(),
            vacant_since,
            clients: Clients::new(&plan),
            bridges: Bridges::new(&plan),
            watchers: Watchers::new(plan.seed),
            row_watchers: RowWatchers::new(plan.seed),
            damage: Damage::planned(&plan),
            ledger: Ledger::default(),
            violation: None,
            barrier: false,
            closed: false,
            owners_started: 0,
            rng,
            plan,
        };
        world.schedule.after(0, Happening::Place);
        world.schedule.after(DISTURB_EVERY, Happening::Disturb);
        world.open_shop();
        world.open_bridges();
        world.open_watchers();
        world.open_row_watchers();
        world.plan_damage();
        world
    }

    pub fn now(&self) -> Millis {
        self.schedule.now()
    }

    /// Lets everything happen up to this time, or until an oracle objects.
    pub fn run_until(&mut self, until: Millis) {
        while self.violation.is_none() {
            let Some(happening) = self.schedule.next(until) else { return };
            let at = self.schedule.now();
            self.trace.note(at, format_args!("{happening:?}"));
            self.happen(happening);
        }
    }

    /// The first objection stands; the run ends with it.
    pub fn object(&mut self, violation: Violation) {
        self.trace.note(self.schedule.now(), format_args!("VIOLATION {violation}"));
        self.violation.get_or_insert(violation);
    }

    pub fn check(&mut self, found: Result<(), Violation>) {
        if let Err(violation) = found {
            self.object(violation);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Input { owner, input } => self.feed(owner, input),
            Happening::Wake { owner } => self.wake(owner),
            Happening::Resume { owner } => self.resume(owner),
            Happening::PollTimeout { owner, tag } => self.poll_timeout(owner, tag),
            Happening::Arrive { shard, bytes, sender } => self.arrive(shard, bytes, sender),
            Happening::Store(op) => self.store_op(op),
            Happening::Peer(delivery) => self.deliver(delivery),
            Happening::NextRequest => self.next_request(),
            Happening::Client { request, news } => self.client(request, news),
            Happening::Bridge { bridge, news } => self.bridge(bridge, news),
            Happening::Watch { watcher } => self.watch(watcher),
            Happening::WatchRows { watcher } => self.watch_rows(watcher),
            Happening::Damage => self.damage_step(),
            Happening::Place => {
                self.place();
                self.schedule.after(PLACE_EVERY, Happening::Place);
            }
            Happening::Disturb => {
                self.disturb();
                if !self.chaos.is_calm() {
                    self.schedule.after(DISTURB_EVERY, Happening::Disturb);
                }
            }
        }
    }
}
