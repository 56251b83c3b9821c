//! Draining: nothing new comes in, watchers go, every shard is cut and handed over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ractor::ActorRef;
use tokio::time::Instant;

use crate::shard::{Message, Start, World};

pub(super) async fn drain(
    world: &Arc<World>,
    supervisor: Option<ActorRef<Start>>,
    deadline: Instant,
) -> bool {
    world.hub.draining.send_replace(true);
    let mut all = true;
    for cell in world.every_cell() {
        cell.assigned.store(false, Ordering::Release);
        cell.send(Message::HandOver);
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
