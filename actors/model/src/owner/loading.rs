//! Loading sections: exactly the segments the manifest names, as the committed cut holds them.

use std::collections::{BTreeMap, BTreeSet};

use crate::cut::manifest::Manifest;
use crate::cut::segment::{Segment, SegmentId};
use crate::limits::{CALL_TRIES, STALE_READS};
use crate::owner::call::{Call, Due};
use crate::owner::effect::{Effect, StopReason, Tag};
use crate::owner::input::Unavailable;
use crate::owner::{Core, Fold, Halt};
use crate::planted::Bug;
use crate::time::Millis;

/// One request for sections under way.
pub(super) struct Loading {
    sections: Vec<u16>,
    call: Call,
}

impl Loading {
    /// Loads what the fold misses. What the cut holds nothing of is there at once; `None` when that was all.
    pub(super) fn begin<F: Fold>(
        core: &mut Core<F>,
        manifest: &Manifest,
        missing: BTreeSet<u16>,
        out: &mut Vec<Effect>,
    ) -> Result<Option<Self>, Halt> {
        let (stored, new): (Vec<u16>, Vec<u16>) =
            missing.into_iter().partition(|section| manifest.sections.contains_key(section));
        give(core, manifest, &new, Vec::new())?;
        if stored.is_empty() {
            return Ok(None);
        }
        let (call, tag) = Call::begin(&mut core.clock, CALL_TRIES);
        out.push(Effect::LoadSections { tag, sections: stored.clone() });
        Ok(Some(Self { sections: stored, call }))
    }

    /// Takes what is stored of the sections. Whether they are there now.
    pub(super) fn sections<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        manifest: &Manifest,
        tag: Tag,
        result: Result<Vec<Segment>, Unavailable>,
        out: &mut Vec<Effect>,
    ) -> Result<bool, Halt> {
        if !self.call.awaits(tag) {
            return Ok(false);
        }
        let Ok(stored) = result else { return self.failed(core).map(|()| false) };
        if may_be_stale(&self.call, manifest, &self.sections, &stored) {
            return self.failed(core).map(|()| false);
        }
        let orphans = give(core, manifest, &self.sections, stored)?;
        if !orphans.is_empty() {
            out.push(Effect::DeleteSegments { segments: orphans });
        }
        Ok(true)
    }

    pub(super) fn poll<F>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) -> Result<(), Halt> {
        match self.call.due(&mut core.clock) {
            Some(Due::Lost) => self.failed(core)?,
            Some(Due::Again(tag)) => out.push(Effect::LoadSections { tag, sections: self.sections.clone() }),
            None => {}
        }
        Ok(())
    }

    pub(super) fn wake(&self) -> Millis {
        self.call.wake()
    }

    fn failed<F>(&mut self, core: &Core<F>) -> Result<(), Halt> {
        self.call.failed(&core.clock).map_err(|_| StopReason::Unavailable("the store").into())
    }
}

/// Whether what was read lacks a segment the manifest names, and may be what a replica behind the others answered: it is read again.
/// (A manifest is never read but serially; its names show what a weaker read left out.)
pub(super) fn may_be_stale(call: &Call, manifest: &Manifest, sections: &[u16], stored: &[Segment]) -> bool {
    call.tries() < STALE_READS && manifest.misses(sections, stored)
}

/// Gives the fold its sections out of all that is stored of them. Returns the names of orphans to delete: segments of earlier
/// epochs that the manifest does not name. Those epochs can commit nothing any more, and no manifest of a later owner names a
/// segment of theirs that this one does not.
pub(super) fn give<F: Fold>(
    core: &mut Core<F>,
    manifest: &Manifest,
    sections: &[u16],
    stored: Vec<Segment>,
) -> Result<Vec<SegmentId>, Halt> {
    let mut stored: BTreeMap<SegmentId, Segment> =
        stored.into_iter().map(|segment| (segment.id, segment)).collect();
    for &section in sections {
        let segments = match core.config.planted.has(Bug::LineageIgnored) {
            true => newest_of(section, &stored),
            false => manifest.select(section, &mut stored).map_err(|error| error.in_epoch(manifest.epoch))?,
        };
        core.fold.load(section, &segments).map_err(|error| {
            let finding = format!("section {section} of cut {}: {error}", manifest.cut);
            Halt::Doubt { epoch: manifest.epoch, finding }
        })?;
    }
    Ok(stored.into_keys().filter(|id| id.epoch < manifest.epoch && !manifest.names(*id)).collect())
}

/// The planted bug: whatever was written last counts, committed or not.
fn newest_of(section: u16, stored: &BTreeMap<SegmentId, Segment>) -> Vec<Segment> {
    let mut segments: Vec<Segment> =
        stored.values().filter(|segment| segment.id.section == section).cloned().collect();
    segments.sort_by_key(|segment| (segment.id.cut, segment.id.epoch));
    let newest_base = segments.iter().rposition(|segment| segment.base).unwrap_or(0);
    segments.split_off(newest_base.min(segments.len()))
}
