//! Placement: which shards this node should carry. A hint: the manifest's epoch decides who may write, so two nodes that are told the same
//! shard do no harm. What is told late costs time only.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use souk_model::journal::{Partitions, ShardId};
use tokio::sync::watch;

pub trait Placement: Send + Sync + Debug {
    /// The shards, now and whenever they change. Ends with the placement: the last ones stay.
    fn shards(&self) -> watch::Receiver<Arc<BTreeSet<ShardId>>>;
}

/// Of a node alone: all shards are its own.
#[derive(Debug)]
pub struct Alone(watch::Sender<Arc<BTreeSet<ShardId>>>);

impl Alone {
    pub fn new(partitions: Partitions) -> Self {
        Self(watch::Sender::new(Arc::new(partitions.shards().collect())))
    }
}

impl Placement for Alone {
    fn shards(&self) -> watch::Receiver<Arc<BTreeSet<ShardId>>> {
        self.0.subscribe()
    }
}
