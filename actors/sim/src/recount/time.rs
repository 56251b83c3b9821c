//! Log time, high water and watermarks of one shard (section 1).

/// Milliseconds since the epoch.
pub(super) type Ms = i64;

pub(super) const SECOND: Ms = 1_000;
pub(super) const MINUTE: Ms = 60 * SECOND;
pub(super) const HOUR: Ms = 60 * MINUTE;
pub(super) const DAY: Ms = 24 * HOUR;

/// Before the first record nothing has a time; far enough back that no difference overflows.
pub(super) const LONG_AGO: Ms = i64::MIN / 4;

/// The two clocks a shard's records move.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// `L`, the running maximum of append times.
    pub(super) log: Ms,
    /// `H`, the running maximum of `min(T, L)`.
    pub(super) high: Ms,
    /// The running maximum of `H - F - gap`: what ended before is out of reach.
    pub(super) floor: Ms,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { log: LONG_AGO, high: LONG_AGO, floor: LONG_AGO }
    }

    pub(super) fn append(&mut self, append: Ms) {
        self.log = self.log.max(append);
    }

    pub(super) fn reach(&mut self, event_time: Ms) {
        self.high = self.high.max(event_time.min(self.log));
    }

    /// The bound of section 1 for journals that are not history.
    pub(super) fn in_range(&self, event_time: Ms) -> bool {
        event_time <= self.log + 5 * MINUTE && event_time >= self.log - 7 * DAY
    }
}

/// The high water a fact is judged at; every watermark follows from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    high: Ms,
}

impl Judgement {
    /// For what a record itself makes.
    pub(super) fn of_record(high: Ms) -> Self {
        Self { high }
    }

    /// For what a watermark timer makes: the high water before the record, or what made the timer due.
    pub(super) fn of_timer(high_before: Ms, deadline: Ms, fold_lateness: Ms) -> Self {
        Self { high: high_before.max(deadline + fold_lateness) }
    }

    /// `W(m)` of a metric with this lateness.
    pub(super) fn watermark(&self, lateness: Ms) -> Ms {
        self.high - lateness
    }
}
