//! How a stream starts and keeps pace, as its caller asked.

use std::time::Duration;

use souk_proto::v1;
use souk_proto::v1::watch_options::{Delivery, Start};

use crate::ApiError;
use crate::error::Checks;
use crate::limits::{BOOKMARK_EVERY, LONGEST_INTERVAL};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Empty: a new stream.
    pub resume_token: String,
    /// Changes only. Ignored with a token.
    pub from_now: bool,
    /// Every change, where a log is watched.
    pub every_change: bool,
    /// Shortest time between two frames of one row.
    pub min_interval: Duration,
    /// Longest silence.
    pub bookmark_interval: Duration,
}

impl Options {
    /// Reads a request's `watch`; absent means every default.
    pub(crate) fn of(watch: Option<&v1::WatchOptions>) -> Result<Self, ApiError> {
        let watch = watch.cloned().unwrap_or_default();
        let mut checks = Checks::default();
        let start = checks.take(known("watch.start", Start::try_from(watch.start)));
        let delivery = checks.take(known("watch.delivery", Delivery::try_from(watch.delivery)));
        let least = Duration::ZERO;
        let min_interval =
            checks.take(interval("watch.min_interval", watch.min_interval, least, Duration::ZERO));
        let least = Duration::from_nanos(1);
        let bookmark_interval =
            checks.take(interval("watch.bookmark_interval", watch.bookmark_interval, least, BOOKMARK_EVERY));
        checks.done()?;
        Ok(Self {
            resume_token: watch.resume_token,
            from_now: start == Some(Start::Now),
            every_change: delivery == Some(Delivery::All),
            min_interval: min_interval.unwrap_or_default(),
            bookmark_interval: bookmark_interval.unwrap_or(BOOKMARK_EVERY),
        })
    }
}

fn known<T, E>(path: &str, value: Result<T, E>) -> Result<T, ApiError> {
    value.map_err(|_| ApiError::invalid(path, "is no value of its enum"))
}

/// None where it is negative or not a duration at all; the library's own conversion takes any of them and panics at some.
fn length(given: &prost_types::Duration) -> Option<Duration> {
    const NANOS: u32 = 1_000_000_000;
    let nanos = u32::try_from(given.nanos).ok().filter(|nanos| *nanos < NANOS)?;
    Some(Duration::new(u64::try_from(given.seconds).ok()?, nanos))
}

/// A length of time: longer than any stream lives is coerced.
fn interval(
    path: &str,
    given: Option<prost_types::Duration>,
    least: Duration,
    default: Duration,
) -> Result<Duration, ApiError> {
    let Some(given) = given else { return Ok(default) };
    let text = format!("{}.{:09}s", given.seconds, given.nanos.unsigned_abs());
    match length(&given) {
        Some(interval) if interval >= least => Ok(interval.min(LONGEST_INTERVAL)),
        _ => {
            let (least, most) =
                (format!("{}s", least.as_secs_f64()), format!("{}s", LONGEST_INTERVAL.as_secs()));
            Err(ApiError::out_of_range(path, text, least, most))
        }
    }
}
