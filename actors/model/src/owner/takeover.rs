//! Takeover: raise the epoch, make sure that journal, store and manifest belong together, load what folding needs.
//!
//! Order matters: nothing is checked, and nothing read that a cut could replace, before the epoch is raised, because until
//! then the owner before may still commit. Only what needs no epoch comes first: a fold version this build does not know is
//! refused without fencing the owner that does know it.

use std::collections::BTreeMap;

use crate::cut::lineage::LineageError;
use crate::cut::manifest::{Condition, Manifest};
use crate::cut::segment::Segment;
use crate::limits::CALL_TRIES;
use crate::owner::call::{Call, Due};
use crate::owner::carrying::Carrying;
use crate::owner::conditional::{ConditionalWrite, Settled};
use crate::owner::effect::{CrashPoint, Effect, StopReason, Tag};
use crate::owner::input::{Ends, Entries, Input, Unavailable};
use crate::owner::loading::StaleReads;
use crate::owner::{Core, Fold, Halt, Phase};
use crate::time::Millis;

pub(super) struct Takeover(Step);

enum Step {
    /// Reading the manifest.
    Reading(Call),
    /// No manifest: reading what the first one has to say of the topic.
    Naming(Call),
    Raising(ConditionalWrite),
    /// The epoch is ours: reading where the journal begins and ends.
    Measuring(Call, Box<Manifest>),
    /// Reading the last record the cut holds, to compare it.
    Comparing(Call, Box<Manifest>, Ends),
    /// Reading the sections that must be there before anything folds.
    Loading(Call, Box<Manifest>, Ends, StaleReads),
}

impl Takeover {
    pub(super) fn begin<F: Fold>(core: &mut Core<F>, out: &mut Vec<Effect>) -> Self {
        Self(ask(core, out, |tag| Effect::ReadManifest { tag }, Step::Reading))
    }

