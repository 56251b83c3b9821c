//! Cutting: freeze at a position, encode between batches, write the segments, make them true by flipping the manifest, delete
//! what that supersedes. One cut at a time; folding goes on meanwhile.
//!
//! **Encoding goes by the clock**, a slice now and then: however many records are folded, and however many actors changed, it takes a small
//! share of a core, and what is folded meanwhile waits for one slice at most. Only a hand-over encodes as fast as it can.
//!
//! **Bytes once written under a name stay.** A segment is named (section, cut, epoch). A write of it that timed out may still arrive
//! later, so a cut number whose segments were ever sent is never used again by this epoch with other bytes:
//! - Segments of unknown outcome are repeated, the same bytes under the same names. After [`SEGMENT_TRIES`] the cut is given up and its number
//!   *burnt*: the next cut takes the number after it. Numbers of committed cuts rise, but need not be consecutive; the flip's
//!   condition is "the cut committed before this one", whatever its number.
//! - A flip that was sent is never given up. It is repeated identically until its outcome is known, or the owner stops:
//!   with another cut under way, a late flip could commit the one whose segments are already deleted.
//!
//! An epoch belongs to one owner, so two owners never write one name. What a burnt or fenced cut left behind is named by no manifest.

use crate::cut::manifest::{Condition, Manifest, SectionSummary};
use crate::cut::segment::{Segment, SegmentId};
use crate::limits::{CUT_HURRIES_AFTER, CUT_SLICE_EVERY, CUT_WAITS_FOR_ROOM, SEGMENT_TRIES};
use crate::owner::call::{Call, Due};
use crate::owner::conditional::{ConditionalWrite, Settled};
use crate::owner::effect::{CrashPoint, Effect, StopReason};
use crate::owner::fold::SectionDraft;
use crate::owner::input::{Input, WriteOutcome};
use crate::owner::{Core, Fold, Halt};
use crate::planted::Bug;
use crate::time::{HOUR, Millis, SECOND};

const SHORTEST_INTERVAL: Millis = 5 * SECOND;
const LONGEST_INTERVAL: Millis = 60 * SECOND;
/// Entries since the last cut at which the interval is shortest: about ten seconds of replay.
const FULL_DEBT: u64 = 3_000_000;
/// A committed position may not grow older than this, in log time: retention must never reach it.
const OLDEST_POSITION: Millis = HOUR;

/// The last record folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastRecord {
    pub(super) offset: u64,
    pub(super) append_time: Millis,
    pub(super) checksum: u32,
}

pub(super) struct Cutting {
    stage: Stage,
    /// The newest cut number of this epoch that was ever used, committed or burnt.
    used: u64,
    /// Shell time the last cut was frozen, or the shard was taken over.
    last_at: Millis,
    /// Segments of burnt cuts: deleted with the next commit.
    burnt: Vec<SegmentId>,
}

enum Stage {
    Idle,
    /// The next slice not before this time.
    Encoding(Frozen, Millis),
    Writing(Written, Call),
    Flipping(ConditionalWrite, Vec<SegmentId>),
}

/// A cut whose sections are being encoded: what the manifest will say of its position.
struct Frozen {
    last: LastRecord,
    settings_hash: u64,
    fold_version: u32,
}

/// A cut whose segments are being written.
struct Written {
    manifest: Box<Manifest>,
    segments: Vec<Segment>,
    superseded: Vec<SegmentId>,
}

