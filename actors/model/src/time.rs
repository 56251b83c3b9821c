//! Times as the fold knows them: milliseconds since the Unix epoch, UTC, as the journal or the event gave them.

use prost_types::Timestamp;

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// An event may not claim to happen later than this after log time: one client in 2099 must not close every window.
pub const FUTURE_BOUND: Millis = 5 * MINUTE;
/// Nor earlier than this before it: history comes by a history journal.
pub const PAST_BOUND: Millis = 7 * DAY;

/// A protobuf timestamp in milliseconds, rounded down; far-away ones stop at the ends of time.
pub fn from_timestamp(timestamp: &Timestamp) -> Millis {
    let millis = i64::from(timestamp.nanos).div_euclid(1_000_000);
    timestamp.seconds.saturating_mul(SECOND).saturating_add(millis)
}

/// Milliseconds as a protobuf timestamp.
pub fn to_timestamp(millis: Millis) -> Timestamp {
    Timestamp { seconds: millis.div_euclid(SECOND), nanos: (millis.rem_euclid(SECOND) * 1_000_000) as i32 }
}

/// Where a shard stands while one record (or one due timer) is folded. SEMANTICS.md section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Offset of the record being folded; timers carry the offset of the record that made them due.
    pub offset: u64,
    /// Log time: running maximum of append times.
    pub log_time: Millis,
    /// High water: running maximum of `min(event time, log time)`. A metric's watermark is this less its lateness.
    pub high_water: Millis,
    /// The fold's own watermark: `high_water − defaults.lateness`; while a timer fires, at least its deadline.
    pub watermark: Millis,
    /// Nothing of an actor that ended before this is within reach of any event: running maximum of `high_water − F − session_gap`.
    pub out_of_reach: Millis,
}

impl Now {
    /// The watermark of a metric that waits `lateness` for stragglers. While a timer fires it is never behind the timer.
    pub fn watermark_of(&self, lateness: Millis) -> Millis {
        self.high_water.saturating_sub(lateness)
    }
}
