//! Waiting: for a position, for an owner, for a bucket. Ends at the deadline with what was not reached.

use std::future::Future;

use souk_model::owner::Unavailable;
use tokio::time::Instant;

use super::{Freshness, ReadOptions};
use crate::Error;
use crate::shard::{Cell, World};

/// Waits until the shard has folded up to an offset.
pub(crate) async fn reach(cell: &Cell, wanted: u64, deadline: Option<Instant>) -> Result<(), Error> {
    let mut position = cell.position.subscribe();
    if *position.borrow_and_update() >= wanted {
        return Ok(());
    }
    let reached = position.wait_for(|position| *position >= wanted);
    match before(deadline, reached).await {
        Some(_) => Ok(()),
        None if cell.is_live() => {
            let at = *cell.position.borrow();
            Err(Error::PositionNotReached { shard: cell.id, at, wanted })
        }
        None => Err(Error::ShardMoving { shard: cell.id }),
    }
}

/// Waits until an owner that caught up carries the shard, and stands where the options want it.
pub(crate) async fn ready(world: &World, cell: &Cell, options: &ReadOptions) -> Result<(), Error> {
    if !cell.is_live() {
        let mut turned = cell.turned.subscribe();
        let live = async {
            while !cell.is_live() && cell.is_here() {
                if turned.changed().await.is_err() {
                    return;
                }
            }
        };
        before(options.deadline, live).await;
        if !cell.is_live() {
            return Err(Error::ShardMoving { shard: cell.id });
        }
    }
    cell.whereabouts.answered();
    let mut wanted = options.position_of(cell.id);
    if options.freshness == Freshness::Latest {
        let ends = world.ports.journal.ends(cell.id).await;
        wanted = wanted.max(ends.map_err(|Unavailable| Error::JournalUnavailable)?.end);
    }
    if wanted > 0 { reach(cell, wanted, options.deadline).await } else { Ok(()) }
}

/// What the future gives, unless the deadline comes first.
pub(super) async fn before<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(at) => tokio::time::timeout_at(at, future).await.ok(),
        None => Some(future.await),
    }
}
