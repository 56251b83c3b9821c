//! One request and its retries: a reply that never comes counts as a failed try, and every failed try rests longer.

use crate::owner::clock::ShellClock;
use crate::owner::effect::Tag;
use crate::time::{Millis, SECOND};

/// After this long a reply is given up for lost.
const PATIENCE: Millis = 10 * SECOND;
const FIRST_REST: Millis = 50;
const LONGEST_REST: Millis = 5 * SECOND;

/// A request that is under way, or resting before its next try.
#[derive(Debug)]
pub(super) struct Call {
    state: State,
    tries: u32,
    limit: u32,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Waiting { tag: Tag, until: Millis },
    Resting { until: Millis },
}

/// What the time that passed means for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The reply is lost: as if the service had not answered.
    Lost,
    /// It has rested: send again, with this tag.
    Again(Tag),
}

/// All tries were used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Call {
    /// A first try, and the tag to send it with.
    pub(super) fn begin(clock: &mut ShellClock, limit: u32) -> (Self, Tag) {
        let tag = clock.tag();
        let state = State::Waiting { tag, until: clock.now() + PATIENCE };
        (Self { state, tries: 1, limit }, tag)
    }

    /// Whether this is the reply waited for; late replies to earlier tries are not.
    pub(super) fn awaits(&self, tag: Tag) -> bool {
        matches!(self.state, State::Waiting { tag: waiting, .. } if waiting == tag)
    }

    /// How often it was sent.
    pub(super) fn tries(&self) -> u32 {
        self.tries
    }

    /// The try failed: rest, longer each time.
    pub(super) fn failed(&mut self, clock: &ShellClock) -> Result<(), Exhausted> {
        if self.tries >= self.limit {
            return Err(Exhausted);
        }
        let rest = (FIRST_REST << self.tries.min(10)).min(LONGEST_REST);
        self.state = State::Resting { until: clock.now() + rest };
        Ok(())
    }

    pub(super) fn due(&mut self, clock: &mut ShellClock) -> Option<Due> {
        match self.state {
            State::Waiting { until, .. } if clock.now() >= until => Some(Due::Lost),
            State::Resting { until } if clock.now() >= until => {
                let tag = clock.tag();
                self.state = State::Waiting { tag, until: clock.now() + PATIENCE };
                self.tries += 1;
                Some(Due::Again(tag))
            }
            _ => None,
        }
    }

    /// When to look at this call again.
    pub(super) fn wake(&self) -> Millis {
        match self.state {
            State::Waiting { until, .. } | State::Resting { until } => until,
        }
    }
}
