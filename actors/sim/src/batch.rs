//! Many seeds over a few threads. Results are gathered in seed order, whatever thread ran them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::invariants::Violation;
use crate::plan::Plan;
use crate::report::{Failure, Report};
use crate::run::run;
use crate::trace::Tracing;
use souk_model::shard::SettingsLibrary;

/// One seed in this many runs twice: its traces must be equal.
const TWICE_EVERY: u64 = 100;
/// Failures after which the rest is not worth running.
const ENOUGH: usize = 10;

/// Seeds `from ..from + count`.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    pub from: u64,
    pub count: u64,
    pub jobs: usize,
}

impl Batch {
    /// Runs all seeds; `progress` is told how many are done, and when one failed.
    pub fn run(self, progress: impl Fn(u64, Option<&Failure>) + Sync) -> Report {
        let next = AtomicU64::new(0);
        let enough = AtomicBool::new(false);
        let whole = Mutex::new(Report::default());
        thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| {
                    let library = Arc::new(SettingsLibrary::default());
                    while !enough.load(Ordering::Relaxed) {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= self.count {
                            break;
                        }
                        let report = seed(Plan::of(self.from + at), &library);
                        let failure = report.failures.first().cloned();
                        let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                        whole.add(report);
                        enough.store(whole.failures.len() >= ENOUGH, Ordering::Relaxed);
                        progress(whole.seeds, failure.as_ref());
                    }
                });
            }
        });
        whole.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs one seed, some of them twice.
fn seed(plan: Plan, library: &Arc<SettingsLibrary>) -> Report {
    let twice = plan.seed.is_multiple_of(TWICE_EVERY);
    let tracing = if twice { Tracing::Hashed } else { Tracing::Off };
    let outcome = run(plan, tracing, library);
    let mut violation = outcome.violation;
    if twice && violation.is_none() && run(plan, tracing, library).hash != outcome.hash {
        violation = Some(Violation::new("determinism", "two runs of one seed differ"));
    }
    let failures = violation.map(|violation| Failure { plan, violation }).into_iter().collect();
    Report { seeds: 1, faults: outcome.faults, failures }
}
