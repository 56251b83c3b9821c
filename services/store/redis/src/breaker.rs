//! The circuit breaker: closed, requests are made; open, none are, for a while; half open, one tries.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{FAILURES_TO_OPEN, OPEN_AT_FIRST, OPEN_AT_MOST};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breaker {
    Closed {
        /// In a row.
        failures: u32,
    },
    Open {
        until: Instant,
        lasts: Duration,
    },
    /// One request is under way.
    HalfOpen {
        lasts: Duration,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether a request may be made now. Whoever makes it says what became of it.
    pub(crate) fn lets_through(&mut self, now: Instant) -> bool {
        match *self {
            Self::Closed { .. } => true,
            Self::Open { until, lasts } if now >= until => {
                *self = Self::HalfOpen { lasts };
                true
            }
            Self::Open { .. } | Self::HalfOpen { .. } => false,
        }
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        let lasts = match *self {
            Self::Closed { failures } if failures + 1 < FAILURES_TO_OPEN => {
                *self = Self::Closed { failures: failures + 1 };
                return;
            }
            Self::Closed { .. } => OPEN_AT_FIRST,
            Self::HalfOpen { lasts } => (lasts * 2).min(OPEN_AT_MOST),
            Self::Open { .. } => return,
        };
        *self = Self::Open { until: now + lasts, lasts };
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self, Self::Closed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_one_tries_when_its_time_is_over() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES_TO_OPEN {
            breaker.failed(now);
            assert!(breaker.lets_through(now) && !breaker.is_open());
        }
        breaker.succeeded();
        for _ in 0..FAILURES_TO_OPEN {
            assert!(breaker.lets_through(now));
            breaker.failed(now);
        }
        assert!(breaker.is_open() && !breaker.lets_through(now));
        let later = now + OPEN_AT_FIRST;
        assert!(breaker.lets_through(later), "one");
        assert!(!breaker.lets_through(later), "and no other");
        breaker.failed(later);
        assert!(!breaker.lets_through(later + OPEN_AT_FIRST), "twice as long");
        assert!(breaker.lets_through(later + 2 * OPEN_AT_FIRST));
        breaker.succeeded();
        assert!(!breaker.is_open() && breaker.lets_through(later));
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_stays_open_longer_than_the_most() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..40 {
            assert!(breaker.lets_through(now));
            breaker.failed(now);
            now += OPEN_AT_MOST;
        }
    }
}
