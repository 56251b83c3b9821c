//! How long something took, as a histogram of counters: an observation is two additions, whoever observes at the same time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds in microseconds: those the telemetry conventions name for calls, from 5 ms to 10 s, and three below for what stays on
/// one machine.
const BOUNDS: [u64; 17] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000,
    2_500_000, 5_000_000, 7_500_000, 10_000_000,
];

/// Counted since it was made. What took longer than the last bound is in the last bucket.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// Durations as they stood at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Seconds, all together.
    pub sum: f64,
    pub count: u64,
    /// Upper bound in seconds and how many were within it but not within the one before. The last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
}

impl Durations {
    /// So many took so long.
    pub fn observe(&self, took: Duration, times: u64) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(times, Relaxed);
        self.micros.fetch_add(micros.saturating_mul(times), Relaxed);
    }

    pub fn spread(&self) -> Spread {
        let bounds = BOUNDS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> =
            bounds.zip(self.buckets.iter().map(|count| count.load(Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Spread { sum: self.micros.load(Relaxed) as f64 / 1e6, count, buckets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_whose_bound_it_does_not_pass() {
        let durations = Durations::default();
        durations.observe(Duration::from_micros(500), 3);
        durations.observe(Duration::from_micros(501), 1);
        durations.observe(Duration::from_secs(11), 2);
        let Spread { sum, count, buckets } = durations.spread();
        assert_eq!((count, buckets.len()), (6, 18));
        assert_eq!((buckets[0], buckets[1], buckets[17]), ((0.000_5, 3), (0.001, 1), (f64::INFINITY, 2)));
        assert!((sum - 22.002_001).abs() < 1e-9);
    }
}
