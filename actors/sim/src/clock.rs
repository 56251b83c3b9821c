//! SimClock: each node's own idea of the time. Owners may wait by it; the fold must never see it.

use souk_model::time::{HOUR, Millis, SECOND};

use crate::faults::{Chaos, Fault};

/// A node's clock: an hour off, stepping back, or standing still.
#[derive(Debug, Default)]
pub struct SimClock {
    skew: Millis,
    frozen: Option<(Millis, Millis)>,
}

impl SimClock {
    pub fn read(&mut self, now: Millis) -> Millis {
        match self.frozen {
            Some((until, value)) if now < until => value,
            _ => {
                self.frozen = None;
                now + self.skew
            }
        }
    }

    pub fn disturb(&mut self, now: Millis, chaos: &mut Chaos) {
        if chaos.strikes(Fault::ClockSkewed, 15) {
            self.skew = [HOUR, -HOUR, 7 * SECOND][chaos.rng.index(3)];
        }
        if chaos.strikes(Fault::ClockStepsBack, 10) {
            self.skew -= chaos.rng.between(1, 60) * SECOND;
        }
        if chaos.strikes(Fault::ClockFrozen, 15) {
            self.frozen = Some((now + chaos.rng.between(1, 20) * SECOND, now + self.skew));
        }
    }

    /// Skew stays: it is no reason to stand still. Frozen clocks go on.
    pub fn calm(&mut self) {
        self.frozen = None;
    }
}
