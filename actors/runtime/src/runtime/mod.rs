//! The runtime of one node: its shard actors, and what others may ask of them.

use std::sync::Arc;

use souk_model::journal::{Journal, Partitions, ShardId};
use souk_model::key::ActorKey;
use souk_model::output::Outcome;
use souk_model::product::Product;
use souk_model::series::{Answer, Query};
use souk_model::settings::Settings;
use souk_model::shard::Shard;
use souk_model::user::User;
use souk_proto::journal::v1 as journal;
use tokio::time::Instant;

use crate::intake::{Publication, Published};
use crate::observe::{NodeCounters, ShardStatus};
use crate::ports;
use crate::read::{Read, ReadOptions, Standing};
use crate::watch::{Start, Updates, Watched};
use crate::{Error, Position};

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
}

/// The outside world.
#[derive(Debug, Clone)]
pub struct Ports {
    pub journal: Arc<dyn ports::Journal>,
    pub store: Arc<dyn ports::Store>,
    pub clock: Arc<dyn ports::Clock>,
}

/// One node's runtime. Cheap to share.
#[derive(Debug)]
pub struct Runtime {
    config: Config,
    ports: Ports,
}

impl Runtime {
    /// Starts every shard. Returns at once: shards answer when they have caught up.
    pub async fn start(config: Config, ports: Ports) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self { config, ports }))
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn partitions(&self) -> Partitions {
        self.ports.journal.partitions()
    }

    /// Settings in force, as the first shard has them.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::new(Settings::builtin())
    }

    /// Appends a batch of events and answers as its level asks.
    pub async fn publish(&self, _batch: Publication, _deadline: Option<Instant>) -> Result<Published, Error> {
        Err(Error::Draining)
    }

    /// Says what intake would refuse; appends nothing.
    pub fn validate(&self, _batch: Publication) -> Result<Published, Error> {
        Err(Error::Draining)
    }

    /// Appends a command and answers what the fold decided, with its position.
    pub async fn command(
        &self,
        _command: journal::Command,
        _deadline: Option<Instant>,
    ) -> Result<(Outcome, Position), Error> {
        Err(Error::Draining)
    }

    /// Reads a user; nobody has heard of one: none.
    pub async fn user<R>(
        &self,
        _key: &ActorKey,
        _options: &ReadOptions,
        _read: impl FnOnce(&User, Standing<'_>) -> R + Send,
    ) -> Result<Read<Option<R>>, Error> {
        Err(Error::Draining)
    }

    /// Reads a product; nobody has heard of one: none.
    pub async fn product<R>(
        &self,
        _key: &ActorKey,
        _options: &ReadOptions,
        _read: impl FnOnce(&Product, Standing<'_>) -> R + Send,
    ) -> Result<Read<Option<R>>, Error> {
        Err(Error::Draining)
    }

    /// Reads something of every shard of a journal: rings, counts. Shards nobody serves are left out and named.
    pub async fn shards<R>(
        &self,
        _journal: Journal,
        _options: &ReadOptions,
        _read: impl FnMut(&Shard) -> R + Send,
    ) -> Result<(Vec<Read<R>>, Vec<ShardId>), Error> {
        Err(Error::Draining)
    }

    /// Rows of a metric, merged over the products shards that hold them.
    pub async fn query(&self, _query: &Query, _options: &ReadOptions) -> Result<Answer, Error> {
        Err(Error::Draining)
    }

    /// Begins to watch. Waits until the state is as new as a resumed reader has seen it.
    pub async fn watch(&self, _watched: Watched, _start: Start) -> Result<Subscription, Error> {
        Err(Error::Draining)
    }

    /// Every shard as it stands.
    pub fn statuses(&self) -> Vec<ShardStatus> {
        Vec::new()
    }

    pub fn counters(&self) -> NodeCounters {
        NodeCounters::default()
    }

    /// Lays settings over the built-in ones and appends a Settings record to every partition; waits until all have taken it.
    /// Answers what changes, the hash, and where. `dry_run` appends nothing.
    pub async fn apply_settings(
        &self,
        _toml: &str,
        _dry_run: bool,
        _deadline: Option<Instant>,
    ) -> Result<(Vec<String>, u64, Position), Error> {
        Err(Error::Draining)
    }

    /// Entries of a shard, to read the past of one actor from: at most `most_bytes` from `from` on.
    pub async fn entries(
        &self,
        _shard: ShardId,
        _from: u64,
        _most_bytes: usize,
    ) -> Result<souk_model::owner::Entries, Error> {
        Err(Error::Draining)
    }

    /// Tells every watcher to go, cuts every shard, and stops them. Answers whether all were done by the deadline.
    pub async fn drain(&self, _deadline: Instant) -> bool {
        true
    }
}

/// One watching reader. Dropping it ends its interest.
#[derive(Debug)]
pub struct Subscription {}

impl Subscription {
    /// What is new: waits until something is. After [`crate::watch::Update::GoAway`] there is nothing more.
    pub async fn next(&mut self) -> Updates {
        std::future::pending().await
    }

    /// Where the reader stands, for a bookmark.
    pub fn standing(&self) -> crate::watch::WatchStanding {
        crate::watch::WatchStanding::default()
    }
}
