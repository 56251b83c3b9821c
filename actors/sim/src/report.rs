//! What a batch of seeds came to: faults by kind, the first failure, the last line others read.

use std::fmt;

use crate::faults::{Fault, FaultCounts};
use crate::invariants::Violation;
use crate::plan::Plan;

/// A seed an oracle objected to.
#[derive(Debug, Clone)]
pub struct Failure {
    pub plan: Plan,
    pub violation: Violation,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} {}", self.plan.seed, self.violation)
    }
}

#[derive(Debug, Default)]
pub struct Report {
    pub seeds: u64,
    pub faults: FaultCounts,
    /// In seed order.
    pub failures: Vec<Failure>,
}

impl Report {
    pub fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.faults.add(&other.faults);
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|failure| failure.plan.seed);
    }

    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in Fault::ALL {
            writeln!(f, "{:>10}  {}", self.faults.of(*fault), fault.name())?;
        }
        let (seeds, violations) = (self.seeds, self.failures.len());
        write!(
            f,
            "seeds={seeds} violations={violations} faults={} kinds={}",
            self.faults.total(),
            self.faults.kinds()
        )
    }
}
