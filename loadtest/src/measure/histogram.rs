//! Latencies: a histogram in microseconds that senders keep each for themselves and that is merged at the end.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::limits;

#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let longest = micros(limits::LONGEST);
        Self(Histogram::new_with_bounds(1, longest, 3).expect("bounds and digits are lawful"))
    }
}

impl Latencies {
    /// Notes one; what is longer than the longest counts as the longest.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(micros(latency).max(1));
    }

    pub fn merge(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn quantile(&self, q: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(q))
    }

    pub fn max(&self) -> Duration {
        Duration::from_micros(self.0.max())
    }

    /// `p50 1.2 p90 2.0 p99 3.4 p99.9 5.6 max 7.8 ms`.
    pub fn summary(&self) -> String {
        let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
        let mut text = String::new();
        for (name, q) in quantiles {
            text += &format!("{name} {:.2}  ", in_ms(self.quantile(q)));
        }
        format!("{text}max {:.2} ms  of {}", in_ms(self.max()), self.count())
    }
}

pub fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_parts_say_what_the_whole_says() {
        let (mut whole, mut one, mut two) =
            (Latencies::default(), Latencies::default(), Latencies::default());
        for n in 1..=1_000 {
            let latency = Duration::from_micros(n * 37);
            whole.record(latency);
            if n % 3 == 0 { one.record(latency) } else { two.record(latency) }
        }
        one.merge(&two);
        assert_eq!(one.count(), 1_000);
        for q in [0.5, 0.9, 0.99, 0.999] {
            assert_eq!(one.quantile(q), whole.quantile(q));
        }
        assert_eq!(one.max(), whole.max());
    }

    #[test]
    fn what_is_too_short_or_too_long_is_counted_all_the_same() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::ZERO);
        latencies.record(limits::LONGEST * 2);
        assert_eq!(latencies.count(), 2);
        assert!(latencies.max() >= limits::LONGEST);
    }
}
