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
    stale: StaleReads,
    /// For folding, which waits for it. What only readers want holds nothing up, and fails alone.
    needed: bool,
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loaded {
    /// Not there yet.
    Waiting,
    /// There, or given up by its readers.
    Over,
}

impl Loading {
    /// Loads what the fold misses. What the cut holds nothing of is there at once; `None` when that was all.
    pub(super) fn begin<F: Fold>(
        core: &mut Core<F>,
        manifest: &Manifest,
        missing: BTreeSet<u16>,
        needed: bool,
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
        Ok(Some(Self { sections: stored, call, stale: StaleReads::default(), needed }))
    }

    pub(super) fn is_needed(&self) -> bool {
        self.needed
    }

    /// Folding waits for the store behind it: from now on as if it had asked itself.
    pub(super) fn need(&mut self) {
        self.needed = true;
    }

    /// Takes what is stored of the sections.
    pub(super) fn sections<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        manifest: &Manifest,
        tag: Tag,
        result: Result<Vec<Segment>, Unavailable>,
        out: &mut Vec<Effect>,
    ) -> Result<Loaded, Halt> {
        if !self.call.awaits(tag) {
            return Ok(Loaded::Waiting);
        }
        let Ok(stored) = result else { return self.failed(core) };
        if self.stale.may_be(manifest, &self.sections, &stored) {
            return self.failed(core);
        }
        let orphans = give(core, manifest, &self.sections, stored)?;
        if !orphans.is_empty() {
            out.push(Effect::DeleteSegments { segments: orphans });
        }
        Ok(Loaded::Over)
    }

    pub(super) fn poll<F>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) -> Result<Loaded, Halt> {
        match self.call.due(&mut core.clock) {
            Some(Due::Lost) => return self.failed(core),
            Some(Due::Again(tag)) => out.push(Effect::LoadSections { tag, sections: self.sections.clone() }),
            None => {}
        }
        Ok(Loaded::Waiting)
    }

    pub(super) fn wake(&self) -> Millis {
        self.call.wake()
    }

    fn failed<F>(&mut self, core: &Core<F>) -> Result<Loaded, Halt> {
        match self.call.failed(&core.clock) {
            Ok(()) => Ok(Loaded::Waiting),
            Err(_) if self.needed => Err(StopReason::Unavailable("the store").into()),
            Err(_) => Ok(Loaded::Over),
        }
    }
}

/// Reads that lacked a segment the manifest names. A few may be what a replica behind the others answered: it is read again. Reads that
/// were not answered say nothing, however many. (A manifest is never read but serially; its names show what a weaker read left out.)
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StaleReads(u32);

impl StaleReads {
    pub(super) fn may_be(&mut self, manifest: &Manifest, sections: &[u16], stored: &[Segment]) -> bool {
        self.0 += u32::from(manifest.misses(sections, stored));
        self.0 < STALE_READS && manifest.misses(sections, stored)
    }
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
