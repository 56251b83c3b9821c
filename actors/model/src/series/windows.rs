//! Windows a query means: which instances, resolved against the metric and against how far time has come.

use super::query::{Query, Span};
use crate::limits::ANSWER_WINDOWS;
use crate::metric::{Metric, TimeRange, Window};
use crate::tally::plan::{largest_window, pane_length};
use crate::time::Millis;

/// First and newest pane something was counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub oldest: Millis,
    pub newest: Millis,
}

impl Counted {
    /// What either was counted in.
    pub fn and(self, other: Self) -> Self {
        Self { oldest: self.oldest.min(other.oldest), newest: self.newest.max(other.newest) }
    }
}

/// What an answer takes for now. Shards that answer one query together must take the same, see [`gather`](super::gather()).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The least high water of all their sources; none while one was never heard of.
    pub high_water: Option<Millis>,
    /// Where the keys asked for were counted in.
    pub counted: Option<Counted>,
}

/// One declared window of a metric at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<'a> {
    metric: &'a Metric,
    window: Window,
    /// The metric's watermark, joined over all sources; none while one was never heard of.
    watermark: Option<Millis>,
}

impl<'a> Windows<'a> {
    /// The window asked for, else the first; none if the metric has no such window. `joined` is the least high water of all sources.
    pub(super) fn of(metric: &'a Metric, asked: Option<Window>, joined: Option<Millis>) -> Option<Self> {
        let window = asked.or_else(|| metric.windows.first().copied())?;
        let watermark = watermark(metric, joined);
        metric.windows.contains(&window).then_some(Self { metric, window, watermark })
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    pub(super) fn is_closed(&self, range: TimeRange) -> bool {
        range != TimeRange::ALL && self.watermark.is_some_and(|watermark| range.end <= watermark)
    }

    /// A window is kept while it ends after this.
    fn kept_after(&self) -> Option<Millis> {
        self.watermark.map(|watermark| watermark.saturating_sub(self.metric.keep))
    }

    /// End of the newest closed instance, where only closed ones are asked for: what was counted later does not matter.
    pub(super) fn counted_before(&self, query: &Query) -> Millis {
        match self.watermark {
            _ if !query.closed_only => Millis::MAX,
            // `total` never closes.
            _ if self.window == Window::Total => Millis::MIN,
            None => Millis::MIN,
            Some(watermark) => {
                let newest = self.instance_of(watermark.saturating_sub(1));
                if newest.end <= watermark { newest.end } else { self.before(newest).end }
            }
        }
    }

    /// Instances the query means, rising, and whether there were more than an answer holds.
    pub(super) fn meant(&self, query: &Query, counted: Option<Counted>) -> (Vec<TimeRange>, bool) {
        if self.window == Window::Total {
            return (if query.closed_only { Vec::new() } else { vec![TimeRange::ALL] }, false);
        }
        // Panes older than any window that is still kept are on their way out.
        let kept_from = kept_from(self.metric, self.watermark);
        let Some(Counted { oldest, newest }) = counted.filter(|counted| counted.newest >= kept_from) else {
            return (Vec::new(), false);
        };
        let (mut ranges, truncated) = match query.span {
            Span::Newest => (vec![self.instance_of(newest)], false),
            Span::Last(n) => (self.upto(newest, n.min(ANSWER_WINDOWS)), n > ANSWER_WINDOWS),
            Span::Starting(within) => self.starting(within, oldest, newest),
        };
        let is_kept = |range: &TimeRange| self.kept_after().is_none_or(|kept| range.end > kept);
        ranges.retain(|range| is_kept(range) && (!query.closed_only || self.is_closed(*range)));
        (ranges, truncated)
    }

    /// The newest instance counted in and those before it: `n` in all, rising.
    fn upto(&self, newest: Millis, n: usize) -> Vec<TimeRange> {
        let back = std::iter::successors(Some(self.instance_of(newest)), |range| Some(self.before(*range)));
        let mut ranges: Vec<TimeRange> = back.take(n).collect();
        ranges.reverse();
        ranges
    }

    fn starting(&self, within: TimeRange, oldest: Millis, newest: Millis) -> (Vec<TimeRange>, bool) {
        let oldest = self.kept_after().map_or(oldest, |kept| oldest.max(kept));
        let mut range = self.first_starting(within.start.max(self.instance_of(oldest).start));
        let mut ranges = Vec::new();
        while range.start < within.end && range.start <= newest {
            if ranges.len() == ANSWER_WINDOWS {
                return (ranges, true);
            }
            ranges.push(range);
            range = self.window.next(&self.metric.time_zone, range);
        }
        (ranges, false)
    }

    /// The first instance that starts at or after `t`.
    fn first_starting(&self, t: Millis) -> TimeRange {
        let near = match self.window {
            Window::Sliding { size, .. } => t.saturating_add(size - 1),
            _ => t,
        };
        let range = self.instance_of(near);
        if range.start < t { self.window.next(&self.metric.time_zone, range) } else { range }
    }

    fn before(&self, range: TimeRange) -> TimeRange {
        match self.window {
            Window::Sliding { step, .. } => TimeRange { start: range.start - step, end: range.end - step },
            _ => self.instance_of(range.start - 1),
        }
    }

    fn instance_of(&self, t: Millis) -> TimeRange {
        self.window.instance_of(&self.metric.time_zone, t)
    }
}

/// The metric's watermark where sources have come `joined` far, each at least.
pub(super) fn watermark(metric: &Metric, joined: Option<Millis>) -> Option<Millis> {
    Some(joined?.saturating_sub(metric.lateness))
}

/// Panes before this belong to no window that is still kept.
pub(super) fn kept_from(metric: &Metric, watermark: Option<Millis>) -> Millis {
    watermark.map_or(Millis::MIN, |watermark| {
        let reach = metric.keep + largest_window(metric) + pane_length(metric.pane);
        watermark.saturating_sub(reach)
    })
}
