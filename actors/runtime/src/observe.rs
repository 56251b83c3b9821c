//! What can be seen of a shard from outside, cheaply: counters the shard actor keeps beside its state.

mod durations;
mod kept;
mod published;

use souk_model::journal::ShardId;
use souk_model::record::KIND_NAMES;
pub use souk_model::shard::Counts;
use souk_model::time::Millis;

pub use durations::{Durations, Spread};
pub(crate) use kept::Kept;
pub use kept::KeptFigures;
pub use published::{PublishFigures, ReadFigures, SideFigures};
pub(crate) use published::{Published, Side};

/// One shard as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardStatus {
    pub shard: ShardId,
    /// Name of its owner: node and incarnation. Empty: none.
    pub owner: String,
    pub epoch: u64,
    pub state: ShardState,
    pub position: u64,
    /// Offset of the last record in the journal.
    pub end: u64,
    pub watermark: Option<Millis>,
    /// Age of the committed cut, by the node's clock.
    pub cut_age: Option<Millis>,
    pub actors: u64,
    /// Messages waiting for the shard actor.
    pub mailbox: u64,
    pub counts: Counts,
    pub restarts: u64,
    /// Why it does not serve, for a person.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    Serving,
    CatchingUp,
    Moving,
    Unowned,
}

/// One node, and the shards it carries.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeStatus {
    pub name: String,
    pub version: String,
    pub shards: Vec<ShardStatus>,
}

/// Counters of one node since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCounters {
    pub events_received: u64,
    /// Events appended, by their kind's place in [`KIND_NAMES`].
    pub events_ingested: [u64; KIND_NAMES.len()],
    pub events_rejected_at_intake: u64,
    pub batches_shed: u64,
    pub records_folded: u64,
    pub cuts_committed: u64,
    pub shard_restarts: u64,
    pub tally_batches: u64,
    pub watchers: u64,
    pub watch_frames: u64,
    pub watch_evaluations: u64,
    /// Times a watcher was told that it missed changes.
    pub watch_lagged: u64,
    pub peer_messages_dropped: u64,
}
