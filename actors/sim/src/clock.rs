//! SimClock: each node's own idea of the time. Owners may wait by it; the fold must never see it.

use souk_model::time::{HOUR, Millis, SECOND};

use crate::faults::{Chaos, Fault};

/// A node's clock: an hour off, stepping back, or standing still.
#[derive(Debug)]
pub struct SimClock {
    skew: Millis,
    frozen: Option<(Millis, Millis)>,
    /// The latest time it ever gave.
    latest: Millis,
}

impl SimClock {
    /// Right, or an hour off from the start.
    pub fn new(chaos: &mut Chaos) -> Self {
        let skew = if chaos.strikes(Fault::ClockSkewed, 2) { [HOUR, -HOUR][chaos.rng.index(2)] } else { 0 };
        Self { skew, frozen: None, latest: Millis::MIN }
    }

    pub fn read(&mut self, now: Millis) -> Millis {
        let shown = match self.frozen {
            Some((until, value)) if now < until => value,
            _ => {
                self.frozen = None;
                now + self.skew
            }
        };
        self.latest = self.latest.max(shown);
        shown
    }

    pub fn disturb(&mut self, now: Millis, chaos: &mut Chaos) {
        if chaos.strikes(Fault::ClockSkewed, 20) {
            self.skew += chaos.rng.between(0, 1) * HOUR + 7 * SECOND;
        }
        if chaos.strikes(Fault::ClockStepsBack, 10) {
            self.skew -= chaos.rng.between(1, 10) * SECOND;
        }
        if chaos.strikes(Fault::ClockFrozen, 15) {
            self.frozen = Some((now + chaos.rng.between(1, 20) * SECOND, now + self.skew));
        }
    }

    /// Goes on, and has caught up with the latest time it ever gave. Skew stays: it is no reason to stand still.
    pub fn calm(&mut self, now: Millis) {
        self.frozen = None;
        self.skew = self.skew.max(self.latest.saturating_sub(now));
    }
}
