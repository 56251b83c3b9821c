//! What a virtual actor must be able to do to live in a bucket, and what it is given while it folds.

use crate::fact::FactSink;
use crate::output::Outputs;
use crate::planted::Planted;
use crate::settings::Settings;
use crate::time::{Millis, Now};

/// A `User` or a `Product`: a plain state machine, kept decoded (hot) or encoded (idle).
pub trait Actor: Sized {
    /// Appends the canonical encoding: equal states, equal bytes. The first byte is the format's version.
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(bytes: &[u8]) -> Result<Self, StateError>;
    /// When it wants to be woken next, on either clock; never, for most kinds.
    #[inline]
    fn deadlines(&self) -> Deadlines {
        Deadlines::default()
    }
    /// Nothing left worth keeping: it may be dropped without a trace.
    fn is_empty(&self) -> bool;
    /// Reads what folding will read that lies apart from the actor itself, so that it is in the cache by then. What it gives only
    /// shows that it was read.
    fn touch(&self) -> u64 {
        0
    }
}

/// The earliest deadline on each clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// Session end, abandonment: due when the watermark reaches it.
    pub watermark: Option<Millis>,
    /// Orders, holds, stale stock, sales: due when log time reaches it.
    pub log_time: Option<Millis>,
}

/// Which clock a timer runs on. Within a record watermark timers fire first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerClock {
    Watermark,
    LogTime,
}

/// What an actor is given to fold one record or one due timer.
#[allow(missing_debug_implementations)]
pub struct Context<'a> {
    pub now: Now,
    pub settings: &'a Settings,
    pub facts: &'a mut dyn FactSink,
    pub out: &'a mut Outputs,
    pub planted: Planted,
}

/// A stored state that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    #[error("state has format {found}, this build reads up to {newest}")]
    Newer { found: u8, newest: u8 },
    #[error("state is damaged: {0}")]
    Damaged(String),
}
