//! Nodes and the owners they carry: which build, which clock, who is paused, what is still to be done.

use std::collections::VecDeque;

use souk_model::journal::ShardId;
use souk_model::owner::{Effect, Fold, Input, Owner, Tag};
use souk_model::shard::Shard;
use souk_model::time::Millis;

use crate::clock::SimClock;

pub const NODES: usize = 3;

/// Names one owner for the whole run; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(pub u32);

#[derive(Debug)]
pub struct Node {
    pub clock: SimClock,
    /// The newest fold version its binary knows.
    pub build: u32,
}

/// What a paused owner finds when it goes on.
#[derive(Debug)]
pub enum Work {
    Input(Input),
    Effect(Effect),
}

/// A read held back at the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parked {
    pub tag: Tag,
    pub from: u64,
}

/// A wake-up: when the timer rings, and what the node's clock must then show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakeup {
    pub due: Millis,
    pub at: Millis,
}

/// One owner of a shard, from its start to its death.
#[derive(Debug)]
pub struct Incarnation {
    pub shard: ShardId,
    pub node: usize,
    pub build: u32,
    pub owner: Owner<Shard>,
    pub paused_until: Millis,
    pub backlog: VecDeque<Work>,
    pub parked: Option<Parked>,
    /// The earliest wake-up planned and not come yet.
    pub wake: Option<Wakeup>,
    /// End of the log when its takeover looked: nothing up to here may be told to anybody.
    pub replay_end: Option<u64>,
    /// Position whose digest was compared last.
    pub digested: u64,
    /// Requests without a reply yet.
    pub in_flight: usize,
}

impl Incarnation {
    pub fn new(shard: ShardId, node: usize, build: u32, owner: Owner<Shard>) -> Self {
        Self {
            shard,
            node,
            build,
            owner,
            paused_until: Millis::MIN,
            backlog: VecDeque::new(),
            parked: None,
            wake: None,
            replay_end: None,
            digested: 0,
            in_flight: 0,
        }
    }

    pub fn position(&self) -> u64 {
        self.owner.fold().position()
    }

    /// Paused: its world stands still.
    pub fn is_paused(&self, now: Millis) -> bool {
        now < self.paused_until
    }

    /// Whether it answers questions now: caught up once, and running.
    pub fn answers(&self, now: Millis) -> bool {
        !self.is_paused(now) && self.owner.is_live()
    }
}
