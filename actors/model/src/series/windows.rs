//! Windows a query means: which instances, resolved against the metric and against how far time has come.

use crate::metric::{EARLIEST, Metric, TimeRange, Window};
use crate::tally::plan::{largest_window, pane_length};
use crate::time::Millis;

/// What an answer takes for now. Shards that answer one query together must take the same, see [`gather`](super::gather()).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// The least high water of all their sources; none while one was never heard of.
    pub high_water: Option<Millis>,
    /// The newest pane the keys asked for were counted in, where the question counts from it.
    pub newest: Option<Millis>,
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
    pub(super) fn counted_before(&self, closed_only: bool) -> Millis {
        match self.watermark {
            _ if !closed_only => Millis::MAX,
            // `total` never closes.
            _ if self.window == Window::Total => Millis::MIN,
            None => Millis::MIN,
            Some(watermark) => {
                let newest = self.instance_of(watermark.saturating_sub(1));
                if newest.end <= watermark { newest.end } else { self.before(newest).end }
            }
        }
    }

    /// The newest instance that holds the pane `newest` or ends first after it, and those before it, `n` in all at most: newest first.
    pub(super) fn back_from(&self, newest: Millis, n: usize) -> impl Iterator<Item = TimeRange> {
        // Panes older than any window that is still kept are on their way out.
        let newest = Some(newest).filter(|newest| *newest >= kept_from(self.metric, self.watermark));
        let back = std::iter::successors(newest.map(|pane| self.instance_of(pane)), |range| {
            Some(self.before(*range)).filter(|before| self.is_kept(*before))
        });
        back.take(n).filter(|range| self.is_kept(*range))
    }

    /// The first instance that is kept and starts in a range.
    pub(super) fn first_in(&self, within: TimeRange) -> Option<TimeRange> {
        let kept = self.kept_after().map_or(Millis::MIN, |kept| self.instance_of(kept).start);
        let from = within.start.max(kept).max(EARLIEST);
        Some(self.first_starting(from)).filter(|range| range.start < within.end)
    }

    pub(super) fn next(&self, range: TimeRange) -> TimeRange {
        self.window.next(&self.metric.time_zone, range)
    }

    fn is_kept(&self, range: TimeRange) -> bool {
        self.kept_after().is_none_or(|kept| range.end > kept)
    }

    /// The first instance that starts at or after `t`.
    fn first_starting(&self, t: Millis) -> TimeRange {
        let near = match self.window {
            Window::Sliding { size, .. } => t.saturating_add(size - 1),
            _ => t,
        };
        let range = self.instance_of(near);
        if range.start < t { self.next(range) } else { range }
    }

    fn before(&self, range: TimeRange) -> TimeRange {
        match self.window {
            Window::Sliding { step, .. } => TimeRange { start: range.start - step, end: range.end - step },
            _ => self.instance_of(range.start - 1),
        }
    }

    /// The instance that holds `t`; of a sliding window the first to end.
    pub(super) fn instance_of(&self, t: Millis) -> TimeRange {
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
