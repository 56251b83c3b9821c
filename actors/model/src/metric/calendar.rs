//! Calendars: days, weeks and months of a time zone as ranges of milliseconds. Windows and panes that follow the calendar
//! ask here; on UTC it is integer division.
//!
//! A day runs from the first instant whose local date it is to the next day's, so days tile time without gap or overlap,
//! whatever the clocks of the zone did at midnight. The zone's rules are those bundled with this build.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::metric::TimeRange;
use crate::time::{DAY, Millis, SECOND};

/// First instant calendars know, 0001-01-01. Earlier times count as this one.
pub const EARLIEST: Millis = -719_162 * DAY;
/// Last instant calendars know, 9999-12-29: the zone rules end a day later. Later times count as this one.
pub const LATEST: Millis = 2_932_894 * DAY;

/// Days from 0000-03-01 to the epoch, and the days of 400 years: the Gregorian calendar repeats after them.
const MARCH_OF_YEAR_0: i64 = 719_468;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// A zone by its IANA name, resolved once.
#[derive(Clone, PartialEq)]
pub struct TimeZone(pub jiff::tz::TimeZone);

impl TimeZone {
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The zone of an IANA name, by the bundled rules: the machine's own would make two owners differ.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "UTC" {
            return Some(Self::UTC);
        }
        jiff::tz::TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// Every name [`TimeZone::parse`] knows, for suggestions.
    pub fn names() -> Vec<String> {
        jiff::tz::TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub fn is_utc(&self) -> bool {
        self.0 == jiff::tz::TimeZone::UTC
    }

    /// The calendar day that holds `t`.
    pub fn day(&self, t: Millis) -> TimeRange {
        let day = self.day_number(t);
        self.days(day, day + 1)
    }

    /// The week, Monday to Sunday, that holds `t`.
    pub fn week(&self, t: Millis) -> TimeRange {
        let day = self.day_number(t);
        let monday = day - (day + 3).rem_euclid(7); // the epoch was a Thursday
        self.days(monday, monday + 7)
    }

    /// The calendar month that holds `t`.
    pub fn month(&self, t: Millis) -> TimeRange {
        let (year, month) = month_of(self.day_number(t));
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        self.days(first_of(year, month), first_of(next_year, next_month))
    }

    fn days(&self, first: i64, end: i64) -> TimeRange {
        TimeRange { start: self.start_of(first), end: self.start_of(end) }
    }

    /// Number of the local day that holds `t`, counted from 1970-01-01.
    fn day_number(&self, t: Millis) -> i64 {
        let t = clamp(t);
        if self.is_utc() {
            return t.div_euclid(DAY);
        }
        let local = t + self.offset_at(t);
        let day = local.div_euclid(DAY);
        // Where clocks go back across midnight the date goes back too: the day is the one whose range holds `t`.
        let within = local.rem_euclid(DAY);
        if within < DAY / 8 && t < self.start_of(day) {
            day - 1
        } else if within >= DAY - DAY / 8 && t >= self.start_of(day + 1) {
            day + 1
        } else {
            day
        }
    }

    fn offset_at(&self, t: Millis) -> Millis {
        let timestamp = Timestamp::from_millisecond(t).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(self.0.to_offset(timestamp).seconds()) * SECOND
    }

    /// First instant of a local day. Where midnight was skipped it is as long after the skip as midnight would have been.
    fn start_of(&self, day: i64) -> Millis {
        if self.is_utc() {
            return day * DAY;
        }
        let (year, month) = month_of(day);
        let day_of_month = day - first_of(year, month) + 1;
        let start = || {
            let date = Date::new(
                i16::try_from(year).ok()?,
                i8::try_from(month).ok()?,
                i8::try_from(day_of_month).ok()?,
            );
            let midnight = date.ok()?.at(0, 0, 0, 0);
            Some(self.0.to_ambiguous_timestamp(midnight).compatible().ok()?.as_millisecond())
        };
        start().unwrap_or(day * DAY)
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Brings a time into what calendars know.
pub(super) fn clamp(t: Millis) -> Millis {
    t.clamp(EARLIEST, LATEST)
}

/// Year and month (1 to 12) of a day counted from 1970-01-01; Howard Hinnant's `civil_from_days`.
fn month_of(day: i64) -> (i64, i64) {
    let shifted = day + MARCH_OF_YEAR_0;
    let era = shifted.div_euclid(DAYS_OF_400_YEARS);
    let day_of_era = shifted.rem_euclid(DAYS_OF_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * day_of_year + 2) / 153;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// First day of a month, counted from 1970-01-01; the inverse of [`month_of`].
fn first_of(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_based = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_based + 2) / 5;
    era * DAYS_OF_400_YEARS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
        - MARCH_OF_YEAR_0
}
