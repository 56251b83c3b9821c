//! Tidying: one task goes round the shards of a node, encodes actors nobody asked for of late, and lets go of what a committed cut holds
//! too where a shard holds more than its share; where there is room for all a shard has, it is read in. One shard after the other and a
//! short step at a time: it must not be felt.

use std::sync::{Arc, Weak};

use souk_model::owner::Fold as _;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Cell, Message, World};
use crate::limits::{
    IDLE_ENCODED_PER_STEP, SECTIONS_PER_ROUND, TIDY_EVERY, TIDY_HURRIES_PAST, TIDY_PAUSE, TIDY_STEPS,
};
use crate::read::cut;

/// What a step left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    Some,
    /// The shard grows faster than unhurried steps can bear.
    Much,
}

/// Runs as long as the node.
pub(crate) async fn tidy(node: Weak<World>) {
    let mut rounds = interval(TIDY_EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(world) = node.upgrade() else { return };
        let share = world.memory_share();
        for cell in world.every_cell() {
            cut::forget(cell);
            visit(cell, share).await;
            fill(cell, share);
        }
    }
}

async fn visit(cell: &Arc<Cell>, share: u64) {
    for _ in 0..TIDY_STEPS {
        match step(cell, share) {
            Left::Nothing => return,
            Left::Some => sleep(TIDY_PAUSE).await,
            Left::Much => yield_now().await,
        }
    }
}

fn step(cell: &Cell, share: u64) -> Left {
    let Some(owner) = &mut *cell.lock() else { return Left::Nothing };
    let encoded = owner.fold_mut().passivate(IDLE_ENCODED_PER_STEP);
    match owner.shrink(share) {
        true if owner.fold().bytes() > share + share / TIDY_HURRIES_PAST => Left::Much,
        true => Left::Some,
        false if encoded == IDLE_ENCODED_PER_STEP => Left::Some,
        false => Left::Nothing,
    }
}

/// Has some of the sections read in that are still in the store, if the shard's share has room for them.
fn fill(cell: &Cell, share: u64) {
    let Some(owner) = &*cell.lock() else { return };
    let Some(manifest) = owner.manifest().filter(|_| owner.is_live()) else { return };
    let room = share.saturating_sub(owner.fold().bytes());
    let stored = |section: &u16| manifest.sections.get(section).map_or(0, |summary| summary.bytes);
    let unloaded = owner.fold().unloaded();
    if unloaded.iter().map(stored).sum::<u64>() > room {
        return;
    }
    let sections: Vec<u16> = unloaded.into_iter().take(SECTIONS_PER_ROUND).collect();
    if !sections.is_empty() {
        cell.send(Message::Load(sections));
    }
}
