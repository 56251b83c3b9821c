//! One conditional write of the manifest, carried on until its outcome is known.
//!
//! A write whose outcome is `Unknown` may still be applied, even after later writes. So nothing is concluded from silence: a serial
//! read decides. If the row is the one written, it was applied. If the condition still holds, the *identical* write is
//! repeated: its condition lets at most one copy apply, and whichever does leaves the same row. Otherwise somebody else came first.
//! Whole rows are compared, so the owner's name in them must never be used by a second owner.

use crate::cut::manifest::{Condition, Manifest};
use crate::limits::{CALL_TRIES, CONDITIONAL_TRIES};
use crate::owner::call::{Call, Due};
use crate::owner::clock::ShellClock;
use crate::owner::effect::{Effect, StopReason};
use crate::owner::input::{CasOutcome, Input};
use crate::time::Millis;

#[derive(Debug)]
pub(super) struct ConditionalWrite {
    condition: Condition,
    manifest: Box<Manifest>,
    write: Call,
    /// The serial read that is to decide, if one is under way.
    read_back: Option<Call>,
}

/// How a conditional write ended.
#[derive(Debug)]
pub(super) enum Settled {
    Applied(Box<Manifest>),
    /// Never applied, and never will be.
    Refused(Refused),
    /// It could not be learned. It may still be applied.
    Unknown,
}

/// A conditional write whose condition does not hold.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) wanted: Box<Manifest>,
    /// The row as it stands.
    pub(super) current: Option<Box<Manifest>>,
}

impl Refused {
    /// Somebody else's write came first.
    pub(super) fn fenced(self) -> StopReason {
        StopReason::Fenced { epoch: self.current.map_or(0, |current| current.epoch) }
    }
}

impl ConditionalWrite {
    pub(super) fn begin(
        condition: Condition,
        manifest: Box<Manifest>,
        clock: &mut ShellClock,
        out: &mut Vec<Effect>,
    ) -> Self {
        let (write, tag) = Call::begin(clock, CONDITIONAL_TRIES);
        out.push(Effect::WriteManifest { tag, condition, manifest: manifest.clone() });
        Self { condition, manifest, write, read_back: None }
    }

    /// Whether this input says that the write itself timed out.
    pub(super) fn timed_out(&self, input: &Input) -> bool {
        matches!(input, Input::Flipped { tag, outcome: CasOutcome::Unknown } if self.write.awaits(*tag))
    }

    pub(super) fn input(
        self,
        input: Input,
        clock: &mut ShellClock,
        out: &mut Vec<Effect>,
    ) -> Result<Self, Settled> {
        match input {
            Input::Flipped { tag, outcome } if self.read_back.is_none() && self.write.awaits(tag) => {
                match outcome {
                    CasOutcome::Applied => Err(Settled::Applied(self.manifest)),
                    CasOutcome::NotApplied { current: Some(current) } => self.judge(Some(current), clock),
                    CasOutcome::NotApplied { current: None } | CasOutcome::Unknown => {
                        Ok(self.read_back(clock, out))
                    }
                }
            }
            Input::Manifest { tag, result }
                if self.read_back.as_ref().is_some_and(|read| read.awaits(tag)) =>
            {
                match result {
                    Ok(current) => self.judge(current, clock),
                    Err(_) => self.read_failed(clock),
                }
            }
            _ => Ok(self),
        }
    }

    /// Retries what is due.
    pub(super) fn poll(mut self, clock: &mut ShellClock, out: &mut Vec<Effect>) -> Result<Self, Settled> {
        if let Some(read) = &mut self.read_back {
            return match read.due(clock) {
                Some(Due::Lost) => self.read_failed(clock),
                Some(Due::Again(tag)) => {
                    out.push(Effect::ReadManifest { tag });
                    Ok(self)
                }
                None => Ok(self),
            };
        }
        match self.write.due(clock) {
            Some(Due::Lost) => Ok(self.read_back(clock, out)),
            Some(Due::Again(tag)) => {
                out.push(Effect::WriteManifest {
                    tag,
                    condition: self.condition,
                    manifest: self.manifest.clone(),
                });
                Ok(self)
            }
            None => Ok(self),
        }
    }

    pub(super) fn wake(&self) -> Millis {
        self.read_back.as_ref().unwrap_or(&self.write).wake()
    }

    fn read_back(mut self, clock: &mut ShellClock, out: &mut Vec<Effect>) -> Self {
        let (read, tag) = Call::begin(clock, CALL_TRIES);
        out.push(Effect::ReadManifest { tag });
        self.read_back = Some(read);
        self
    }

    fn read_failed(mut self, clock: &ShellClock) -> Result<Self, Settled> {
        match self.read_back.as_mut().map(|read| read.failed(clock)) {
            Some(Ok(())) => Ok(self),
            _ => Err(Settled::Unknown),
        }
    }

    /// Decides by the row as a serial read or a refused write showed it.
    fn judge(mut self, current: Option<Box<Manifest>>, clock: &ShellClock) -> Result<Self, Settled> {
        self.read_back = None;
        if current.as_ref() == Some(&self.manifest) {
            return Err(Settled::Applied(self.manifest));
        }
        if !self.condition.holds(current.as_deref()) {
            return Err(Settled::Refused(Refused { wanted: self.manifest, current }));
        }
        match self.write.failed(clock) {
            Ok(()) => Ok(self),
            Err(_) => Err(Settled::Unknown),
        }
    }
}
