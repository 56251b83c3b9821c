//! Shrinks a failing plan: fewer kinds of faults, fewer operations, while it fails in the same way. Bounded tries.

use std::sync::Arc;

use souk_model::shard::SettingsLibrary;

use crate::plan::Plan;
use crate::run::run;
use crate::trace::Tracing;

/// Runs spent on one failure.
const TRIES: usize = 160;

/// The smallest plan found that breaks the same invariant.
pub fn shrink(plan: Plan, invariant: &str, library: &Arc<SettingsLibrary>) -> Plan {
    let mut tries = TRIES;
    let mut fails = |candidate: Plan| {
        if tries == 0 {
            return false;
        }
        tries -= 1;
        run(candidate, Tracing::Off, library)
            .violation
            .is_some_and(|violation| violation.invariant == invariant)
    };
    let mut smallest = plan;
    loop {
        let before = smallest;
        smallest = fewer_faults(smallest, &mut fails);
        smallest = fewer_operations(smallest, &mut fails);
        if smallest == before {
            return smallest;
        }
    }
}

fn fewer_faults(mut plan: Plan, fails: &mut impl FnMut(Plan) -> bool) -> Plan {
    for fault in plan.faults.iter() {
        let mut candidate = plan;
        candidate.faults.remove(fault);
        if fails(candidate) {
            plan = candidate;
        }
    }
    plan
}

fn fewer_operations(mut plan: Plan, fails: &mut impl FnMut(Plan) -> bool) -> Plan {
    let mut step = plan.operations / 2;
    while step > 0 {
        let candidate = Plan { operations: plan.operations - step, ..plan };
        if fails(candidate) {
            plan = candidate;
        } else {
            step /= 2;
        }
        step = step.min(plan.operations / 2);
    }
    plan
}
