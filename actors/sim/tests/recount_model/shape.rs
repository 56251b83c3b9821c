//! What a seed's journals are like: each draws its own mix, so that rare meetings are common in some of them.

use souk_model::time::{DAY, HOUR, MINUTE, Millis, SECOND};
use souk_sim::rng::Rng;

/// The mix of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) users: usize,
    pub(crate) guests: usize,
    pub(crate) products: usize,
    /// Records drawn; saga steps and ticks come on top.
    pub(crate) records: usize,
    /// The clock timeouts, windows and pauses are measured by.
    pub(crate) beat: Millis,
    /// Longest ordinary pause between two records.
    pub(crate) pause: Millis,
    /// Of a hundred records, how many are commands, and how many are for products.
    pub(crate) commands: u64,
    pub(crate) goods: u64,
    /// Of a hundred, how many go wrong: late, repeated, malformed, skipped; and jumps of the clock.
    pub(crate) late: u64,
    pub(crate) repeated: u64,
    pub(crate) malformed: u64,
    pub(crate) jumps: u64,
    /// Of a hundred saga steps, how many are lost, and how many come twice.
    pub(crate) lossy: u64,
    pub(crate) currencies: usize,
    pub(crate) erases: bool,
    pub(crate) settings_change: bool,
    pub(crate) history: bool,
}

impl Shape {
    pub(crate) fn of(seed: u64) -> Self {
        let rng = &mut Rng::of(seed, "shape");
        let beat = [SECOND, 10 * SECOND, MINUTE, 20 * MINUTE][rng.index(4)];
        let sometimes =
            |rng: &mut Rng, most: i64| if rng.one_in(3) { 0 } else { rng.between(1, most) as u64 };
        Self {
            users: rng.between(1, 5) as usize,
            guests: rng.between(1, 4) as usize,
            products: rng.between(1, 6) as usize,
            records: rng.between(60, 250) as usize,
            beat,
            pause: beat * [2, 10, 40][rng.index(3)],
            commands: [5, 25, 60][rng.index(3)],
            goods: [5, 15, 40][rng.index(3)],
            late: sometimes(rng, 30),
            repeated: sometimes(rng, 20),
            malformed: sometimes(rng, 10),
            jumps: sometimes(rng, 6),
            lossy: sometimes(rng, 30),
            currencies: [1, 1, 3][rng.index(3)],
            erases: rng.one_in(3),
            settings_change: rng.one_in(2),
            history: rng.one_in(16),
        }
    }

    /// A pause before the next record: mostly short, now and then none or very long.
    pub(crate) fn pause(&self, rng: &mut Rng) -> Millis {
        let jump = [HOUR, 12 * HOUR, 2 * DAY][rng.index(3)];
        match rng.below(100) {
            0..20 => 0,
            n if n >= 100 - self.jumps => rng.between(0, jump),
            _ => rng.between(0, self.pause),
        }
    }

    /// How long before its arrival an event says it happened; negative: after.
    pub(crate) fn delay(&self, rng: &mut Rng) -> Millis {
        if !rng.percent(self.late) {
            return rng.between(0, 2 * self.beat.min(MINUTE));
        }
        match rng.below(20) {
            0..8 => rng.between(0, 60 * self.beat),
            8..12 => rng.between(0, 30 * HOUR),
            12..14 => rng.between(20 * HOUR, 3 * DAY),
            14..15 => rng.between(6 * DAY, 9 * DAY),
            15 => -73 * 365 * DAY,
            16 => -rng.between(4 * MINUTE, 6 * MINUTE),
            _ => -rng.between(0, 4 * MINUTE),
        }
    }
}
