//! Waiting: for a position, for an owner, for a bucket. Ends at the deadline with what was not reached.

use std::future::Future;

use souk_model::owner::Unavailable;
use tokio::time::Instant;

use super::{Freshness, ReadOptions};
use crate::Error;
use crate::shard::{Cell, Waiting, World};

/// Waits until the shard has folded up to an offset here. Ends as soon as it is no longer here.
async fn reach(cell: &Cell, wanted: u64, deadline: Option<Instant>) -> Result<(), Error> {
    let mut position = cell.position.subscribe();
    if *position.borrow_and_update() >= wanted {
        return Ok(());
    }
    let reached = async {
        tokio::select! {
            reached = position.wait_for(|position| *position >= wanted) => reached.is_ok(),
            () = gone(cell) => false,
        }
    };
    match before(deadline, reached).await {
        Some(true) => Ok(()),
        None if cell.is_live() => {
            let at = *cell.position.borrow();
            Err(Error::PositionNotReached { shard: cell.id, at, wanted })
        }
        _ => Err(Error::ShardMoving { shard: cell.id }),
    }
}

/// Ends when the shard is no longer this node's.
async fn gone(cell: &Cell) {
    let mut turned = cell.turned.subscribe();
    while cell.is_here() && turned.changed().await.is_ok() {}
}

/// Waits for the fold's word on a record as long as its shard is here. Whether the word, and all before it, was said here.
pub(crate) async fn said_here(
    cell: &Cell,
    desk: &Waiting<'_>,
    offset: u64,
    deadline: Option<Instant>,
) -> Result<bool, Error> {
    if !cell.answers_here() {
        return Ok(false);
    }
    match reach(cell, offset, deadline).await {
        Ok(()) => Ok(true),
        Err(error) if cell.is_here() => Err(error),
        // It may have gone right after it spoke.
        Err(_) => Ok(desk.word(offset).is_some()),
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
        let ends = before(options.deadline, world.ports.journal.ends(cell.id)).await;
        let ends = ends.unwrap_or(Err(Unavailable));
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
