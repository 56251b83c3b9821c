//! The wall clock, for event times. Durations are measured with `tokio::time::Instant`.

use std::time::UNIX_EPOCH;

use prost_types::Timestamp;

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// Now. Event times of live traffic are the client's clock, as a tracker's are.
#[allow(clippy::disallowed_methods)] // the one adapter of the wall clock
pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

pub fn timestamp(at: Millis) -> Timestamp {
    Timestamp {
        seconds: at.div_euclid(1_000),
        nanos: i32::try_from(at.rem_euclid(1_000) * 1_000_000).unwrap_or_default(),
    }
}

pub fn millis(at: &Timestamp) -> Millis {
    at.seconds * 1_000 + i64::from(at.nanos) / 1_000_000
}
