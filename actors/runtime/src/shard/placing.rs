//! Placing: has this node carry the shards placement gives it, and hand over those it takes away.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use ractor::ActorRef;
use souk_model::journal::ShardId;

use super::{Start, World, hand_over};

/// Runs as long as the node, or placement.
pub(crate) async fn follow_placement(world: Weak<World>, supervisor: ActorRef<Start>) {
    let Some(mut shards) = world.upgrade().map(|world| world.ports.placement.shards()) else { return };
    let mut before: Arc<BTreeSet<ShardId>> = Arc::default();
    loop {
        let now = Arc::clone(&shards.borrow_and_update());
        let Some(node) = world.upgrade() else { return };
        // A node that leaves hands over all it has, and takes no more.
        if *node.hub.draining.borrow() {
            return;
        }
        for shard in before.difference(&now).filter_map(|shard| node.cell(*shard)) {
            shard.assigned.store(false, Ordering::Release);
            tokio::spawn(hand_over(Arc::clone(&node), Arc::clone(shard)));
        }
        for shard in now.difference(&before).filter_map(|shard| node.cell(*shard)) {
            shard.assigned.store(true, Ordering::Release);
            // A supervisor that is gone has stopped with the node.
            supervisor.cast(Start(shard.id)).ok();
        }
        drop(node);
        before = now;
        if shards.changed().await.is_err() {
            return;
        }
    }
}
