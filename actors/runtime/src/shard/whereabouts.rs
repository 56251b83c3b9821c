//! Where a shard is that another node carries: as its manifest names it, remembered until somebody finds it wrong.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Cell, World};
use crate::limits::{MANIFEST_AGAIN, SILENT_FOR, SILENT_NODES};

/// Where a shard was last known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub address: Arc<str>,
    pub epoch: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    known: Mutex<Known>,
    /// Held by whoever reads the manifest: one at a time.
    looking: tokio::sync::Mutex<()>,
    /// When it was first found that no owner answers, until one does.
    missing: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Known {
    place: Option<Place>,
    /// Where it was before it was lost: a node to be asked what it knows.
    before: Option<Place>,
    /// The epoch whose owner was not found where it said.
    gone: u64,
    looked_at: Option<Instant>,
}

impl Whereabouts {
    pub(crate) fn known(&self) -> Option<Place> {
        self.known.lock().place.clone()
    }

    /// Nobody carries it there any more, or nobody answers.
    pub(crate) fn lost(&self, place: &Place) {
        let mut known = self.known.lock();
        if known.place.as_ref() == Some(place) {
            known.gone = place.epoch;
            known.before = known.place.take();
        }
    }

    /// An owner says where it is.
    pub(crate) fn found(&self, place: Place) {
        let mut known = self.known.lock();
        if known.place.as_ref().is_none_or(|before| before.epoch < place.epoch) {
            known.place = Some(place);
        }
    }

    /// This node carries it, and answers for it.
    pub(crate) fn came_here(&self) {
        self.known.lock().place = None;
        self.answered();
    }

    /// Since when no owner answers, as far as readers found: since now, if this is the first.
    pub(crate) fn missing_since(&self) -> Instant {
        *self.missing.lock().get_or_insert_with(Instant::now)
    }

    /// An owner answered.
    pub(crate) fn answered(&self) {
        *self.missing.lock() = None;
    }

    /// Where it is or was.
    pub(crate) fn heard_of(&self) -> Option<Place> {
        let known = self.known.lock();
        known.place.clone().or_else(|| known.before.clone())
    }

    /// Whether it is known, or was looked up after a moment.
    fn is_settled_since(&self, moment: Instant) -> bool {
        let known = self.known.lock();
        known.place.is_some() || known.looked_at.is_some_and(|at| at > moment)
    }
}

impl World {
    /// Where another node carries the shard. Reads its manifest if that is not known, but not more often than every [`MANIFEST_AGAIN`].
    pub(crate) async fn locate(&self, cell: &Cell) -> Option<Place> {
        if let Some(place) = cell.whereabouts.known() {
            return Some(place);
        }
        let came = Instant::now();
        let whereabouts = &cell.whereabouts;
        let _one = whereabouts.looking.lock().await;
        let soon = came.checked_sub(MANIFEST_AGAIN).unwrap_or(came);
        if whereabouts.is_settled_since(soon) {
            return whereabouts.known();
        }
        let manifest = self.ports.store.manifest(cell.id).await;
        let mut known = whereabouts.known.lock();
        known.looked_at = Some(Instant::now());
        let Ok(Some(manifest)) = manifest else { return known.place.clone() };
        let elsewhere = !manifest.address.is_empty() && manifest.address != self.ports.peers.address();
        // Of an owner that was not found there it may be that it only rested: it is asked again when nobody followed it for a while.
        let is_gone = manifest.epoch <= known.gone && !self.is_silent(&manifest.address);
        if elsewhere && !is_gone {
            known.gone = 0;
            known.place = Some(Place { address: manifest.address.as_str().into(), epoch: manifest.epoch });
        }
        known.place.clone()
    }
}

/// Nodes that did not answer of late: whoever can do without them does not wait for them.
#[derive(Debug, Default)]
pub(crate) struct Silent(Mutex<Vec<(Arc<str>, Instant)>>);

impl Silent {
    pub(crate) fn put(&self, address: &Arc<str>) {
        let mut silent = self.0.lock();
        let now = Instant::now();
        silent.retain(|(of, until)| of != address && *until > now);
        if silent.len() < SILENT_NODES {
            silent.push((Arc::clone(address), now + SILENT_FOR));
        }
    }

    pub(crate) fn has(&self, address: &str) -> bool {
        let now = Instant::now();
        self.0.lock().iter().any(|(of, until)| &**of == address && *until > now)
    }
}