impl Cutting {
    pub(super) fn new(manifest: &Manifest, now: Millis) -> Self {
        Self { stage: Stage::Idle, used: manifest.cut, last_at: now, burnt: Vec::new() }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Whether slices are waiting to be encoded.
    pub(super) fn is_encoding(&self) -> bool {
        matches!(self.stage, Stage::Encoding(..))
    }

    /// How long a cut has been due: the more there is to replay, the sooner it is. `None` when it is not.
    fn due_for(&self, manifest: &Manifest, position: u64, log_time: Millis, now: Millis) -> Option<Millis> {
        let debt = position.saturating_sub(manifest.position);
        if debt == 0 || !self.is_idle() {
            return None;
        }
        let too_old = log_time - manifest.position_time > OLDEST_POSITION;
        let due = self.last_at + if too_old { SHORTEST_INTERVAL } else { interval(debt) };
        (now >= due).then(|| now - due)
    }

    /// Whether it is time for a cut, should there be room for one.
    pub(super) fn is_due(&self, manifest: &Manifest, position: u64, log_time: Millis, now: Millis) -> bool {
        self.due_for(manifest, position, log_time, now).is_some()
    }

    /// Whether it is time for a cut, room or not.
    pub(super) fn is_overdue(
        &self,
        manifest: &Manifest,
        position: u64,
        log_time: Millis,
        now: Millis,
    ) -> bool {
        self.due_for(manifest, position, log_time, now).is_some_and(|due_for| due_for >= CUT_WAITS_FOR_ROOM)
    }

    /// Freezes the fold where it stands, between two records.
    pub(super) fn begin<F: Fold>(&mut self, core: &mut Core<F>, last: LastRecord, out: &mut Vec<Effect>) {
        core.fold.freeze();
        self.last_at = core.clock.now();
        let frozen =
            Frozen { last, settings_hash: core.fold.settings_hash(), fold_version: core.fold.fold_version() };
        self.stage = Stage::Encoding(frozen, self.last_at + CUT_SLICE_EVERY);
        out.push(Effect::Passed(CrashPoint::CutFrozen));
    }

    /// Encodes a slice if it is time for one, or `at_once`; after the last one the segments are on their way.
    pub(super) fn encode<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        at_once: bool,
        committed: &Manifest,
        out: &mut Vec<Effect>,
    ) {
        let now = core.clock.now();
        self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Encoding(frozen, at) if at_once || at <= now => match core.fold.cut_slice() {
                None => Stage::Encoding(frozen, now + pause(now - self.last_at)),
                Some(drafts) => self.write(core, frozen, drafts, committed, out),
            },
            stage => stage,
        };
    }

    fn write<F>(
        &mut self,
        core: &mut Core<F>,
        frozen: Frozen,
        drafts: Vec<SectionDraft>,
        committed: &Manifest,
        out: &mut Vec<Effect>,
    ) -> Stage {
        self.used += 1;
        let cut = next_cut(self.used, &frozen, drafts, committed);
        if cut.segments.is_empty() {
            return flip(core, cut, committed, out);
        }
        let (call, tag) = Call::begin(&mut core.clock, SEGMENT_TRIES);
        out.push(Effect::WriteSegments { tag, segments: cut.segments.clone() });
        Stage::Writing(cut, call)
    }

    /// Takes a reply that may be a cut's. `committed` becomes the new manifest once it is.
    pub(super) fn input<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        committed: &mut Manifest,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<(), Halt> {
        self.stage = match (std::mem::replace(&mut self.stage, Stage::Idle), input) {
            (Stage::Writing(cut, call), Input::SegmentsWritten { tag, outcome }) if call.awaits(tag) => {
                match outcome {
                    WriteOutcome::Written => {
                        out.push(Effect::Passed(CrashPoint::SegmentsWritten));
                        flip(core, cut, committed, out)
                    }
                    WriteOutcome::Unknown => self.write_failed(core, cut, call),
                }
            }
            (Stage::Flipping(write, _), input)
                if core.config.planted.has(Bug::TimeoutTakenAsFailed) && write.timed_out(&input) =>
            {
                self.used -= 1;
                core.fold.cut_abandoned();
                Stage::Idle
            }
            (Stage::Flipping(write, superseded), input) => {
                let write = write.input(input, &mut core.clock, out);
                self.settle(write, superseded, core, committed, out)?
            }
            (stage, _) => stage,
        };
        Ok(())
    }

    /// Retries what is due.
    pub(super) fn poll<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        committed: &mut Manifest,
        out: &mut Vec<Effect>,
    ) -> Result<(), Halt> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Writing(cut, mut call) => match call.due(&mut core.clock) {
                Some(Due::Lost) => self.write_failed(core, cut, call),
                Some(Due::Again(tag)) => {
                    out.push(Effect::WriteSegments { tag, segments: cut.segments.clone() });
                    Stage::Writing(cut, call)
                }
                None => Stage::Writing(cut, call),
            },
            Stage::Flipping(write, superseded) => {
                let write = write.poll(&mut core.clock, out);
                self.settle(write, superseded, core, committed, out)?
            }
            stage => stage,
        };
        Ok(())
    }

    pub(super) fn wake(&self) -> Millis {
        match &self.stage {
            Stage::Idle => Millis::MAX,
            Stage::Encoding(_, at) => *at,
            Stage::Writing(_, call) => call.wake(),
            Stage::Flipping(write, _) => write.wake(),
        }
    }

    /// Rests before the same segments are written again; in the end gives the cut up and burns its number.
    fn write_failed<F: Fold>(&mut self, core: &mut Core<F>, cut: Written, mut call: Call) -> Stage {
        if call.failed(&core.clock).is_ok() {
            return Stage::Writing(cut, call);
        }
        self.burnt.extend(cut.segments.iter().map(|segment| segment.id));
        core.fold.cut_abandoned();
        Stage::Idle
    }

    fn settle<F: Fold>(
        &mut self,
        write: Result<ConditionalWrite, Settled>,
        mut superseded: Vec<SegmentId>,
        core: &mut Core<F>,
        committed: &mut Manifest,
        out: &mut Vec<Effect>,
    ) -> Result<Stage, Halt> {
        match write {
            Ok(write) => Ok(Stage::Flipping(write, superseded)),
            Err(Settled::Applied(manifest)) => {
                *committed = *manifest;
                out.push(Effect::Passed(CrashPoint::ManifestFlipped));
                core.fold.cut_committed();
                superseded.append(&mut self.burnt);
                delete(superseded, out);
                out.push(Effect::Passed(CrashPoint::SupersededDeleted));
                Ok(Stage::Idle)
            }
            Err(Settled::Refused(refused)) => match refused.current {
                Some(current) if core.config.planted.has(Bug::FenceDropped) => {
                    let condition = Condition::EpochAndCut { epoch: current.epoch, cut: current.cut };
                    Ok(Stage::Flipping(
                        ConditionalWrite::begin(condition, refused.wanted, &mut core.clock, out),
                        superseded,
                    ))
                }
                _ => Err(refused.fenced().into()),
            },
            Err(Settled::Unknown) => Err(StopReason::OutcomeUnknown.into()),
        }
    }
}

