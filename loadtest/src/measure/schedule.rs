//! Open loop: when each request is due follows from the rate alone and is fixed before the run. A server that stalls finds all that
//! was due in the meantime waiting, and each of it is late from its due time: nothing is omitted in its favour.

use std::time::Duration;

use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::Timespec;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::limits;

/// When each of a run's requests is due.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    start: Instant,
    /// Requests a second.
    rate: f64,
    count: u64,
}

/// One request to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub n: u64,
    pub at: Instant,
}

impl Schedule {
    /// `rate` requests a second for `length`.
    pub fn new(start: Instant, rate: f64, length: Duration) -> Self {
        Self { start, rate, count: (rate * length.as_secs_f64()).round() as u64 }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// When request `n` is due. Computed from the start each time, so that no rounding adds up.
    pub fn due(&self, n: u64) -> Instant {
        self.start + Duration::from_secs_f64(n as f64 / self.rate)
    }

    /// Hands out what is due, as it becomes due. A thread of its own sleeps: the runtime's timers are a millisecond coarse.
    pub fn pace(self) -> mpsc::Receiver<Due> {
        let (ticks, due) = mpsc::channel(limits::TICKS_AHEAD);
        std::thread::spawn(move || {
            for n in 0..self.count {
                let at = self.due(n);
                sleep_until(at);
                if ticks.blocking_send(Due { n, at }).is_err() {
                    return;
                }
            }
        });
        due
    }
}

fn sleep_until(at: Instant) {
    loop {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        let request = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match nanosleep(&request) {
            // A sleep cut short by a signal is looked at again.
            NanosleepRelativeResult::Ok | NanosleepRelativeResult::Interrupted(_) => {}
            NanosleepRelativeResult::Err(error) => unreachable!("a time to sleep is lawful: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_follow_from_the_rate_alone() {
        let start = Instant::now();
        let schedule = Schedule::new(start, 3.0, Duration::from_secs(1_000));
        assert_eq!(schedule.count(), 3_000);
        assert_eq!(schedule.due(0), start);
        assert_eq!(
            schedule.due(3_000),
            start + Duration::from_secs(1_000),
            "a third of a second adds up to no error"
        );
        assert!((0..2_999).all(|n| schedule.due(n) < schedule.due(n + 1)));
    }

    #[tokio::test]
    async fn nothing_is_handed_out_before_it_is_due_and_nothing_is_left_out() {
        let schedule = Schedule::new(Instant::now(), 2_000.0, Duration::from_millis(50));
        let mut due = schedule.pace();
        let mut seen = 0;
        while let Some(next) = due.recv().await {
            assert_eq!(next, Due { n: seen, at: schedule.due(seen) });
            assert!(Instant::now() >= next.at);
            seen += 1;
        }
        assert_eq!(seen, 100);
    }
}
