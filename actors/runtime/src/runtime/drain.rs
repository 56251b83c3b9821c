//! Draining: nothing new comes in, watchers go, every shard is handed over: to its next owner, or cut for whoever will be that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ractor::ActorRef;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::shard::{Start, World, hand_over};

pub(super) async fn drain(
    world: &Arc<World>,
    supervisor: Option<ActorRef<Start>>,
    deadline: Instant,
) -> bool {
    world.hub.draining.send_replace(true);
    let mut leaving = JoinSet::new();
    for cell in world.every_cell() {
        cell.assigned.store(false, Ordering::Release);
        if cell.is_carried() {
            leaving.spawn(hand_over(Arc::clone(world), Arc::clone(cell)));
        }
    }
    let done = tokio::time::timeout_at(deadline, leaving.join_all()).await.is_ok();
    if !done {
        let carried: Vec<_> =
            world.every_cell().filter(|cell| cell.is_carried()).map(|cell| cell.id).collect();
        tracing::warn!(shards = ?carried, "shards are left as they stand");
    }
    if let Some(supervisor) = supervisor {
        supervisor.stop_children(None);
        supervisor.stop(None);
    }
    done
}
