//! The port `Placement` by Kafka's consumer group.
//!
//! Nodes are members of one group that reads one topic, whose partitions stand for shards and hold nothing. Kafka spreads them evenly and
//! notices who is gone. A change's way: `group` is the thread that polls → `member` hears what the group gives and takes, and publishes
//! it; the runtime carries on what is taken until its next owner serves. `prepare` makes the topic.

mod group;
mod member;
mod options;
mod prepare;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use souk_model::journal::ShardId;
use souk_runtime::ports::Placement;
use tokio::sync::watch;
use tokio::time::timeout;

pub use self::options::PlacementOptions;
pub use self::prepare::prepare;

use crate::Error;
use crate::limits::LEAVE;

/// A node's membership of the group, until it is dropped.
#[derive(Debug)]
pub struct GroupPlacement {
    shards: watch::Receiver<Arc<BTreeSet<ShardId>>>,
    leaving: Arc<AtomicBool>,
    /// Its sender ends with the thread.
    running: watch::Receiver<()>,
}

impl GroupPlacement {
    /// Joins. The first shards come a moment later.
    pub async fn start(options: PlacementOptions) -> Result<Self, Error> {
        options.check()?;
        let (shards, reader) = watch::channel(Arc::default());
        let (runs, running) = watch::channel(());
        let leaving = Arc::new(AtomicBool::new(false));
        let consumer = group::join(&options, shards).await?;
        let left = leaving.clone();
        std::thread::Builder::new()
            .name(group::THREAD.to_owned())
            .spawn(move || {
                group::run(consumer, &options, &left);
                drop(runs);
            })
            .map_err(|source| Error::Thread { name: group::THREAD, source })?;
        Ok(Self { shards: reader, leaving, running })
    }

    /// Leaves the group: all shards are taken away and given to others at once. Answers whether it came to an end in time; if not, others
    /// notice by themselves.
    pub async fn leave(&self) -> bool {
        self.leaving.store(true, Ordering::Release);
        let mut running = self.running.clone();
        let ended = async { while running.changed().await.is_ok() {} };
        timeout(LEAVE, ended).await.is_ok()
    }
}

impl Drop for GroupPlacement {
    fn drop(&mut self) {
        self.leaving.store(true, Ordering::Release);
    }
}

impl Placement for GroupPlacement {
    fn shards(&self) -> watch::Receiver<Arc<BTreeSet<ShardId>>> {
        self.shards.clone()
    }
}
