//! One seed from its first record to the verdict of the oracles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use souk_model::shard::SettingsLibrary;
use souk_model::time::{Millis, SECOND};

use crate::faults::FaultCounts;
use crate::invariants::Violation;
use crate::panics;
use crate::plan::Plan;
use crate::trace::Tracing;
use crate::world::World;

/// Longest time operations and damage may take.
const BUSY: Millis = 600 * SECOND;
/// The tail in which everything must come right: not shorter, though all seems quiet; and no longer.
const TAIL: (Millis, Millis) = (10 * SECOND, 400 * SECOND);
/// With the journals closed, owners fold the rest and tallies reach the series.
const CLOSING: Millis = 8 * SECOND;
/// How often the end of a phase is looked for.
const LOOK: Millis = 2 * SECOND;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub faults: FaultCounts,
    pub hash: u64,
    pub trace: Vec<String>,
}

/// Runs a plan. Compiled settings are shared by the runs of a thread.
pub fn run(plan: Plan, tracing: Tracing, library: &Arc<SettingsLibrary>) -> Outcome {
    panics::keep();
    let mut world = World::new(plan, tracing, Arc::clone(library));
    let ran = catch_unwind(AssertUnwindSafe(|| play(&mut world)));
    if ran.is_err() {
        world.violation.get_or_insert_with(|| Violation::new("panic", panics::last()));
    }
    Outcome {
        violation: world.violation.take(),
        faults: world.chaos.counts().clone(),
        hash: world.trace.hash(),
        trace: world.trace.lines().map(str::to_owned).collect(),
    }
}

fn play(world: &mut World) {
    let opened = world.now();
    while !(world.clients.is_done() && world.is_repaired())
        && world.violation.is_none()
        && world.now() < opened + BUSY
    {
        let until = world.now() + LOOK;
        world.run_until(until);
    }
    world.calm();
    let calm = world.now();
    loop {
        let until = world.now() + LOOK;
        world.run_until(until);
        let tail = world.now() - calm;
        if world.violation.is_some() || tail >= TAIL.1 || (tail >= TAIL.0 && world.is_quiet()) {
            break;
        }
    }
    world.closed = true;
    let until = world.now() + CLOSING;
    world.run_until(until);
    if world.violation.is_none()
        && let Err(violation) = world.judge()
    {
        world.object(violation);
    }
}
