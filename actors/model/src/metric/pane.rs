//! Panes: the finest slices of event time a metric counts in. Every window but `total` is a union of panes.

use crate::metric::window::tumbling;
use crate::metric::{Metric, TimeRange, TimeZone, Window};
use crate::time::{DAY, MINUTE, Millis};

/// Every offset in use since 1972 is a multiple of this, so panes that divide it never straddle a zone's midnight.
const OFFSET_GRID: Millis = 15 * MINUTE;

/// How the finest panes of a metric lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneSize {
    /// `[k·size, (k+1)·size)` on UTC.
    Fixed(Millis),
    /// Calendar days of the metric's zone.
    Day,
    /// Only `total` is declared.
    None,
}

impl PaneSize {
    /// The coarsest panes that divide all of `windows`.
    pub fn finest(windows: &[Window], zone: &TimeZone) -> Self {
        let mut fixed = 0;
        for window in windows {
            match *window {
                Window::Tumbling { size } => fixed = greatest_common_divisor(fixed, size),
                Window::Sliding { step, .. } => fixed = greatest_common_divisor(fixed, step), // the step divides the size
                Window::Total | Window::Day | Window::Week | Window::Month => {}
            }
        }
        match (fixed, windows.iter().any(Window::is_calendar)) {
            (0, false) => Self::None,
            (0, true) => Self::Day,
            (fixed, false) => Self::Fixed(fixed),
            (fixed, true) => {
                let grid = if zone.is_utc() { DAY } else { OFFSET_GRID };
                Self::Fixed(greatest_common_divisor(fixed, grid))
            }
        }
    }

    /// The pane that holds `t`; none when only `total` is declared.
    pub fn pane_of(self, zone: &TimeZone, t: Millis) -> Option<TimeRange> {
        match self {
            Self::Fixed(size) => Some(tumbling(size, t)),
            Self::Day => Some(zone.day(t)),
            Self::None => None,
        }
    }

    /// End of the pane that starts at `start`; `start` itself when there are no panes.
    pub fn end_of(self, zone: &TimeZone, start: Millis) -> Millis {
        self.pane_of(zone, start).map_or(start, |pane| pane.end)
    }
}

impl Metric {
    /// The pane that holds `t`; none when only `total` is declared.
    pub fn pane_of(&self, t: Millis) -> Option<TimeRange> {
        self.pane.pane_of(&self.time_zone, t)
    }
}

/// Greatest common divisor of two numbers that are not negative; 0 is neutral.
fn greatest_common_divisor(mut a: Millis, mut b: Millis) -> Millis {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
