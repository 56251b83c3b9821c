//! The watch hub: interest is soft state; a changed row is encoded once for all who watch it; a slow reader has one pending slot per
//! row and gets the newest.

mod hub;
mod markers;
mod rows;
mod subscription;
mod topic;

use bytes::Bytes;
use souk_model::journal::ShardId;
use souk_model::key::ActorKey;
use souk_model::series::{AnswerInfo, Query};
use souk_model::time::Millis;

pub(crate) use hub::Hub;
pub(crate) use markers::Concern;
pub use subscription::Subscription;
pub(crate) use topic::{Subject, Topic};

/// What one stream watches.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// Rows of these queries, at most [`crate::limits::QUERIES_PER_WATCH`].
    Metrics(Vec<Query>),
    /// Session, cart and orders of a user.
    User(ActorKey),
}

/// What a reader gets next.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// A row as it is or has become. `body` is the part of the response message that holds the row, encoded once.
    Row { query: usize, body: Bytes, snapshot: bool },
    /// The row is gone; `body` names it.
    Gone { query: usize, body: Bytes },
    /// The snapshot is whole.
    SnapshotEnd,
    /// Changes merged away since the last update of a slow reader.
    Lagged { skipped: u64 },
    /// The node drains: the last update.
    GoAway,
}

/// Updates that belong together, and where the reader stands after them.
#[derive(Debug, Clone, PartialEq)]
pub struct Updates {
    pub updates: Vec<Update>,
    pub standing: WatchStanding,
}

/// Where a reader stands: what its resume token holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WatchStanding {
    /// Per watched query (one for a user): the revision the reader has seen.
    pub revisions: Vec<u64>,
    /// What the newest answer to each query is worth; none where there was none, and for a user.
    pub infos: Vec<Option<AnswerInfo>>,
    /// For a user: position of its shard.
    pub position: Option<(ShardId, u64)>,
    pub as_of: Option<Millis>,
}

/// How a reader starts.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Start {
    /// Everything that is, then changes.
    #[default]
    Snapshot,
    /// Changes only.
    Now,
    /// As a token says: never older than these revisions, one per watched query.
    Resume(Vec<u64>),
}
