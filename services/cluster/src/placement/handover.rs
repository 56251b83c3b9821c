//! The wait between a shard that was taken away and the next owner's beginning: until the runtime has cut it and given it up.

use std::collections::BTreeSet;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use souk_model::journal::ShardId;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Handover {
    /// Shards that were taken away and not given up yet.
    awaited: Mutex<BTreeSet<ShardId>>,
    given_up: Condvar,
}

impl Handover {
    /// Call before the shards are published as gone: they may be handed over in no time.
    pub(super) fn begin(&self, shards: BTreeSet<ShardId>) {
        *self.awaited.lock() = shards;
    }

    pub(super) fn done(&self, shard: ShardId) {
        if self.awaited.lock().remove(&shard) {
            self.given_up.notify_all();
        }
    }

    /// Blocks until all are handed over, or `patience` is at its end. Answers how many were not.
    pub(super) fn wait(&self, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        let mut awaited = self.awaited.lock();
        while !awaited.is_empty() {
            if self.given_up.wait_until(&mut awaited, deadline.into_std()).timed_out() {
                break;
            }
        }
        std::mem::take(&mut *awaited).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn it_waits_for_every_shard_but_not_for_ever() {
        let handover = Arc::new(Handover::default());
        let shards = BTreeSet::from([ShardId::users(1), ShardId::products(1)]);
        handover.begin(shards.clone());
        handover.done(ShardId::users(2));
        let done = handover.clone();
        let waiting = std::thread::spawn(move || done.wait(Duration::from_secs(60)));
        for shard in &shards {
            handover.done(*shard);
        }
        assert_eq!(waiting.join().expect("it does not panic"), 0);
        handover.begin(shards);
        assert_eq!(handover.wait(Duration::from_millis(1)), 2);
        assert_eq!(handover.wait(Duration::ZERO), 0, "what was not is not waited for again");
    }
}
