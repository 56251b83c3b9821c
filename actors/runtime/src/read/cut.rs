//! The last committed cut of a shard whose owner does not answer: what anybody may read meanwhile, marked as such. A copy is kept while it
//! is asked for, and holds the sections that were.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use souk_model::cut::manifest::Manifest;
use souk_model::cut::segment::{HEADER, Segment, SegmentId};
use souk_model::origin::Origin;
use souk_model::owner::{Fold as _, Unavailable};
use souk_model::shard::Shard;
use tokio::time::Instant;

use crate::Error;
use crate::limits::{CUT_FRESH, CUT_KEPT};
use crate::shard::{Cell, World};

/// A shard as its cut has it.
#[derive(Debug)]
pub(crate) struct Copy {
    manifest: Manifest,
    shard: Shard,
    loaded: BTreeSet<u16>,
    /// When it was last seen to be the newest.
    seen: Instant,
    used: Instant,
}

/// Which cut was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub origin: Origin,
    pub topic_id: u64,
}

/// Lets `read` see the shard as its last cut has it, with the sections it names.
pub(crate) async fn read<R>(
    world: &World,
    cell: &Arc<Cell>,
    sections: impl FnOnce(&Shard) -> Vec<u16>,
    read: impl FnOnce(&Shard) -> R,
) -> Result<(R, Taken), Error> {
    let mut kept = cell.cut.lock().await;
    let copy = match kept.take() {
        Some(copy) if copy.seen.elapsed() < CUT_FRESH => copy,
        before => newest(world, cell, before).await?,
    };
    let copy = kept.insert(copy);
    copy.used = Instant::now();
    let wanted = sections(&copy.shard);
    copy.load(world, wanted).await?;
    let age = world.ports.clock.now() - copy.manifest.position_time;
    let taken = Taken { origin: Origin::Cut(age.max(0)), topic_id: copy.manifest.topic_id };
    Ok((read(&copy.shard), taken))
}

/// The newest cut: the copy there is if it is of that one. While the store does not answer, what there is stays.
async fn newest(world: &World, cell: &Cell, before: Option<Copy>) -> Result<Copy, Error> {
    let manifest = match (world.ports.store.manifest(cell.id).await, before) {
        (Err(Unavailable), Some(copy)) => return Ok(copy),
        (Err(Unavailable), None) => return Err(Error::StoreUnavailable),
        (Ok(Some(manifest)), Some(copy)) if manifest.cut == copy.manifest.cut => {
            return Ok(Copy { seen: Instant::now(), ..copy });
        }
        (Ok(Some(manifest)), _) if manifest.cut > 0 => manifest,
        _ => return Err(Error::ShardMoving { shard: cell.id }),
    };
    let shard = world.empty_shard(cell.id)?;
    let (seen, used) = (Instant::now(), Instant::now());
    let mut copy = Copy { manifest, shard, loaded: BTreeSet::new(), seen, used };
    copy.load(world, vec![HEADER]).await?;
    Ok(copy)
}

impl Copy {
    async fn load(&mut self, world: &World, wanted: Vec<u16>) -> Result<(), Error> {
        let wanted: Vec<u16> = wanted.into_iter().filter(|section| !self.loaded.contains(section)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let id = self.manifest.shard;
        let stored = world.ports.store.load_sections(id, wanted.clone()).await;
        let stored = stored.map_err(|Unavailable| Error::StoreUnavailable)?;
        let mut stored: BTreeMap<SegmentId, Segment> =
            stored.into_iter().map(|segment| (segment.id, segment)).collect();
        for section in wanted {
            // A cut committed meanwhile takes segments away: the next look finds that one.
            let segments = self.manifest.select(section, &mut stored);
            let segments = segments.map_err(|_| Error::ShardMoving { shard: id })?;
            self.shard.load(section, &segments).map_err(Error::State)?;
            self.loaded.insert(section);
        }
        Ok(())
    }
}

/// Lets go of a copy nobody has asked for in a while, or that an owner here has made needless.
pub(crate) fn forget(cell: &Cell) {
    if let Ok(mut kept) = cell.cut.try_lock()
        && kept.as_ref().is_some_and(|copy| copy.used.elapsed() > CUT_KEPT || cell.is_live())
    {
        *kept = None;
    }
}
