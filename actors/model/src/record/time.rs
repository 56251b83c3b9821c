//! Times and durations of records, as whole milliseconds.

use prost_types::{Duration, Timestamp};

use crate::record::check::{invalid, refuse};
use crate::time::{Millis, SECOND};
use crate::verdict::{Reason, Refusal};

/// Seconds a Timestamp may hold, 0001-01-01 to 9999-12-31: the bounds of its own specification.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS: std::ops::Range<i32> = 0..1_000_000_000;
const NANOS_OF_A_MILLI: i32 = 1_000_000;

/// A time, rounded down to the millisecond.
pub(super) fn millis(field: &'static str, time: &Timestamp) -> Result<Millis, Refusal> {
    if !SECONDS.contains(&time.seconds) || !NANOS.contains(&time.nanos) {
        return Err(invalid(field, "is no time of the years 1 to 9999"));
    }
    Ok(time.seconds * SECOND + i64::from(time.nanos / NANOS_OF_A_MILLI))
}

/// A duration within its bounds, rounded down to the millisecond.
pub(super) fn duration(
    field: &'static str,
    value: &Duration,
    least: Millis,
    most: Millis,
) -> Result<Millis, Refusal> {
    if !NANOS.contains(&value.nanos) && value.seconds >= 0 {
        return Err(invalid(field, "is no duration"));
    }
    let millis =
        value.seconds.saturating_mul(SECOND).saturating_add(i64::from(value.nanos / NANOS_OF_A_MILLI));
    if !(least..=most).contains(&millis) {
        let message = format!("must be {} s to {} s", least / SECOND, most / SECOND);
        return Err(refuse(Reason::ValueOutOfRange, field, message));
    }
    Ok(millis)
}
