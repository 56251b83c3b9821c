//! The owner of a shard as a pure protocol: takeover, replay, live folding, ticks, cuts, tally exchange, re-sends.
//! It says what it wants done ([`Effect`]); a shell does it and tells it what came of it ([`Input`]), `Unknown` included.
//!
//! | phase | file | leaves it when |
//! |---|---|---|
//! | takeover | `takeover` | the epoch is raised, everything checked, what folding needs loaded |
//! | carrying: replay, then live | `carrying` and the files it names | it is fenced, stopped, or in doubt |
//! | doubting | `doubt` | a serial read says whether a finding is damage or only another owner at work |
//! | condemned | `skip` | the record that panicked the fold is counted in the manifest |
//!
//! An owner is never revived: after [`Effect::Stop`] it does nothing, and the shell starts another with an empty fold. Any number
//! of owners of one shard may live at once; the manifest's epoch decides which of them may commit, and the rest do no harm.

mod appends;
mod call;
mod carrying;
mod clock;
mod conditional;
mod cutting;
mod doubt;
pub mod effect;
pub mod fold;
pub mod input;
mod loading;
mod peers;
mod reader;
mod resends;
mod skip;
mod takeover;
mod ticks;

#[cfg(test)]
mod tests;

use std::fmt;

pub use effect::{AppendKey, CrashPoint, Effect, PeerMessage, StopReason, Tag};
pub use fold::Fold;
pub use input::{AppendOutcome, CasOutcome, Ends, Entries, Input, Unavailable, WriteOutcome};

use carrying::Carrying;
use clock::ShellClock;
use doubt::Doubt;
use skip::Condemned;
use takeover::Takeover;

use crate::planted::Planted;

/// What an owner must be told before it starts.
#[derive(Debug, Clone)]
pub struct OwnerConfig {
    /// Name of this owner, used once: node and incarnation.
    pub owner: String,
    /// Where other nodes reach this one; empty: there are none.
    pub address: String,
    /// The newest behaviour of the fold this build knows; a shard beyond it is refused.
    pub newest_fold_version: u32,
    /// Slices folded in one call, [`crate::limits::SLICES_PER_HANDLE`] at most: how long readers wait for it.
    pub slices_per_handle: usize,
    pub planted: Planted,
}

/// Carries one shard.
pub struct Owner<F> {
    core: Core<F>,
    phase: Phase,
}

/// What every phase works with.
struct Core<F> {
    config: OwnerConfig,
    fold: F,
    clock: ShellClock,
    watched: bool,
    room_to_cut: bool,
}

enum Phase {
    Idle,
    Takeover(Takeover),
    Carrying(Box<Carrying>),
    Doubting(Doubt),
    Condemned(Condemned),
    Stopped,
}

/// Why a phase cannot go on.
#[derive(Debug)]
enum Halt {
    Stop(StopReason),
    /// Something does not match. It is damage only if this owner is not fenced.
    Doubt {
        epoch: u64,
        finding: String,
    },
    Panicked {
        epoch: u64,
        offset: u64,
        message: String,
    },
}

impl From<StopReason> for Halt {
    fn from(reason: StopReason) -> Self {
        Self::Stop(reason)
    }
}

impl<F: Fold> Owner<F> {
    /// An owner of the shard `fold` is for. The fold is empty: it is loaded from the committed cut.
    pub fn new(config: OwnerConfig, fold: F) -> Self {
        let core = Core { config, fold, clock: ShellClock::default(), watched: false, room_to_cut: true };
        Self { core, phase: Phase::Idle }
    }

    /// The fold, to read from. Old as soon as another owner has taken over, never wrong.
    pub fn fold(&self) -> &F {
        &self.core.fold
    }

    /// To read from with what needs mutable access, such as an actor that must be decoded first.
    pub fn fold_mut(&mut self) -> &mut F {
        &mut self.core.fold
    }

    /// The epoch this owner raised, once it carries the shard.
    pub fn epoch(&self) -> Option<u64> {
        match &self.phase {
            Phase::Carrying(carrying) => Some(carrying.manifest.epoch),
            _ => None,
        }
    }

    /// Whether replay is over: from here on answers are as fresh as the journal.
    pub fn is_live(&self) -> bool {
        matches!(&self.phase, Phase::Carrying(carrying) if carrying.is_live())
    }

    /// Offset of the newest record in the journal it has heard of, once it carries the shard.
    pub fn end(&self) -> Option<u64> {
        match &self.phase {
            Phase::Carrying(carrying) => Some(carrying.end()),
            _ => None,
        }
    }

