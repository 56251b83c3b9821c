//! Rows whose time to be published has come, read as they stand now.

use souk_model::journal::Journal;
use souk_model::owner::Owner;
use souk_model::series::PublishedRow;
use souk_model::shard::Shard;
use souk_model::view::{Catalogue, Entry, KeptAnswer};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::dirty::{Dirty, Row, Waiting};
use super::kept;
use crate::limits::{FURTHER_GOES, ROWS_PER_GO, ROWS_PER_LOCK};
use crate::shard::World;

/// What was read of a row to be published.
enum Read {
    Row(Box<Ready>),
    /// Its window has not begun.
    NotYet,
    /// There is none, or another owner's it is.
    Gone,
}

/// A row as it is to be published, and the answer kept beside it.
pub(super) struct Ready {
    pub row: PublishedRow,
    pub kept: Option<KeptAnswer>,
}

/// Takes rows that are ripe, those that waited longest first, as they stand now, until so many were shown or there are no more. Those whose
/// time has not come, or that are not settled, go on waiting.
pub(super) async fn read_rows(
    from: &mut Dirty,
    (most, ripe): (usize, Instant),
    world: &World,
    catalogue: &Catalogue,
    mut show: impl FnMut(&Entry, Ready) -> usize,
) -> Vec<Waiting> {
    let (mut shown, mut taken, mut waits) = (0, Vec::new(), Vec::new());
    for _ in 0..FURTHER_GOES + most.div_ceil(ROWS_PER_GO) {
        let mut picked = from.pick(most.saturating_sub(shown).min(ROWS_PER_GO), ripe);
        if picked.is_empty() {
            break;
        }
        picked.sort_by_key(|waiting| waiting.row.shard);
        for some in picked.chunk_by(|a, b| a.row.shard == b.row.shard).flat_map(|of| of.chunks(ROWS_PER_LOCK))
        {
            for (waiting, read) in some.iter().zip(read(world, catalogue, some)) {
                match read {
                    Read::Row(ready) => {
                        if !ready.row.settled {
                            waits.push(waiting.row.clone());
                        }
                        shown += show(&catalogue.entries()[waiting.row.entry], *ready);
                        taken.push(waiting.clone());
                    }
                    Read::NotYet => waits.push(waiting.row.clone()),
                    Read::Gone => {}
                }
            }
            yield_now().await;
        }
    }
    let now = Instant::now();
    for row in waits {
        from.mark(row, now);
    }
    taken
}

/// Rows of one shard, as they stand.
fn read(world: &World, catalogue: &Catalogue, rows: &[Waiting]) -> Vec<Read> {
    let gone = || rows.iter().map(|_| Read::Gone).collect();
    let Some(first) = rows.first() else { return Vec::new() };
    let Some(cell) = world.cells(Journal::Products).get(usize::from(first.row.shard)) else { return gone() };
    let now = world.ports.clock.now();
    let read = |owner: &Owner<Shard>| {
        let series = owner.fold().as_products()?.series();
        let reached = series.reached();
        let one = |Waiting { row: Row { entry, key, range, .. }, .. }: &Waiting| {
            let Some(entry) = catalogue.entries().get(*entry) else { return Read::Gone };
            if !reached.is_some_and(|reached| entry.has_begun(*range, reached)) {
                return Read::NotYet;
            }
            match series.published(key, entry.window, *range) {
                Ok(Some(row)) => {
                    let kept = kept::answer(owner, entry, &row, now);
                    Read::Row(Box::new(Ready { row, kept }))
                }
                Ok(None) => Read::Gone,
                Err(error) => {
                    tracing::error!(%key, %error, "a row cannot be read to be published");
                    Read::Gone
                }
            }
        };
        Some(rows.iter().map(one).collect())
    };
    cell.lock().as_ref().filter(|owner| owner.is_live()).and_then(read).unwrap_or_else(gone)
}
