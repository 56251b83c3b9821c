//! Doubt: something does not match. Before a person is called, a serial read says whether another owner is merely at work.
//!
//! A fenced owner may well find segments missing or the journal trimmed beyond its cut: the owner after it replaced the one
//! and no longer needs the other. Only with the epoch still its own is a finding damage.

use crate::limits::CALL_TRIES;
use crate::owner::call::{Call, Due};
use crate::owner::effect::{Effect, StopReason};
use crate::owner::input::Input;
use crate::owner::{Core, Halt};
use crate::time::Millis;

pub(super) struct Doubt {
    epoch: u64,
    finding: String,
    read: Call,
}

impl Doubt {
    pub(super) fn begin<F>(epoch: u64, finding: String, core: &mut Core<F>, out: &mut Vec<Effect>) -> Self {
        let (read, tag) = Call::begin(&mut core.clock, CALL_TRIES);
        out.push(Effect::ReadManifest { tag });
        Self { epoch, finding, read }
    }

    pub(super) fn handle<F>(
        mut self,
        core: &mut Core<F>,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<Self, Halt> {
        let mut failed = false;
        if let Input::Manifest { tag, result } = input
            && self.read.awaits(tag)
        {
            match result {
                Ok(Some(current)) if current.epoch != self.epoch => {
                    return Err(StopReason::Fenced { epoch: current.epoch }.into());
                }
                Ok(_) => return Err(StopReason::Refused(self.finding).into()),
                Err(_) => failed = true,
            }
        }
        match self.read.due(&mut core.clock) {
            Some(Due::Lost) => failed = true,
            Some(Due::Again(tag)) => out.push(Effect::ReadManifest { tag }),
            None => {}
        }
        if failed {
            self.read.failed(&core.clock).map_err(|_| StopReason::Unavailable("the store"))?;
        }
        Ok(self)
    }

    pub(super) fn wake(&self) -> Millis {
        self.read.wake()
    }
}
