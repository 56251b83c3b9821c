//! Which instances of a window a moment belongs to (section 11).

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::time::{DAY, HOUR, MINUTE, Ms, SECOND};

/// A window as a metric declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Total,
    Day,
    Week,
    Month,
    Tumbling(Ms),
    Sliding { size: Ms, step: Ms },
}

/// The span of one instance, `start <= t < end`. `total` spans all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First moment inside.
    pub start: i64,
    /// First moment after.
    pub end: i64,
}

impl Window {
    /// Reads `total`, `day`, `week`, `month`, `90s` or `5m/1m`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "total" => Self::Total,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            _ => match text.split_once('/') {
                Some((size, step)) => Self::sliding(duration(size)?, duration(step)?)?,
                None => Self::Tumbling(duration(text).filter(|size| *size > 0)?),
            },
        })
    }

    fn sliding(size: Ms, step: Ms) -> Option<Self> {
        (step > 0 && size >= step && size % step == 0).then_some(Self::Sliding { size, step })
    }

    /// Every instance holding `t`; of a sliding window only the first end, the last and the one in the middle.
    pub(super) fn instances(&self, t: Ms, zone: &TimeZone) -> Vec<Span> {
        match *self {
            Self::Total => vec![Span { start: i64::MIN, end: i64::MAX }],
            Self::Tumbling(size) => {
                let start = t.div_euclid(size) * size;
                vec![Span { start, end: start + size }]
            }
            Self::Sliding { size, step } => {
                let first = (t.div_euclid(step) + 1) * step;
                let last = (t + size).div_euclid(step) * step;
                let middle = first + (last - first) / step / 2 * step;
                let mut ends = vec![first, middle, last];
                ends.dedup();
                ends.into_iter().map(|end| Span { start: end - size, end }).collect()
            }
            Self::Day | Self::Week | Self::Month => self.calendar(t, zone).into_iter().collect(),
        }
    }

    fn calendar(&self, t: Ms, zone: &TimeZone) -> Option<Span> {
        let date = Timestamp::from_millisecond(t).ok()?.to_zoned(zone.clone()).date();
        let (first, after) = match self {
            Self::Day => (date, date.tomorrow().ok()?),
            Self::Week => {
                let back = i64::from(date.weekday().since(Weekday::Monday));
                let monday = date.checked_sub(back.days()).ok()?;
                (monday, monday.checked_add(7.days()).ok()?)
            }
            _ => (date.first_of_month(), date.last_of_month().tomorrow().ok()?),
        };
        Some(Span { start: midnight(first, zone)?, end: midnight(after, zone)? })
    }

    /// What the edges of this window are multiples of; none if the calendar says, or there are no edges.
    pub(super) fn grain(&self) -> Option<Ms> {
        match *self {
            Self::Total | Self::Day | Self::Week | Self::Month => None,
            Self::Tumbling(size) => Some(size),
            Self::Sliding { step, .. } => Some(step),
        }
    }
}

fn midnight(date: Date, zone: &TimeZone) -> Option<Ms> {
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// Reads `250ms`, `5s`, `30m`, `24h`, `8d`, `2w`, `3y`.
pub(super) fn duration(text: &str) -> Option<Ms> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: Ms = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        "y" => 365 * DAY,
        _ => return None,
    };
    number.checked_mul(unit)
}
