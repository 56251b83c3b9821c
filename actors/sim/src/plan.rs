//! What a seed means: the faults switched on and the length of its workload. Shrinking makes a smaller plan of the same seed.

use std::fmt;

use souk_model::planted::{Bug, Planted};

use crate::faults::{Fault, FaultSet};
use crate::rng::Rng;

/// Client operations of a seed: enough for several cuts and takeovers, few enough for thousands of seeds a minute.
const OPERATIONS: (i64, i64) = (80, 240);
/// One seed in this many has no faults at all: the model alone must be right.
const QUIET_ONE_IN: u64 = 12;
/// One seed in this many has damage no owner may serve over.
const REFUSAL_ONE_IN: u64 = 10;

/// One run, fully determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub faults: FaultSet,
    pub operations: u32,
    /// The rule broken on purpose.
    pub bug: Option<Bug>,
}

/// As the arguments of a replay.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--seed {} --operations {}", self.seed, self.operations)?;
        let faults: Vec<String> = self.faults.iter().map(|fault| format!("{fault:?}")).collect();
        write!(f, " --faults {}", if faults.is_empty() { "none".to_owned() } else { faults.join(",") })?;
        match self.bug {
            Some(bug) => write!(f, " --bug {bug:?}"),
            None => Ok(()),
        }
    }
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::of(seed, "plan");
        let operations = rng.between(OPERATIONS.0, OPERATIONS.1) as u32;
        let mut faults = FaultSet::default();
        if !rng.one_in(QUIET_ONE_IN) {
            // Swarm: how much is on differs as well as what, so that no kind always hides another.
            let density = [10, 25, 50, 75][rng.index(4)];
            for fault in Fault::ALL.iter().filter(|fault| !fault.is_refusal()) {
                if rng.percent(density) {
                    faults.insert(*fault);
                }
            }
            if rng.one_in(REFUSAL_ONE_IN) {
                faults.insert(Fault::REFUSALS[rng.index(Fault::REFUSALS.len())]);
            }
        }
        Self { seed, faults, operations, bug: None }
    }

    pub fn with_bug(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }

    pub fn planted(&self) -> Planted {
        self.bug.map_or_else(Planted::default, Planted::with)
    }

    /// The damage this seed does that an owner must refuse to serve over.
    pub fn refusal(&self) -> Option<Fault> {
        Fault::REFUSALS.into_iter().find(|fault| self.faults.has(*fault))
    }
}
