//! Placing: has this node carry the shards placement gives it, and hand over those it takes away.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use ractor::ActorRef;
use souk_model::journal::ShardId;
use tokio::time::timeout;

use super::{Cell, Message, Start, World};
use crate::limits::HAND_OVER_WAIT;

/// Runs as long as the node, or placement.
pub(crate) async fn follow_placement(world: Weak<World>, supervisor: ActorRef<Start>) {
    let Some(mut shards) = world.upgrade().map(|world| world.ports.placement.shards()) else { return };
    let mut before: Arc<BTreeSet<ShardId>> = Arc::default();
    loop {
        let now = Arc::clone(&shards.borrow_and_update());
        let Some(node) = world.upgrade() else { return };
        // A node that leaves takes no more.
        let leaving = *node.hub.draining.borrow();
        for shard in before.difference(&now).filter_map(|shard| node.cell(*shard)) {
            tokio::spawn(take_away(Arc::clone(&node), Arc::clone(shard)));
        }
        for shard in now.difference(&before).filter(|_| !leaving).filter_map(|shard| node.cell(*shard)) {
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

/// Has a shard cut and given up, and says so. An owner that cannot is stopped: whoever follows replays from the cut before.
async fn take_away(world: Arc<World>, cell: Arc<Cell>) {
    cell.assigned.store(false, Ordering::Release);
    let mut turned = cell.turned.subscribe();
    cell.send(Message::HandOver);
    let gone = async {
        while cell.is_carried() {
            if turned.changed().await.is_err() {
                return;
            }
        }
    };
    if timeout(HAND_OVER_WAIT, gone).await.is_err() {
        cell.stop("it was not handed over in time");
    }
    world.ports.placement.handed_over(cell.id);
}
