//! The shell's clock as an owner sees it: for waiting only, never for folding. It knows no time but what inputs say.

use crate::owner::effect::{Effect, Tag};
use crate::time::Millis;

/// Nobody waits longer than this for the owner to look around.
pub(super) const HEARTBEAT: Millis = 250;

/// The newest time told, the wake-up already asked for, and the next tag.
#[derive(Debug, Default)]
pub(super) struct ShellClock {
    now: Millis,
    wake: Option<Millis>,
    tags: u64,
}

impl ShellClock {
    pub(super) fn now(&self) -> Millis {
        self.now
    }

    /// Takes a time from an input. A clock that steps back stands still until it has caught up.
    pub(super) fn see(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    /// The shell woke the owner: the wake-up asked for is spent, unless this was another one, on its way already.
    pub(super) fn woken(&mut self) {
        if self.wake.is_some_and(|at| at <= self.now) {
            self.wake = None;
        }
    }

    pub(super) fn tag(&mut self) -> Tag {
        self.tags += 1;
        Tag(self.tags)
    }

    /// Asks to be woken at `at`, unless an earlier wake-up is under way.
    pub(super) fn wake_at(&mut self, at: Millis, out: &mut Vec<Effect>) {
        let at = at.clamp(self.now, self.now.saturating_add(HEARTBEAT));
        if self.wake.is_none_or(|asked| at < asked) {
            self.wake = Some(at);
            out.push(Effect::WakeAt { at });
        }
    }
}
