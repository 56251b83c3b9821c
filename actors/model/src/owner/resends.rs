//! Re-sends: saga steps are implied by state, so whatever got lost is said again. No outbox, no acknowledgement to wait for.
//!
//! One sweep over the state follows every takeover, at most [`RESENDS_PER_PERIOD`] steps a period (a token bucket); later sweeps follow
//! log time. A step that was sent rests, in log time, twice as long after each time; what a whole sweep did not bring up again is
//! settled and forgotten. All of it is soft: a step sent too often is deduplicated by its business id.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use souk_proto::journal::v1 as journal;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::key::ActorKey;
use crate::limits::{RESENDS_PER_PERIOD, RESENDS_REMEMBERED};
use crate::output::{Output, Outputs};
use crate::owner::appends::Appends;
use crate::owner::effect::Effect;
use crate::owner::{Core, Fold};
use crate::planted::Bug;
use crate::time::{MINUTE, Millis, SECOND};

/// Log time between sweeps, and the first rest of a step.
const FIRST_REST: Millis = 10 * SECOND;
const LONGEST_REST: Millis = 10 * MINUTE;
/// Shell time between two draws from the token bucket.
const PERIOD: Millis = 250;

#[derive(Debug)]
pub(super) struct Resends {
    sweep: Sweep,
    /// Shell time of the next draw.
    next_at: Millis,
    rests: BTreeMap<u64, Rest>,
    /// Sweeps begun: what the last one did not touch is settled.
    round: u64,
}

#[derive(Debug, Clone, Copy)]
enum Sweep {
    /// Goes on after this token.
    Running(Option<u64>),
    /// Over; the next begins at this log time.
    Resting { until: Millis },
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Millis,
    times: u32,
    round: u64,
}

impl Default for Resends {
    fn default() -> Self {
        Self { sweep: Sweep::Running(None), next_at: 0, rests: BTreeMap::new(), round: 1 }
    }
}

impl Resends {
    /// A step left for the first time, as the fold made it.
    pub(super) fn sent(&mut self, to: &ActorKey, step: &journal::Step, log_time: Millis) {
        if self.rests.len() < RESENDS_REMEMBERED {
            self.rests.insert(
                identity(to, step),
                Rest { until: log_time + FIRST_REST, times: 1, round: self.round },
            );
        }
    }

    /// Sections the running sweep needs before it can go on.
    pub(super) fn missing<F: Fold>(&self, core: &Core<F>) -> BTreeSet<u16> {
        match self.sweep {
            Sweep::Running(after) => core.fold.missing_to_resend(after).into_iter().collect(),
            Sweep::Resting { .. } => BTreeSet::new(),
        }
    }

    /// Draws once from the bucket, if a sweep is running or due.
    pub(super) fn poll<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        log_time: Millis,
        appends: &mut Appends,
        out: &mut Vec<Effect>,
    ) {
        if core.config.planted.has(Bug::NoResend) || core.clock.now() < self.next_at || appends.is_full() {
            return;
        }
        let after = match self.sweep {
            Sweep::Running(after) => after,
            Sweep::Resting { until } => {
                if log_time >= until {
                    self.sweep = Sweep::Running(None);
                }
                return;
            }
        };
        if !core.fold.missing_to_resend(after).is_empty() {
            return;
        }
        self.next_at = core.clock.now() + PERIOD;
        let mut outputs = Outputs::default();
        let token = core.fold.resend(after, RESENDS_PER_PERIOD, &mut outputs);
        for output in outputs.items {
            if let Output::Step { journal, to, step } = output
                && self.is_due(&to, &step, log_time)
            {
                appends.send(core, journal, to, *step, out);
            }
        }
        self.sweep = match token {
            Some(_) => Sweep::Running(token),
            None => self.swept(log_time),
        };
    }

    fn swept(&mut self, log_time: Millis) -> Sweep {
        let round = self.round;
        self.rests.retain(|_, rest| rest.round >= round);
        self.round += 1;
        Sweep::Resting { until: log_time + FIRST_REST }
    }

    /// Whether a step has rested long enough; if so, its next rest begins.
    fn is_due(&mut self, to: &ActorKey, step: &journal::Step, log_time: Millis) -> bool {
        let identity = identity(to, step);
        let round = self.round;
        let known = self.rests.len();
        match self.rests.get_mut(&identity) {
            Some(rest) => {
                rest.round = round;
                if log_time < rest.until {
                    return false;
                }
                rest.until = log_time + (FIRST_REST << rest.times.min(16)).min(LONGEST_REST);
                rest.times += 1;
            }
            None if known < RESENDS_REMEMBERED => {
                self.rests.insert(identity, Rest { until: log_time + FIRST_REST, times: 1, round });
            }
            None => {}
        }
        true
    }
}

/// A step's identity for its back-off: all of it, so that two steps of one saga rest apart.
fn identity(to: &ActorKey, step: &journal::Step) -> u64 {
    xxh3_64_with_seed(&step.encode_to_vec(), to.hash())
}