/// The time between two cuts: from a minute down to five seconds as the replay debt grows.
fn interval(debt: u64) -> Millis {
    let spread = LONGEST_INTERVAL - SHORTEST_INTERVAL;
    LONGEST_INTERVAL - spread * debt.min(FULL_DEBT) as Millis / FULL_DEBT as Millis
}

/// The time between two slices of a cut that has taken so long already.
fn pause(taken: Millis) -> Millis {
    match taken / CUT_HURRIES_AFTER {
        0 => CUT_SLICE_EVERY,
        1 => CUT_SLICE_EVERY / 2,
        _ => 0,
    }
}

/// Names the segments of a cut, and says what the manifest becomes once they are written.
fn next_cut(number: u64, frozen: &Frozen, drafts: Vec<SectionDraft>, committed: &Manifest) -> Written {
    let mut manifest = Box::new(committed.clone());
    let epoch = committed.epoch;
    manifest.cut = number;
    manifest.position = frozen.last.offset;
    manifest.position_time = frozen.last.append_time;
    manifest.last_checksum = frozen.last.checksum;
    manifest.settings_hash = frozen.settings_hash;
    manifest.fold_version = frozen.fold_version;
    manifest.panics.retain(|offset, _| *offset > frozen.last.offset);

    let mut superseded = Vec::new();
    let mut segments = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let before = manifest.sections.get(&draft.section);
        let base = draft.base || before.is_none();
        let (base_piece, deltas) = match before {
            Some(before) if !base => (before.base, [before.deltas.as_slice(), &[(number, epoch)]].concat()),
            _ => ((number, epoch), Vec::new()),
        };
        if base {
            superseded.extend(committed.segments_of(draft.section));
        }
        let totals = draft.summary;
        let summary = SectionSummary {
            base: base_piece,
            deltas,
            actors: totals.actors,
            bytes: totals.bytes,
            earliest_watermark_timer: totals.earliest_watermark_timer,
            earliest_log_timer: totals.earliest_log_timer,
        };
        manifest.sections.insert(draft.section, summary);
        // The blob knows whether it is a base; a delta over nothing still begins its section.
        segments.push(Segment {
            id: SegmentId { section: draft.section, cut: number, epoch },
            base: draft.base,
            blob: draft.blob.into(),
        });
    }
    manifest.lineage.insert(epoch, number);
    manifest.forget_unused_epochs();
    Written { manifest, segments, superseded }
}

/// Sends the flip: the moment the cut becomes true, or never.
fn flip<F>(core: &mut Core<F>, cut: Written, committed: &Manifest, out: &mut Vec<Effect>) -> Stage {
    let planted = core.config.planted;
    let condition = match planted.has(Bug::FlipOnEpochAlone) {
        true => Condition::Epoch(committed.epoch),
        false => Condition::EpochAndCut { epoch: committed.epoch, cut: committed.cut },
    };
    if planted.has(Bug::DeleteBeforeCommit) {
        delete(cut.superseded.clone(), out);
    }
    Stage::Flipping(ConditionalWrite::begin(condition, cut.manifest, &mut core.clock, out), cut.superseded)
}

fn delete(segments: Vec<SegmentId>, out: &mut Vec<Effect>) {
    if !segments.is_empty() {
        out.push(Effect::DeleteSegments { segments });
    }
}
