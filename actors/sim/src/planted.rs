//! Shows that the oracles would notice: each planted bug is run until one of them objects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use souk_model::planted::Bug;

use crate::invariants::Violation;
use crate::plan::Plan;
use crate::run::run;
use crate::trace::Tracing;
use souk_model::shard::SettingsLibrary;

/// Seeds a bug may hide in.
pub const SEEDS: u64 = 2_000;

/// The first seed in which a bug was noticed.
#[derive(Debug, Clone)]
pub struct Caught {
    pub seed: u64,
    pub violation: Violation,
}

/// Runs a bug until it is caught.
pub fn hunt(bug: Bug, jobs: usize) -> Option<Caught> {
    let next = AtomicU64::new(1);
    let done = AtomicBool::new(false);
    let caught: Mutex<Option<Caught>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                let library = Arc::new(SettingsLibrary::default());
                while !done.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS {
                        break;
                    }
                    let outcome = run(Plan::of(seed).with_bug(bug), Tracing::Off, &library);
                    // A seed that is red without the bug shows nothing.
                    let clean = || run(Plan::of(seed), Tracing::Off, &library).violation.is_none();
                    if let Some(violation) = outcome.violation.filter(|_| clean()) {
                        let mut caught = caught.lock().unwrap_or_else(PoisonError::into_inner);
                        if caught.as_ref().is_none_or(|earlier| seed < earlier.seed) {
                            *caught = Some(Caught { seed, violation });
                        }
                        done.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    caught.into_inner().unwrap_or_else(PoisonError::into_inner)
}