    /// The committed manifest, once it carries the shard.
    pub fn manifest(&self) -> Option<&crate::cut::manifest::Manifest> {
        match &self.phase {
            Phase::Carrying(carrying) => Some(&carrying.manifest),
            _ => None,
        }
    }

    /// Tells the time without anything having happened: what is due by then is seen to with the next input.
    pub fn see(&mut self, now: crate::time::Millis) {
        self.core.clock.see(now);
    }

    /// Whether somebody watches what peers make of this shard's news: then it leaves as soon as it is folded.
    pub fn set_watched(&mut self, watched: bool) {
        self.core.watched = watched;
    }

    /// Whether a cut is due that has not begun.
    pub fn wants_to_cut(&self) -> bool {
        matches!(&self.phase, Phase::Carrying(carrying) if carrying.wants_to_cut(&self.core))
    }

    /// Whether a cut may begin, where shards take turns: nothing but a hand-over, or having waited for long, begins one without room.
    pub fn set_room_to_cut(&mut self, room: bool) {
        self.core.room_to_cut = room;
    }

    pub fn is_cutting(&self) -> bool {
        matches!(&self.phase, Phase::Carrying(carrying) if carrying.is_cutting())
    }

    pub fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped)
    }

    /// Takes one input and appends what it wants done. Folds for a few milliseconds at most, then asks to be woken at once.
    pub fn handle(&mut self, input: Input, out: &mut Vec<Effect>) {
        if let Input::Start { now } | Input::Woken { now } | Input::HandOver { now } = input {
            self.core.clock.see(now);
        }
        if let Input::Woken { .. } = input {
            self.core.clock.woken();
        }
        let core = &mut self.core;
        let next = match std::mem::replace(&mut self.phase, Phase::Stopped) {
            Phase::Idle => Self::start(core, &input, out),
            Phase::Takeover(takeover) => takeover.handle(core, input, out),
            Phase::Carrying(carrying) => carrying.handle(core, input, out).map(Phase::Carrying),
            Phase::Doubting(doubt) => doubt.handle(core, input, out).map(Phase::Doubting),
            Phase::Condemned(condemned) => condemned.handle(core, input, out).map(Phase::Condemned),
            Phase::Stopped => return,
        };
        self.phase = next.unwrap_or_else(|halt| Self::halt(core, halt, out));
        if let Some(at) = self.wake() {
            self.core.clock.wake_at(at, out);
        }
    }

    /// One step of a few milliseconds towards a fold that holds no more than so many bytes; whether another may help. First actors nobody
    /// asked for of late are encoded, then sections leave that went unchanged longest and that the committed cut holds: whoever wants to
    /// read them asks with [`Input::Load`], folding loads them by itself. To be called between two inputs, as often as the shell likes.
    pub fn shrink(&mut self, to_bytes: u64) -> bool {
        match &self.phase {
            Phase::Carrying(carrying) => carrying.shrink(&mut self.core, to_bytes),
            _ => false,
        }
    }

    fn start(core: &mut Core<F>, input: &Input, out: &mut Vec<Effect>) -> Result<Phase, Halt> {
        match input {
            Input::Start { .. } => Ok(Phase::Takeover(Takeover::begin(core, out))),
            Input::HandOver { .. } => Err(StopReason::HandedOver.into()),
            _ => Ok(Phase::Idle),
        }
    }

    fn halt(core: &mut Core<F>, halt: Halt, out: &mut Vec<Effect>) -> Phase {
        match halt {
            Halt::Stop(reason) => {
                out.push(Effect::Stop(reason));
                Phase::Stopped
            }
            Halt::Doubt { epoch, finding } => Phase::Doubting(Doubt::begin(epoch, finding, core, out)),
            Halt::Panicked { epoch, offset, message } => {
                Phase::Condemned(Condemned::begin(epoch, offset, message, core, out))
            }
        }
    }

    fn wake(&self) -> Option<crate::time::Millis> {
        match &self.phase {
            Phase::Idle | Phase::Stopped => None,
            Phase::Takeover(takeover) => Some(takeover.wake()),
            Phase::Carrying(carrying) => Some(carrying.wake(&self.core)),
            Phase::Doubting(doubt) => Some(doubt.wake()),
            Phase::Condemned(condemned) => Some(condemned.wake()),
        }
    }
}

impl<F: Fold + fmt::Debug> fmt::Debug for Owner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner")
            .field("owner", &self.core.config.owner)
            .field("fold", &self.core.fold)
            .finish_non_exhaustive()
    }
}
