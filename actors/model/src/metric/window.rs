//! Windows: which spans of event time a metric is asked for. A window's instances are named by their range.

use std::fmt;

use crate::metric::TimeZone;
use crate::metric::calendar::clamp;
use crate::time::{DAY, HOUR, MINUTE, Millis, SECOND};

/// A span of time: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeRange {
    pub start: Millis,
    pub end: Millis,
}

impl TimeRange {
    /// What the window `total` covers.
    pub const ALL: Self = Self { start: Millis::MIN, end: Millis::MAX };

    pub fn contains(self, t: Millis) -> bool {
        self.start <= t && t < self.end
    }
}

/// One declared window. Written `total`, `day`, `week`, `month`, `5m`, `5m/1m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    Total,
    /// `[k·size, (k+1)·size)` on UTC.
    Tumbling {
        size: Millis,
    },
    /// Ends at every multiple `e` of `step`, covering `[e − size, e)`. `step` divides `size`.
    Sliding {
        size: Millis,
        step: Millis,
    },
    Day,
    /// Monday to Sunday.
    Week,
    Month,
}

impl Window {
    /// The instance that holds `t`; of a sliding window the one that ends first.
    ///
    /// Never panics: a time beyond the calendar's years counts as the nearest it knows.
    pub fn instance_of(&self, zone: &TimeZone, t: Millis) -> TimeRange {
        match *self {
            Self::Total => TimeRange::ALL,
            Self::Tumbling { size } => tumbling(size, t),
            Self::Sliding { size, step } => {
                let end = tumbling(step, t).end;
                TimeRange { start: end - size, end }
            }
            Self::Day => zone.day(t),
            Self::Week => zone.week(t),
            Self::Month => zone.month(t),
        }
    }

    /// Every instance that holds `t`, by rising end: `size / step` of them for a sliding window, else one.
    ///
    /// Panes divide windows, so the instances that hold a pane are those that hold its start.
    pub fn instances_of(
        &self,
        zone: &TimeZone,
        t: Millis,
    ) -> impl DoubleEndedIterator<Item = TimeRange> + use<> {
        let first = self.instance_of(zone, t);
        let (count, step) = match *self {
            Self::Sliding { size, step } => (size / step, step),
            _ => (1, 0),
        };
        (0..count).map(move |n| TimeRange { start: first.start + n * step, end: first.end + n * step })
    }

    /// The instance after `range`, which must be one of this window's. `total` has no other.
    pub fn next(&self, zone: &TimeZone, range: TimeRange) -> TimeRange {
        match *self {
            Self::Total => range,
            Self::Tumbling { size } => TimeRange { start: range.end, end: range.end + size },
            Self::Sliding { step, .. } => TimeRange { start: range.start + step, end: range.end + step },
            Self::Day | Self::Week | Self::Month => self.instance_of(zone, range.end),
        }
    }

    pub fn is_calendar(&self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }

    /// Size of a window of fixed length.
    pub fn fixed_size(&self) -> Option<Millis> {
        match *self {
            Self::Tumbling { size } | Self::Sliding { size, .. } => Some(size),
            Self::Total | Self::Day | Self::Week | Self::Month => None,
        }
    }
}

/// The range `[k·size, (k+1)·size)` that holds `t`.
pub(super) fn tumbling(size: Millis, t: Millis) -> TimeRange {
    let start = clamp(t).div_euclid(size) * size;
    TimeRange { start, end: start + size }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Total => f.write_str("total"),
            Self::Day => f.write_str("day"),
            Self::Week => f.write_str("week"),
            Self::Month => f.write_str("month"),
            Self::Tumbling { size } => write_span(f, size),
            Self::Sliding { size, step } => {
                write_span(f, size)?;
                f.write_str("/")?;
                write_span(f, step)
            }
        }
    }
}

/// Writes a length of whole seconds in the largest unit that divides it.
fn write_span(f: &mut fmt::Formatter<'_>, length: Millis) -> fmt::Result {
    let units = [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm'), (SECOND, 's')];
    let (unit, letter) = units.into_iter().find(|(unit, _)| length % unit == 0).unwrap_or((SECOND, 's'));
    write!(f, "{}{letter}", length / unit)
}
