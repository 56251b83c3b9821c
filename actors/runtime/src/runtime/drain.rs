//! Draining: nothing new comes in, watchers go, every shard is handed over: to its next owner, or cut for whoever will be that.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::shard::{Start, World, hand_over};

pub(super) async fn drain(
    world: &Arc<World>,
    supervisor: Option<ActorRef<Start>>,
    deadline: Instant,
) -> bool {
    world.hub.draining.send_replace(true);
    let mut all = true;
    for cell in world.every_cell() {
        cell.assigned.store(false, Ordering::Release);
        if cell.is_carried() {
            tokio::spawn(hand_over(Arc::clone(world), Arc::clone(cell)));
        }
    }
    for cell in world.every_cell().filter(|cell| cell.is_carried()) {
        let mut handed_over = cell.handed_over.subscribe();
        let done = handed_over.wait_for(|done| *done);
        all &= tokio::time::timeout_at(deadline, done).await.is_ok();
    }
    if let Some(supervisor) = supervisor {
        supervisor.stop_children(None);
        supervisor.stop(None);
    }
    all
}
