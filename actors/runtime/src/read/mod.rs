//! Reads: lock a shard's state, copy out, say what the answer is worth.

mod actors;
mod metrics;
mod wait;

use souk_model::journal::ShardId;
use souk_model::time::Now;
use tokio::time::Instant;

use crate::Position;

pub(crate) use actors::{product, shards, user};
pub(crate) use metrics::{Asked, ask, cells_of, query};
pub(crate) use wait::reach;

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
}

impl<T> Read<T> {
    pub fn position(&self) -> Position {
        Position::at(self.shard, self.now.offset)
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        Read { value: f(self.value), shard: self.shard, now: self.now }
    }
}

/// What rendering needs beside the state it renders.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub settings: &'a souk_model::settings::Settings,
    pub now: Now,
}
