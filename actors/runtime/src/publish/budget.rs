//! How many rows may still be written to tables: so many a second, whoever on this node writes them.

use parking_lot::Mutex;
use tokio::time::Instant;

/// What a second's rows are divided into, so that parts of one are not lost.
const PARTS: i64 = 1_000_000;

#[derive(Debug)]
pub(super) struct Budget {
    per_second: i64,
    /// Parts of rows left, and when that was counted. Below nothing where a list had to be written whole.
    left: Mutex<(i64, Instant)>,
}

impl Budget {
    pub(super) fn new(per_second: usize, now: Instant) -> Self {
        let per_second = i64::try_from(per_second).unwrap_or(i64::MAX / PARTS);
        Self { per_second, left: Mutex::new((0, now)) }
    }

    /// Rows that may be written now. What was not used is good for a second.
    pub(super) fn left(&self, now: Instant) -> usize {
        let mut left = self.left.lock();
        let passed = i64::try_from(now.saturating_duration_since(left.1).as_micros()).unwrap_or(i64::MAX);
        let most = self.per_second * PARTS;
        *left = (left.0.saturating_add(self.per_second.saturating_mul(passed)).min(most), now);
        usize::try_from(left.0 / PARTS).unwrap_or_default()
    }

    pub(super) fn spend(&self, rows: usize) {
        let mut left = self.left.lock();
        left.0 = left.0.saturating_sub(i64::try_from(rows).unwrap_or(i64::MAX).saturating_mul(PARTS));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn so_many_rows_a_second_and_none_beyond() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let budget = Budget::new(500, began);
        assert_eq!(budget.left(began), 0);
        assert_eq!(budget.left(at(200)), 100);
        budget.spend(130);
        assert_eq!(budget.left(at(200)), 0, "a list is written whole, and made up for");
        assert_eq!(budget.left(at(300)), 20);
        assert_eq!(budget.left(at(60_000)), 500, "a minute of rest is no minute's worth");
    }
}
