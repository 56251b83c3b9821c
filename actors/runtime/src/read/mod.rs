//! Reads: lock a shard's state, copy out, say what the answer is worth.

mod actors;
pub(crate) mod cut;
pub(crate) mod group;
mod hunt;
mod kept;
mod metrics;
mod wait;

use std::sync::Arc;

use souk_model::journal::ShardId;
use souk_model::origin::Origin;
use souk_model::time::Now;
use tokio::time::Instant;

use crate::Position;
use crate::limits::STALE_AFTER;
use crate::shard::Cell;

pub(crate) use actors::{Kept, actor, here, shard, shards};
pub(crate) use hunt::Hunt;
pub(crate) use metrics::{cells_of, heard, query};
pub(crate) use wait::{ready, said_here};

/// How fresh an answer must be.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Wait until this has been applied.
    pub min_position: Position,
    pub freshness: Freshness,
    /// When waiting ends with [`crate::Error::PositionNotReached`] or [`crate::Error::ShardMoving`]; none: as long as it takes.
    pub deadline: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Whoever can answer.
    #[default]
    Any,
    /// A live owner.
    Owner,
    /// A live owner that caught up with the journal's end as it was when the call came in.
    Latest,
}

impl ReadOptions {
    /// Where a shard must stand.
    pub(crate) fn position_of(&self, shard: ShardId) -> u64 {
        self.min_position.0.get(&shard).copied().unwrap_or_default()
    }

    /// Whether the last cut may answer. It is older than any position a caller can have been told.
    pub(crate) fn may_be_stale(&self) -> bool {
        self.freshness == Freshness::Any && self.min_position.is_empty()
    }

    /// The same, waiting for the owners of these no longer than something old is better than nothing.
    pub(crate) fn for_owner(&self, cells: &[Arc<Cell>]) -> Self {
        let mut options = self.clone();
        if self.may_be_stale() {
            let missing = cells.iter().map(|cell| cell.whereabouts.missing_since() + STALE_AFTER);
            options.deadline = missing.chain(self.deadline).min();
        }
        options
    }

    /// Whether an answer may have to be waited for though somebody could give one.
    fn waits(&self) -> bool {
        !self.min_position.is_empty() || self.freshness == Freshness::Latest
    }
}

/// An answer of one shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<T> {
    pub value: T,
    pub shard: ShardId,
    /// Where the shard stood; `now.offset` is its position.
    pub now: Now,
    pub origin: Origin,
}

impl<T> Read<T> {
    pub fn position(&self) -> Position {
        Position::at(self.shard, self.now.offset)
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        Read { value: f(self.value), shard: self.shard, now: self.now, origin: self.origin }
    }
}

/// What rendering needs beside the state it renders.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub settings: &'a souk_model::settings::Settings,
    pub now: Now,
}
