//! Lineage: which stored segments count. What a fenced owner wrote after it was fenced is in no manifest, so it is invisible.

use std::collections::{BTreeMap, BTreeSet};

use crate::cut::manifest::{Manifest, SectionSummary};
use crate::cut::segment::{Segment, SegmentId};

/// Why a section cannot be put together from the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    #[error("segment {0:?} is missing: the store was restored from an older backup than the manifest")]
    Missing(SegmentId),
    #[error("the manifest names segment {0:?}, which its lineage says was never committed")]
    Uncommitted(SegmentId),
}

impl SectionSummary {
    /// Cut and epoch of each segment of the section: its base, then its deltas in order.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        std::iter::once(self.base).chain(self.deltas.iter().copied())
    }
}

impl Manifest {
    /// Whether this epoch committed this cut, and this manifest came after.
    pub fn committed(&self, cut: u64, epoch: u64) -> bool {
        cut <= self.cut && self.lineage.get(&epoch).is_some_and(|last| *last >= cut)
    }

    /// Names of the segments a section consists of; none when the cut holds nothing of it.
    pub fn segments_of(&self, section: u16) -> impl Iterator<Item = SegmentId> + '_ {
        let summary = self.sections.get(&section);
        summary.into_iter().flat_map(SectionSummary::pieces).map(move |(cut, epoch)| SegmentId {
            section,
            cut,
            epoch,
        })
    }

    /// Drops the lineage of epochs no section has a segment of, so that it does not grow with every takeover.
    pub fn forget_unused_epochs(&mut self) {
        let used: BTreeSet<u64> =
            self.sections.values().flat_map(SectionSummary::pieces).map(|(_, epoch)| epoch).collect();
        let own = self.epoch;
        self.lineage.retain(|epoch, _| *epoch == own || used.contains(epoch));
    }

    pub fn names(&self, id: SegmentId) -> bool {
        self.segments_of(id.section).any(|named| named == id)
    }

    /// Whether what was read of these sections lacks a segment they are made of.
    pub fn misses(&self, sections: &[u16], stored: &[Segment]) -> bool {
        let read: BTreeSet<SegmentId> = stored.iter().map(|segment| segment.id).collect();
        sections.iter().flat_map(|section| self.segments_of(*section)).any(|id| !read.contains(&id))
    }

    /// Takes a section's segments, in order, out of all that is stored.
    pub fn select(
        &self,
        section: u16,
        stored: &mut BTreeMap<SegmentId, Segment>,
    ) -> Result<Vec<Segment>, LineageError> {
        self.segments_of(section)
            .map(|id| match self.committed(id.cut, id.epoch) {
                true => stored.remove(&id).ok_or(LineageError::Missing(id)),
                false => Err(LineageError::Uncommitted(id)),
            })
            .collect()
    }
}
