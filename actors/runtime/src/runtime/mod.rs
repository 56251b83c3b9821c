//! The runtime of one node: its shard actors, and what others may ask of them.

mod commands;
mod drain;
mod inbound;
mod settings;
mod status;

use std::sync::Arc;

use parking_lot::Mutex;
use ractor::{Actor, ActorRef};
use souk_model::journal::{Journal, Partitions, ShardId};
use souk_model::key::ActorKey;
use souk_model::output::Outcome;
use souk_model::owner::{Ends, Entries, Unavailable};
use souk_model::product::Product;
use souk_model::record;
use souk_model::series::{Answer, Query};
use souk_model::settings::Settings;
use souk_model::shard::Shard;
use souk_model::user::User;
use souk_proto::journal::v1 as journal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::far;
use crate::history;
use crate::intake::{self, EventIds, Publication, Published};
use crate::limits::{APPENDING_BYTES, RETRY_AFTER};
use crate::observe::{KeptFigures, NodeCounters, NodeStatus, PublishFigures, ShardStatus, Spread};
use crate::ports;
use crate::publish;
use crate::read::{self, Read, ReadOptions, Standing};
use crate::shard::{Start, Supervisor, World, follow_placement, tidy};
use crate::watch::{self, Subscription, Watched};
use crate::{Error, Position};

pub(crate) use status::statuses;

/// What a runtime is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of this node: `n-1`.
    pub node: String,
    /// Told apart from every other start of this node.
    pub incarnation: u64,
    /// The user's settings, laid over the built-in ones, proposed at the start where they differ from those in force.
    pub settings: String,
    /// Bytes of state the node may hold in memory.
    pub memory_budget: u64,
    /// Whether it is timed how long events take to where readers see them.
    pub timed: bool,
}

/// The outside world.
#[derive(Debug, Clone)]
pub struct Ports {
    pub journal: Arc<dyn ports::Journal>,
    pub store: Arc<dyn ports::Store>,
    pub clock: Arc<dyn ports::Clock>,
    pub placement: Arc<dyn ports::Placement>,
    pub peers: Arc<dyn ports::Peers>,
    pub views: ports::Views,
}

impl Ports {
    /// Of a node alone, which carries everything and publishes nothing.
    pub fn alone(
        journal: Arc<dyn ports::Journal>,
        store: Arc<dyn ports::Store>,
        clock: Arc<dyn ports::Clock>,
    ) -> Self {
        let placement = Arc::new(ports::Alone::new(journal.partitions()));
        let views = ports::Views::default();
        Self { journal, store, clock, placement, peers: Arc::new(ports::Nobody), views }
    }
}

/// One node's runtime. Cheap to share.
#[derive(Debug)]
pub struct Runtime {
    world: Arc<World>,
    supervisor: Mutex<Option<ActorRef<Start>>>,
    /// Bytes of appends that may be under way.
    appending: Arc<Semaphore>,
    ids: EventIds,
}

