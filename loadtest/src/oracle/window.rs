//! Windows, and which instances of them hold a moment.

use crate::measure::clock::{DAY, Millis};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Total,
    Tumbling(&'static str, Millis),
    Sliding { name: &'static str, size: Millis, step: Millis },
    Month,
}

impl Window {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Tumbling(name, _) | Self::Sliding { name, .. } => name,
            Self::Month => "month",
        }
    }

    /// Start of the one instance that holds a moment. Of sliding windows there are many: see [`Window::spans`].
    pub(super) fn start(self, at: Millis) -> Millis {
        match self {
            Self::Total | Self::Sliding { .. } => 0,
            Self::Tumbling(_, size) => at.div_euclid(size) * size,
            Self::Month => month_start(at),
        }
    }

    /// Ranges of starts of the instances that hold any of some moments: first and last, a step apart.
    pub(super) fn spans(size: Millis, step: Millis, moments: &[Millis]) -> Vec<(Millis, Millis)> {
        let mut moments = moments.to_vec();
        moments.sort_unstable();
        let mut spans: Vec<(Millis, Millis)> = Vec::new();
        for at in moments {
            // Ends are multiples of the step: the first above the moment, the last at most a size later.
            let first = (at.div_euclid(step) + 1) * step - size;
            let last = (at + size).div_euclid(step) * step - size;
            match spans.last_mut() {
                Some((_, end)) if first <= *end + step => *end = last.max(*end),
                _ => spans.push((first, last)),
            }
        }
        spans
    }
}

/// Midnight UTC of the first of the month.
fn month_start(at: Millis) -> Millis {
    let (_, _, day_of_month) = civil(at);
    (at.div_euclid(DAY) - day_of_month) * DAY
}

/// As a calendar names them: the month from 1.
pub(super) fn year_and_month(at: Millis) -> (i64, i64) {
    let (year, month, _) = civil(at);
    // January and February belong to the year that began in March before.
    if month < 10 { (year, month + 3) } else { (year + 1, month - 9) }
}

/// Year, month and day of the month in UTC, the latter two from 0. Years are counted from March, so that a leap day is a year's last.
fn civil(at: Millis) -> (i64, i64, i64) {
    let days = at.div_euclid(DAY) + 719_468;
    let day_of_era = days.rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    (days.div_euclid(146_097) * 400 + year, month, day_of_year - (153 * month + 2) / 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::clock::MINUTE;

    #[test]
    fn months_start_at_midnight_of_the_first() {
        // 2026-11-21T17:00:00Z and 2024-02-29T23:59:59.999Z
        assert_eq!(month_start(1_795_280_400_000), 1_793_491_200_000);
        assert_eq!(month_start(1_709_251_199_999), 1_706_745_600_000);
        assert_eq!(month_start(1_709_251_200_000), 1_709_251_200_000, "the first of March is its own start");
    }

    #[test]
    fn months_are_named_as_calendars_name_them() {
        assert_eq!(year_and_month(1_795_280_400_000), (2026, 11));
        assert_eq!(year_and_month(1_709_251_199_999), (2024, 2), "a leap day");
        assert_eq!(year_and_month(1_709_251_200_000), (2024, 3));
        assert_eq!((year_and_month(-1), year_and_month(0)), ((1969, 12), (1970, 1)));
    }

    #[test]
    fn a_moment_is_held_by_as_many_sliding_windows_as_steps_fit() {
        let spans = Window::spans(5 * MINUTE, MINUTE, &[10 * MINUTE + 1]);
        assert_eq!(spans, [(6 * MINUTE, 10 * MINUTE)]);
        let on_the_edge = Window::spans(5 * MINUTE, MINUTE, &[10 * MINUTE]);
        assert_eq!(on_the_edge, [(6 * MINUTE, 10 * MINUTE)], "a window holds its start and not its end");
        let far_apart = Window::spans(5 * MINUTE, MINUTE, &[40 * MINUTE, 10 * MINUTE, 12 * MINUTE]);
        assert_eq!(far_apart, [(6 * MINUTE, 12 * MINUTE), (36 * MINUTE, 40 * MINUTE)]);
    }
}
