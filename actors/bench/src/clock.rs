//! CPU time: what this thread (or process) itself spent, page faults included. On a machine that others use too, wall time measures
//! them as well.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Measures the CPU time of one thread, or of the whole process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    clock: ClockId,
    start: Duration,
}

impl Watch {
    pub(crate) fn thread() -> Self {
        Self::of(ClockId::ThreadCPUTime)
    }

    pub(crate) fn process() -> Self {
        Self::of(ClockId::ProcessCPUTime)
    }

    fn of(clock: ClockId) -> Self {
        Self { clock, start: now(clock) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        now(self.clock).saturating_sub(self.start)
    }
}

fn now(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}
