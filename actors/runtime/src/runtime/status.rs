//! Statuses and counters: read without waiting for anybody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use souk_model::journal::ShardId;
use souk_model::owner::Fold as _;
use souk_model::shard::Counts;
use tokio::time::Instant;

use crate::far;
use crate::limits::ASK_WAIT;
use crate::observe::{NodeCounters, NodeStatus, ShardState, ShardStatus};
use crate::shard::{Cell, World};

/// Shards this node is to carry, or does.
pub(crate) fn statuses(world: &World) -> Vec<ShardStatus> {
    world.every_cell().filter(|cell| cell.is_here()).map(|cell| status(world, cell)).collect()
}

/// One nobody is known to carry.
pub(super) fn unowned(cell: &Cell) -> ShardStatus {
    ShardStatus {
        shard: cell.id,
        owner: String::new(),
        epoch: 0,
        state: ShardState::Unowned,
        position: *cell.position.borrow(),
        end: cell.appended.load(Relaxed),
        watermark: None,
        cut_age: None,
        actors: 0,
        mailbox: cell.mailbox(),
        counts: Counts::default(),
        restarts: cell.restarts.load(Relaxed),
        problem: cell.problem.lock().clone(),
    }
}

fn status(world: &World, cell: &Cell) -> ShardStatus {
    let mut status = unowned(cell);
    if let Some(owner) = &*cell.lock() {
        let shard = owner.fold();
        let manifest = owner.manifest();
        status.owner.clone_from(&world.config.node);
        status.epoch = owner.epoch().unwrap_or_default();
        status.state = match owner.is_live() {
            _ if *world.hub.draining.borrow() => ShardState::Moving,
            true => ShardState::Serving,
            false => ShardState::CatchingUp,
        };
        status.position = shard.position();
        status.end = status.end.max(status.position).max(owner.end().unwrap_or_default());
        status.watermark = Some(shard.now().watermark).filter(|_| shard.position() > 0);
        status.cut_age = manifest
            .filter(|manifest| manifest.cut > 0)
            .map(|manifest| world.ports.clock.now() - manifest.position_time);
        status.actors = shard.actors();
        status.counts = shard.counts();
    }
    status
}

pub(super) async fn everywhere(
    world: &Arc<World>,
    deadline: Option<Instant>,
) -> (Vec<NodeStatus>, Vec<ShardStatus>) {
    let most = Instant::now() + ASK_WAIT;
    let nodes = far::everywhere(world, deadline.map_or(most, |deadline| deadline.min(most))).await;
    let owned: BTreeSet<ShardId> =
        nodes.iter().flat_map(|node| &node.shards).map(|status| status.shard).collect();
    let unowned = world.every_cell().filter(|cell| !owned.contains(&cell.id)).map(|cell| unowned(cell));
    let unowned = unowned.collect();
    (nodes, unowned)
}

pub(super) fn counters(world: &World) -> NodeCounters {
    let (tallies, hub) = (&world.tallies, &world.hub);
    NodeCounters {
        events_received: tallies.received.load(Relaxed),
        events_ingested: tallies.ingested.each_ref().map(|count| count.load(Relaxed)),
        events_rejected_at_intake: tallies.rejected.load(Relaxed),
        batches_shed: tallies.shed.load(Relaxed),
        records_folded: tallies.folded.load(Relaxed),
        cuts_committed: tallies.cuts.load(Relaxed),
        shard_restarts: tallies.restarts.load(Relaxed),
        tally_batches: tallies.tally_batches.load(Relaxed),
        watchers: hub.watchers.load(Relaxed),
        watch_frames: hub.frames.load(Relaxed),
        watch_evaluations: hub.evaluations.load(Relaxed),
        watch_lagged: tallies.lagged.load(Relaxed),
        peer_messages_dropped: tallies.peers_dropped.load(Relaxed),
    }
}