    pub(super) fn handle<F: Fold>(
        self,
        core: &mut Core<F>,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<Phase, Halt> {
        if let Input::HandOver { .. } = input {
            return Err(StopReason::HandedOver.into());
        }
        let step = match (self.0, input) {
            (Step::Reading(call), Input::Manifest { tag, result }) if call.awaits(tag) => match result {
                Ok(Some(manifest)) => raise(core, &manifest, out)?,
                Ok(None) => ask(core, out, |tag| Effect::ReadEnds { tag }, Step::Naming),
                Err(Unavailable) => Step::Reading(retry(call, core, STORE)?),
            },
            (Step::Naming(call), Input::Ends { tag, result }) if call.awaits(tag) => match result {
                Ok(ends) => found(core, &ends, out),
                Err(Unavailable) => Step::Naming(retry(call, core, JOURNAL)?),
            },
            (Step::Raising(write), input) => raised(write.input(input, &mut core.clock, out), core, out)?,
            (Step::Measuring(call, manifest), Input::Ends { tag, result }) if call.awaits(tag) => {
                match result {
                    Ok(ends) => measured(core, manifest, ends, out)?,
                    Err(Unavailable) => Step::Measuring(retry(call, core, JOURNAL)?, manifest),
                }
            }
            (Step::Comparing(call, manifest, ends), Input::Entries { tag, result }) if call.awaits(tag) => {
                match result {
                    Ok(entries) => return compared(core, manifest, ends, &entries, out),
                    Err(Unavailable) => Step::Comparing(retry(call, core, JOURNAL)?, manifest, ends),
                }
            }
            (Step::Loading(call, manifest, ends, mut stale), Input::Sections { tag, result })
                if call.awaits(tag) =>
            {
                match result {
                    Ok(stored) if !stale.may_be(&manifest, &stored_at_start(core, &manifest), &stored) => {
                        return loaded(core, manifest, &ends, stored, out);
                    }
                    Ok(_) | Err(Unavailable) => {
                        Step::Loading(retry(call, core, STORE)?, manifest, ends, stale)
                    }
                }
            }
            (step, _) => step,
        };
        poll(step, core, out).map(|step| Phase::Takeover(Self(step)))
    }

    pub(super) fn wake(&self) -> Millis {
        match &self.0 {
            Step::Raising(write) => write.wake(),
            Step::Reading(call) | Step::Naming(call) => call.wake(),
            Step::Measuring(call, _) | Step::Comparing(call, ..) | Step::Loading(call, ..) => call.wake(),
        }
    }
}

const STORE: &str = "the store";
const JOURNAL: &str = "the journal";

fn ask<F, T>(
    core: &mut Core<F>,
    out: &mut Vec<Effect>,
    effect: impl FnOnce(Tag) -> Effect,
    step: impl FnOnce(Call) -> T,
) -> T {
    let (call, tag) = Call::begin(&mut core.clock, CALL_TRIES);
    out.push(effect(tag));
    step(call)
}

fn retry<F>(mut call: Call, core: &Core<F>, what: &'static str) -> Result<Call, Halt> {
    call.failed(&core.clock).map_err(|_| StopReason::Unavailable(what))?;
    Ok(call)
}

/// Sends again what has rested, and lets rest what was lost.
fn poll<F: Fold>(step: Step, core: &mut Core<F>, out: &mut Vec<Effect>) -> Result<Step, Halt> {
    let mut step = match step {
        Step::Raising(write) => return raised(write.poll(&mut core.clock, out), core, out),
        step => step,
    };
    let (call, what) = match &mut step {
        Step::Reading(call) | Step::Loading(call, ..) => (call, STORE),
        Step::Naming(call) | Step::Measuring(call, _) | Step::Comparing(call, ..) => (call, JOURNAL),
        Step::Raising(_) => return Ok(step),
    };
    match call.due(&mut core.clock) {
        Some(Due::Lost) => call.failed(&core.clock).map_err(|_| StopReason::Unavailable(what))?,
        Some(Due::Again(tag)) => out.push(match &step {
            Step::Reading(_) | Step::Raising(_) => Effect::ReadManifest { tag },
            Step::Naming(_) | Step::Measuring(..) => Effect::ReadEnds { tag },
            Step::Comparing(_, manifest, _) => Effect::ReadEntries { tag, from: manifest.position },
            Step::Loading(_, manifest, ..) => {
                Effect::LoadSections { tag, sections: stored_at_start(core, manifest) }
            }
        }),
        None => {}
    }
    Ok(step)
}

/// Raises the epoch of a shard that has a manifest.
fn raise<F: Fold>(core: &mut Core<F>, current: &Manifest, out: &mut Vec<Effect>) -> Result<Step, Halt> {
    if current.fold_version > core.config.newest_fold_version {
        let (found, newest) = (current.fold_version, core.config.newest_fold_version);
        return Err(StopReason::Refused(format!(
            "the shard is folded by version {found}, this build knows up to {newest}"
        ))
        .into());
    }
    let condition = Condition::EpochAndCut { epoch: current.epoch, cut: current.cut };
    let manifest = Manifest {
        epoch: current.epoch + 1,
        owner: core.config.owner.clone(),
        address: core.config.address.clone(),
        ..current.clone()
    };
    Ok(Step::Raising(ConditionalWrite::begin(condition, Box::new(manifest), &mut core.clock, out)))
}

/// Writes the first manifest of a shard.
fn found<F: Fold>(core: &mut Core<F>, ends: &Ends, out: &mut Vec<Effect>) -> Step {
    let manifest = Manifest {
        shard: core.fold.id(),
        epoch: 1,
        owner: core.config.owner.clone(),
        address: core.config.address.clone(),
        topic_id: ends.topic_id,
        partitions: ends.partitions,
        fold_version: core.fold.fold_version(),
        settings_hash: core.fold.settings_hash(),
        cut: 0,
        position: ends.origin.unwrap_or(0),
        position_time: 0,
        last_checksum: 0,
        lineage: BTreeMap::new(),
        sections: BTreeMap::new(),
        skips: BTreeMap::new(),
        panics: BTreeMap::new(),
    };
    Step::Raising(ConditionalWrite::begin(Condition::Absent, Box::new(manifest), &mut core.clock, out))
}

fn raised<F: Fold>(
    write: Result<ConditionalWrite, Settled>,
    core: &mut Core<F>,
    out: &mut Vec<Effect>,
) -> Result<Step, Halt> {
    match write {
        Ok(write) => Ok(Step::Raising(write)),
        Err(Settled::Applied(manifest)) => {
            out.push(Effect::Passed(CrashPoint::EpochRaised));
            Ok(ask(core, out, |tag| Effect::ReadEnds { tag }, |call| Step::Measuring(call, manifest)))
        }
        Err(Settled::Refused(refused)) => Err(refused.fenced().into()),
        Err(Settled::Unknown) => Err(StopReason::OutcomeUnknown.into()),
    }
}

/// Compares the journal with the manifest as far as its ends tell.
fn measured<F: Fold>(
    core: &mut Core<F>,
    manifest: Box<Manifest>,
    ends: Ends,
    out: &mut Vec<Effect>,
) -> Result<Step, Halt> {
    if let Some(finding) = mismatch(&manifest, &ends) {
        return Err(Halt::Doubt { epoch: manifest.epoch, finding });
    }
    // Before the first cut nothing was folded, so there is nothing to compare.
    if manifest.cut == 0 || ends.start > manifest.position {
        return Ok(load(core, manifest, ends, out));
    }
    let from = manifest.position;
    Ok(ask(core, out, |tag| Effect::ReadEntries { tag, from }, |call| Step::Comparing(call, manifest, ends)))
}

fn mismatch(manifest: &Manifest, ends: &Ends) -> Option<String> {
    let position = manifest.position;
    if ends.topic_id != manifest.topic_id {
        return Some(format!(
            "the topic is {:x}, the cut was made of topic {:x}",
            ends.topic_id, manifest.topic_id
        ));
    }
    if ends.partitions != manifest.partitions {
        return Some(format!(
            "the topic has {} partitions, the cut was made of {}",
            ends.partitions, manifest.partitions
        ));
    }
    if ends.start > position + 1 {
        return Some(format!(
            "the journal starts at {}, the cut ends at {position}: records between them are gone",
            ends.start
        ));
    }
    (ends.end < position)
        .then(|| format!("the journal ends at {}, before the cut at {position}: it lost records", ends.end))
}

/// Compares the last record the cut holds with the journal's, when it is still there.
fn compared<F: Fold>(
    core: &mut Core<F>,
    manifest: Box<Manifest>,
    ends: Ends,
    entries: &Entries,
    out: &mut Vec<Effect>,
) -> Result<Phase, Halt> {
    let position = manifest.position;
    let finding = match entries.entries.first() {
        Some(entry) if entry.offset == position && entry.checksum() != manifest.last_checksum => {
            format!("the journal holds another record at {position} than the one that was folded")
        }
        Some(entry) if entry.offset > position + 1 => {
            format!("the journal starts at {}, the cut ends at {position}", entry.offset)
        }
        _ => return Ok(Phase::Takeover(Takeover(load(core, manifest, ends, out)))),
    };
    Err(Halt::Doubt { epoch: manifest.epoch, finding })
}

fn load<F: Fold>(core: &mut Core<F>, manifest: Box<Manifest>, ends: Ends, out: &mut Vec<Effect>) -> Step {
    let sections = stored_at_start(core, &manifest);
    let begin = |call| Step::Loading(call, manifest, ends, StaleReads::default());
    ask(core, out, |tag| Effect::LoadSections { tag, sections }, begin)
}

/// Of the sections needed at the start, those the cut holds anything of.
fn stored_at_start<F: Fold>(core: &Core<F>, manifest: &Manifest) -> Vec<u16> {
    core.fold
        .needed_at_start()
        .into_iter()
        .filter(|section| manifest.sections.contains_key(section))
        .collect()
}

/// Gives the fold its first sections, tells it of the others, and begins to replay.
fn loaded<F: Fold>(
    core: &mut Core<F>,
    manifest: Box<Manifest>,
    ends: &Ends,
    stored: Vec<Segment>,
    out: &mut Vec<Effect>,
) -> Result<Phase, Halt> {
    let needed = core.fold.needed_at_start();
    let orphans = super::loading::give(core, &manifest, &needed, stored)?;
    for (section, summary) in manifest.sections.iter().filter(|(section, _)| !needed.contains(section)) {
        core.fold.announce(*section, summary);
    }
    if manifest.cut > 0
        && (core.fold.position(), core.fold.settings_hash()) != (manifest.position, manifest.settings_hash)
    {
        let finding = format!(
            "the cut holds position {}, its manifest says {}",
            core.fold.position(),
            manifest.position
        );
        return Err(Halt::Doubt { epoch: manifest.epoch, finding });
    }
    if !orphans.is_empty() {
        out.push(Effect::DeleteSegments { segments: orphans });
    }
    out.push(Effect::Passed(CrashPoint::HeaderLoaded));
    let carrying = Carrying::begin(core, *manifest, ends);
    Box::new(carrying).advance(core, out).map(Phase::Carrying)
}

impl LineageError {
    /// A finding to be doubted before it is believed: a fenced owner's segments go missing rightly.
    pub(super) fn in_epoch(&self, epoch: u64) -> Halt {
        Halt::Doubt { epoch, finding: self.to_string() }
    }
}
