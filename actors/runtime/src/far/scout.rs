//! Scouting: a node looks up where shards are before anybody asks, so that it still knows while the store is away; and where the store does
//! not answer, other nodes are asked what they carry.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::node;
use crate::limits::{ASK_AROUND_WAIT, SCOUT_EVERY};
use crate::shard::{Place, World};

/// Runs as long as the node.
pub(crate) async fn scout(node: Weak<World>) {
    let mut rounds = interval(SCOUT_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(world) = node.upgrade() else { return };
        let mut lost = false;
        for cell in world.every_cell().filter(|cell| !cell.is_here()) {
            lost |= world.locate(cell).await.is_none();
        }
        if lost {
            ask_around(&world).await;
        }
    }
}

/// Asks every node heard of what it carries.
async fn ask_around(world: &Arc<World>) {
    let heard_of = world.every_cell().filter_map(|cell| cell.whereabouts.heard_of());
    let addresses: BTreeSet<Arc<str>> = heard_of.map(|place| place.address).collect();
    let deadline = Instant::now() + ASK_AROUND_WAIT;
    for (address, node) in node::each(world, addresses, deadline).await {
        for status in node.shards {
            if let Some(cell) = world.cell(status.shard) {
                cell.whereabouts.found(Place { address: Arc::clone(&address), epoch: status.epoch });
            }
        }
    }
}
