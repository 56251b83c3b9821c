//! Poison: a record that panics the fold is counted in the manifest, and the third time put on its skip list.
//!
//! The owner catches the panic itself, so that the rule holds under every shell. The fold is not touched again. Outputs of the
//! batch are dropped, so nothing made at or beyond the record leaves before the skip list says what becomes of it; what came before is
//! implied by state and sent again by the next owner. A flip that is still under way may be applied before or after the count:
//! applied after, it takes the count back, and the record is counted once more by the next owner.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cut::manifest::{Condition, Manifest};
use crate::limits::{CALL_TRIES, PANIC_MESSAGE_BYTES, PANICS_TO_SKIP, SKIPS};
use crate::owner::call::{Call, Due};
use crate::owner::conditional::{ConditionalWrite, Settled};
use crate::owner::effect::{CrashPoint, Effect, StopReason};
use crate::owner::input::Input;
use crate::owner::{Core, Halt};
use crate::time::Millis;

/// Runs a part of the fold that reads the entry at `offset`, and takes its panic for what it is.
pub(super) fn guarded<T>(epoch: u64, offset: u64, part: impl FnOnce() -> T) -> Result<T, Halt> {
    catch_unwind(AssertUnwindSafe(part)).map_err(|panic| Halt::Panicked {
        epoch,
        offset,
        message: message_of(&*panic),
    })
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("no message");
    text[..text.floor_char_boundary(PANIC_MESSAGE_BYTES)].to_owned()
}

/// An owner whose fold panicked: it counts, then stops.
pub(super) struct Condemned {
    case: Case,
    stage: Stage,
}

/// What is to be counted, and how often that was tried.
struct Case {
    epoch: u64,
    offset: u64,
    message: String,
    rounds: u32,
}

enum Stage {
    /// Reading the manifest as it stands: a flip may have been applied since.
    Reading(Call),
    Writing(ConditionalWrite),
}

impl Condemned {
    pub(super) fn begin<F>(
        epoch: u64,
        offset: u64,
        message: String,
        core: &mut Core<F>,
        out: &mut Vec<Effect>,
    ) -> Self {
        Self { case: Case { epoch, offset, message, rounds: 1 }, stage: Stage::Reading(read(core, out)) }
    }

    pub(super) fn handle<F>(
        mut self,
        core: &mut Core<F>,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<Self, Halt> {
        self.stage = match self.stage {
            Stage::Writing(write) => match write
                .input(input, &mut core.clock, out)
                .and_then(|write| write.poll(&mut core.clock, out))
            {
                Ok(write) => Stage::Writing(write),
                Err(settled) => self.case.settled(settled, core, out)?,
            },
            Stage::Reading(call) => self.case.reading(call, input, core, out)?,
        };
        Ok(self)
    }

    pub(super) fn wake(&self) -> Millis {
        match &self.stage {
            Stage::Reading(call) => call.wake(),
            Stage::Writing(write) => write.wake(),
        }
    }
}

impl Case {
    fn reading<F>(
        &self,
        mut call: Call,
        input: Input,
        core: &mut Core<F>,
        out: &mut Vec<Effect>,
    ) -> Result<Stage, Halt> {
        let mut failed = false;
        if let Input::Manifest { tag, result } = input
            && call.awaits(tag)
        {
            match result {
                Ok(current) => return self.count(current, core, out).map(Stage::Writing),
                Err(_) => failed = true,
            }
        }
        match call.due(&mut core.clock) {
            Some(Due::Lost) => failed = true,
            Some(Due::Again(tag)) => out.push(Effect::ReadManifest { tag }),
            None => {}
        }
        if failed {
            call.failed(&core.clock).map_err(|_| StopReason::OutcomeUnknown)?;
        }
        Ok(Stage::Reading(call))
    }

    /// One more panic at the offset; with the last one it is skipped from here on.
    fn count<F>(
        &self,
        current: Option<Box<Manifest>>,
        core: &mut Core<F>,
        out: &mut Vec<Effect>,
    ) -> Result<ConditionalWrite, Halt> {
        let Some(mut manifest) = current.filter(|current| current.epoch == self.epoch) else {
            return Err(StopReason::Fenced { epoch: 0 }.into());
        };
        if manifest.skips.contains_key(&self.offset) {
            return Err(StopReason::Refused(format!(
                "the fold panics at {} even though it is skipped: {}",
                self.offset, self.message
            ))
            .into());
        }
        let condition = Condition::EpochAndCut { epoch: manifest.epoch, cut: manifest.cut };
        let panics = manifest.panics.entry(self.offset).or_default();
        *panics += 1;
        if *panics >= PANICS_TO_SKIP {
            self.skip(&mut manifest)?;
        }
        Ok(ConditionalWrite::begin(condition, manifest, &mut core.clock, out))
    }

    fn skip(&self, manifest: &mut Manifest) -> Result<(), Halt> {
        manifest.panics.remove(&self.offset);
        if manifest.skips.len() >= SKIPS {
            let position = manifest.position;
            manifest.skips.retain(|offset, _| *offset > position);
        }
        if manifest.skips.len() >= SKIPS {
            return Err(
                StopReason::Refused(format!("{SKIPS} records panicked the fold since the last cut")).into()
            );
        }
        manifest
            .skips
            .insert(self.offset, format!("panicked the fold {PANICS_TO_SKIP} times: {}", self.message));
        Ok(())
    }

    fn settled<F>(
        &mut self,
        settled: Settled,
        core: &mut Core<F>,
        out: &mut Vec<Effect>,
    ) -> Result<Stage, Halt> {
        match settled {
            Settled::Applied(manifest) => {
                if manifest.skips.contains_key(&self.offset) {
                    out.push(Effect::Passed(CrashPoint::SkipListed));
                }
                Err(StopReason::FoldPanicked { offset: self.offset }.into())
            }
            // A flip of this owner, sent before the panic, was applied after all: count on top of it.
            Settled::Refused(refused)
                if self.rounds < COUNT_ROUNDS
                    && refused.current.as_ref().is_some_and(|now| now.epoch == self.epoch) =>
            {
                self.rounds += 1;
                Ok(Stage::Reading(read(core, out)))
            }
            Settled::Refused(refused) => Err(refused.fenced().into()),
            Settled::Unknown => Err(StopReason::OutcomeUnknown.into()),
        }
    }
}

/// At most one flip is under way when the fold panics, so a second round finds it applied.
const COUNT_ROUNDS: u32 = 3;

fn read<F>(core: &mut Core<F>, out: &mut Vec<Effect>) -> Call {
    let (call, tag) = Call::begin(&mut core.clock, CALL_TRIES);
    out.push(Effect::ReadManifest { tag });
    call
}
