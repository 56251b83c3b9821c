//! Handing over: a shard that is no longer this node's is carried on until its next owner serves. Two owners do no harm, for both fold the
//! same journal and only the newer one may write the manifest; so nobody waits while the next one loads the last cut and replays.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, sleep, timeout};

use super::{Cell, Message, Place, World};
use crate::far;
use crate::limits::{ASK_AROUND_WAIT, HAND_OVER_WAIT, LAST_CUT_WAIT, LOOK_FOR_NEXT, NEXT_CLAIMS_WITHIN};

/// Who carries the shard after this node.
enum Next {
    /// One that serves, or one that claimed it and takes long: there is no cut to be made here any more.
    Another,
    /// Nobody claimed it in time.
    Nobody,
    /// This node after all.
    Itself,
    /// Whoever was to be followed comes to its end by itself; if there is another owner here, it is none of this hand-over's.
    Gone,
}

/// Ends when nobody here carries the shard any more, or it was given back.
pub(crate) async fn hand_over(world: Arc<World>, cell: Arc<Cell>) {
    let next = match world.has_peers() {
        true => next(&world, &cell).await,
        false => Next::Nobody,
    };
    match next {
        Next::Another => cell.stop("its next owner serves"),
        Next::Nobody => cut_and_stop(&cell).await,
        // Whoever was to follow may have claimed it already: it is claimed anew.
        Next::Itself => cell.stop("it was given back"),
        Next::Gone => {}
    }
    vacated(&cell).await;
}

/// Waits for the next owner.
async fn next(world: &World, cell: &Cell) -> Next {
    let Some(epoch) = cell.epoch() else { return Next::Nobody };
    let began = Instant::now();
    while began.elapsed() < HAND_OVER_WAIT {
        if cell.epoch() != Some(epoch) {
            return Next::Gone;
        }
        if cell.assigned.load(Ordering::Acquire) {
            return Next::Itself;
        }
        match claimed(world, cell, epoch).await {
            Some(place) if far::serves(world, cell.id, &place, Instant::now() + ASK_AROUND_WAIT).await => {
                cell.whereabouts.found(place);
                break;
            }
            None if began.elapsed() > NEXT_CLAIMS_WITHIN => return Next::Nobody,
            _ => sleep(LOOK_FOR_NEXT).await,
        }
    }
    Next::Another
}

/// Whoever claimed the shard since.
async fn claimed(world: &World, cell: &Cell, epoch: u64) -> Option<Place> {
    let manifest = world.ports.store.manifest(cell.id).await.ok()??;
    let is_newer = manifest.epoch > epoch && !manifest.address.is_empty();
    is_newer.then(|| Place { address: manifest.address.as_str().into(), epoch: manifest.epoch })
}

/// Nobody follows yet: whoever will need not replay. An owner that cannot cut is stopped as it stands.
async fn cut_and_stop(cell: &Cell) {
    cell.send(Message::HandOver);
    if timeout(LAST_CUT_WAIT, vacated(cell)).await.is_err() {
        cell.stop("its last cut was not done in time");
    }
}

/// Until nobody here carries it, however that came about, or it was given back.
async fn vacated(cell: &Cell) {
    let mut turned = cell.turned.subscribe();
    let goes_on = || cell.is_carried() && !cell.assigned.load(Ordering::Acquire);
    while goes_on() && turned.changed().await.is_ok() {}
}