impl Runtime {
    /// Starts the shards placement gives it, and proposes the settings where they are not in force. Returns at once: shards answer when
    /// they have caught up.
    pub async fn start(config: Config, ports: Ports) -> Result<Arc<Self>, Error> {
        let settings = Settings::layered(&config.settings).map_err(Error::Settings)?;
        let world = Arc::new(World::new(config, ports, settings));
        settings::found(&world).await?;
        let (supervisor, _) = Supervisor::spawn(None, Supervisor, Arc::clone(&world))
            .await
            .map_err(|error| Error::Start(error.to_string()))?;
        tokio::spawn(follow_placement(Arc::downgrade(&world), supervisor.clone()));
        tokio::spawn(settings::propose_at_start(Arc::clone(&world)));
        tokio::spawn(tidy(Arc::downgrade(&world)));
        if world.has_peers() {
            tokio::spawn(far::scout(Arc::downgrade(&world)));
        }
        publish::start(&world);
        history::start(&world);
        Ok(Arc::new(Self {
            world,
            supervisor: Mutex::new(Some(supervisor)),
            appending: Arc::new(Semaphore::new(APPENDING_BYTES)),
            ids: EventIds::default(),
        }))
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub fn config(&self) -> &Config {
        &self.world.config
    }

    pub fn partitions(&self) -> Partitions {
        self.world.partitions
    }

    /// Settings in force, as the shard has them that took them last.
    pub fn settings(&self) -> Arc<Settings> {
        self.world.settings.load_full()
    }

    /// Appends a batch of events and answers as its level asks.
    pub async fn publish(&self, batch: Publication, deadline: Option<Instant>) -> Result<Published, Error> {
        intake::publish(self, batch, deadline).await
    }

    /// Says what intake would refuse; appends nothing.
    pub fn validate(&self, batch: Publication) -> Result<Published, Error> {
        intake::validate(self, &batch)
    }

    /// Stamps events that others append with what the catalogue says of products where they do not, as intake stamps its own.
    pub async fn stamp(&self, events: &mut [record::Event]) {
        intake::stamp(self, events).await;
    }

    /// Appends a command and answers what the fold decided, with its position.
    pub async fn command(
        &self,
        command: journal::Command,
        deadline: Option<Instant>,
    ) -> Result<(Outcome, Position), Error> {
        commands::command(self, command, deadline).await
    }

    /// Reads a user; nobody has heard of one: none.
    pub async fn user<R>(
        &self,
        key: &ActorKey,
        options: &ReadOptions,
        read: impl FnOnce(&User, Standing<'_>) -> R + Send,
    ) -> Result<Read<Option<R>>, Error> {
        read::actor(&self.world, key, options, read).await
    }

    /// Reads a product; nobody has heard of one: none.
    pub async fn product<R>(
        &self,
        key: &ActorKey,
        options: &ReadOptions,
        read: impl FnOnce(&Product, Standing<'_>) -> R + Send,
    ) -> Result<Read<Option<R>>, Error> {
        read::actor(&self.world, key, options, read).await
    }

    /// Reads something of every shard of a journal: rings, counts. Shards nobody serves are left out and named.
    pub async fn shards<R: Send>(
        &self,
        journal: Journal,
        options: &ReadOptions,
        read: impl FnMut(&Shard) -> R + Send,
    ) -> Result<(Vec<Read<R>>, Vec<ShardId>), Error> {
        read::shards(&self.world, journal, options, read).await
    }

    /// Rows of a metric, merged over the products shards that hold them.
    pub async fn query(&self, query: &Query, options: &ReadOptions) -> Result<Answer, Error> {
        read::query(&self.world, query, options).await
    }

    /// Begins to watch. Waits until the state is as new as a resumed reader has seen it.
    pub async fn watch(&self, watched: Watched, start: watch::Start) -> Result<Subscription, Error> {
        Subscription::begin(&self.world, watched, start).await
    }

    /// Shards this node carries, or is to, as they stand.
    pub fn statuses(&self) -> Vec<ShardStatus> {
        status::statuses(&self.world)
    }

    /// Every node that carries a shard, each with its own, this one first; and shards nobody answers for.
    pub async fn everywhere(&self, deadline: Option<Instant>) -> (Vec<NodeStatus>, Vec<ShardStatus>) {
        status::everywhere(&self.world, deadline).await
    }

    pub fn counters(&self) -> NodeCounters {
        status::counters(&self.world)
    }

    /// Where this node publishes to.
    pub fn views(&self) -> &ports::Views {
        &self.world.ports.views
    }

    /// What was kept as rows of the history.
    pub fn kept(&self) -> KeptFigures {
        self.world.kept.figures()
    }

    /// What was published to tables and caches.
    pub fn published(&self) -> PublishFigures {
        self.world.published.figures()
    }

    /// How long events took from intake to where readers see them.
    pub fn ingest_to_visible(&self) -> Spread {
        self.world.visible.spread()
    }

    /// Lays settings over the built-in ones and appends a Settings record to every partition; waits until all have taken it.
    /// Answers what changes, the hash, and where. `dry_run` appends nothing.
    pub async fn apply_settings(
        &self,
        toml: &str,
        dry_run: bool,
        deadline: Option<Instant>,
    ) -> Result<(Vec<String>, u64, Position), Error> {
        settings::apply(&self.world, toml, dry_run, deadline).await
    }

    /// Entries of a shard, to read the past of one actor from: at most `most_bytes` from `from` on.
    pub async fn entries(&self, shard: ShardId, from: u64, most_bytes: usize) -> Result<Entries, Error> {
        let read = self.world.ports.journal.read(shard, from, most_bytes, std::time::Duration::ZERO);
        read.await.map_err(|Unavailable| Error::JournalUnavailable)
    }

    /// Where a shard's journal begins and ends, and which one it is.
    pub async fn ends(&self, shard: ShardId) -> Result<Ends, Error> {
        let ends = self.world.ports.journal.ends(shard).await;
        ends.map_err(|Unavailable| Error::JournalUnavailable)
    }

    /// The shard an actor belongs to.
    pub fn home(&self, journal: Journal, key: &ActorKey) -> ShardId {
        self.world.home(journal, key).id
    }

    /// Tells every watcher to go, cuts every shard, and stops them. Answers whether all were done by the deadline.
    pub async fn drain(&self, deadline: Instant) -> bool {
        let supervisor = self.supervisor.lock().take();
        drain::drain(&self.world, supervisor, deadline).await
    }

    /// Room for an append of so many bytes, for as long as it is held.
    pub(crate) fn room_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.appending).try_acquire_many_owned(bytes);
        room.map_err(|_| Error::Overloaded { retry_after: RETRY_AFTER })
    }

    pub(crate) fn next_event_id(&self) -> String {
        self.ids.next(&self.world.config.node, self.world.config.incarnation)
    }
}
