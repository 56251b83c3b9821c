//! The plan: settings turned round for counting. Per kind of fact, what it bumps where, so that nothing is searched for per event.

use super::key_set::KeySet;
use super::presence::Reach;
use crate::fact::{Fact, FactKind};
use crate::metric::aggregate::{Layout, Place};
use crate::metric::{Filter, Metric, PaneSize, TimeRange, Window};
use crate::settings::Settings;
use crate::time::{DAY, HOUR, Millis};

/// Made once per settings.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub settings_hash: u64,
    pub metrics: Vec<MetricPlan>,
    /// By `FactKind as usize`.
    pub readings: Vec<Vec<Reading>>,
}

/// How one metric counts.
#[derive(Debug)]
pub(crate) struct MetricPlan {
    pub metric: Metric,
    /// Offset the metric is counted from; the book that plans knows it.
    pub since: u64,
    pub layout: Layout,
    pub key_sets: Vec<KeySet>,
    pub has_total: bool,
    pub has_panes: bool,
    /// Lateness and correction time together.
    late_after: Millis,
    pub reach: Reach,
    /// Tumbling and calendar windows, in the order of [`crate::metric::aggregate::UserSlots::instances`].
    pub instances: Vec<Window>,
    /// Where the fact before lay: the next one most often lies there too.
    pub here: Here,
}

/// A pane and what the calendar says of it.
#[derive(Debug, Clone)]
pub(crate) struct Here {
    /// For ever, with no windows but the total.
    pub pane: TimeRange,
    /// Instances that hold the pane, by place in [`MetricPlan::instances`].
    pub instances: Vec<TimeRange>,
    /// High water at which the first window that holds the pane closes; never, for the total.
    pub first_close: Millis,
    /// High water at which the last one closes; there is none but the total.
    pub last_close: Millis,
    /// How long a key counted in here is live: for ever, with a `total` window.
    pub live_until: Millis,
}

/// What one kind of fact means to one metric.
#[derive(Debug)]
pub(crate) struct Reading {
    pub metric: usize,
    /// What the fact must pass for each of the measures that take such facts, when any asks for anything.
    filters: Option<Vec<Vec<Filter>>>,
    /// Numbers that count facts, each with the measure of `filters` it is for.
    pub counts: Vec<(usize, usize)>,
    /// What else the measures bump, in the same way.
    pub bumps: Vec<(usize, Place)>,
}

impl Plan {
    pub(crate) fn of(settings: &Settings) -> Self {
        let metrics: Vec<MetricPlan> = settings.metrics.iter().map(MetricPlan::of).collect();
        let readings = FactKind::ALL.map(|(kind, _)| {
            let readings = metrics.iter().enumerate().map(|(at, plan)| plan.reading(at, kind));
            readings.flatten().collect()
        });
        Self { settings_hash: settings.hash, metrics, readings: readings.into() }
    }
}

impl Default for Here {
    fn default() -> Self {
        Self {
            pane: TimeRange { start: Millis::MIN, end: Millis::MAX },
            instances: Vec::new(),
            first_close: Millis::MAX,
            last_close: Millis::MIN,
            live_until: Millis::MAX,
        }
    }
}

impl Here {
    /// Before the first fact.
    fn nowhere() -> Self {
        Self { pane: TimeRange { start: Millis::MAX, end: Millis::MIN }, ..Self::default() }
    }
}

impl Reading {
    /// A bit per measure that takes the fact.
    #[inline]
    pub(super) fn taken(&self, fact: &Fact<'_>) -> u64 {
        let Some(filters) = &self.filters else { return u64::MAX };
        let mut taken = 0;
        for (at, filters) in filters.iter().enumerate() {
            taken |= u64::from(filters.iter().all(|filter| filter.passes(fact))) << at;
        }
        taken
    }
}

impl MetricPlan {
    fn of(metric: &Metric) -> Self {
        let mut instances: Vec<Window> = Vec::new();
        for window in &metric.windows {
            let tiles = matches!(window, Window::Tumbling { .. }) || window.is_calendar();
            if tiles && !instances.contains(window) {
                instances.push(*window);
            }
        }
        Self {
            since: 0,
            layout: Layout::of(metric),
            key_sets: metric
                .key_sets
                .iter()
                .enumerate()
                .map(|(place, dimensions)| KeySet::of(&metric.name, place, dimensions))
                .collect(),
            has_total: metric.windows.contains(&Window::Total),
            reach: reach(metric),
            instances,
            has_panes: metric.pane != PaneSize::None,
            late_after: metric.lateness.saturating_add(metric.correct_for),
            here: if metric.pane == PaneSize::None { Here::default() } else { Here::nowhere() },
            metric: metric.clone(),
        }
    }

    /// What this kind of fact bumps; nothing when no measure takes it.
    fn reading(&self, metric: usize, kind: FactKind) -> Option<Reading> {
        let places = self.metric.measures.iter().zip(&self.layout.measures);
        let taking = places
            .filter(|(measure, place)| measure.from.contains(&kind) && !matches!(place, Place::Ratio { .. }));
        let mut reading = Reading { metric, filters: None, counts: Vec::new(), bumps: Vec::new() };
        let mut filters = Vec::new();
        for (at, (measure, place)) in taking.enumerate() {
            filters.push(measure.filters.clone());
            match place {
                Place::Count { number } => reading.counts.push((at, *number)),
                // Only noted: it shares the slot of another.
                Place::Quantile { shared: true, .. } => {}
                place => reading.bumps.push((at, place.clone())),
            }
        }
        let takes_any = !filters.is_empty();
        reading.filters = filters.iter().any(|filters| !filters.is_empty()).then_some(filters);
        takes_any.then_some(reading)
    }

    /// Moves [`MetricPlan::here`] to the pane of `t`.
    #[inline]
    pub(super) fn go_to(&mut self, t: Millis) {
        if !self.here.pane.contains(t) {
            self.here = self.pane_at(t);
        }
    }

    #[cold]
    fn pane_at(&self, t: Millis) -> Here {
        let (metric, zone) = (&self.metric, &self.metric.time_zone);
        let Some(pane) = metric.pane_of(t) else { return Here::default() };
        let at = pane.start;
        let windows = || metric.windows.iter().filter(|window| **window != Window::Total);
        let last_end = |window: &Window| match *window {
            Window::Sliding { size, .. } => at + size,
            _ => window.instance_of(zone, at).end,
        };
        let first_end = windows().map(|window| window.instance_of(zone, at).end).min();
        let last_end = windows().map(last_end).max();
        Here {
            pane,
            instances: self.instances.iter().map(|window| window.instance_of(zone, at)).collect(),
            first_close: first_end.unwrap_or(Millis::MAX).saturating_add(metric.lateness),
            last_close: last_end.unwrap_or(Millis::MIN).saturating_add(metric.lateness),
            live_until: if self.has_total { Millis::MAX } else { pane.end },
        }
    }

    /// Facts before this are late, panes that end at or before it are closed for good.
    pub(crate) fn closed_for_good(&self, high_water: Millis) -> Millis {
        high_water.saturating_sub(self.late_after)
    }
}

/// The largest window, generously: months are up to 31 days, and clocks go back.
pub(crate) fn largest_window(metric: &Metric) -> Millis {
    let length = |window: &Window| match *window {
        Window::Total => 0,
        Window::Tumbling { size } | Window::Sliding { size, .. } => size,
        Window::Day => 2 * DAY,
        Window::Week => 8 * DAY,
        Window::Month => 32 * DAY,
    };
    metric.windows.iter().map(length).max().unwrap_or(0)
}

fn reach(metric: &Metric) -> Reach {
    let smallest = |window: &Window| match *window {
        Window::Total => None,
        Window::Tumbling { size } | Window::Sliding { size, .. } => Some(size),
        // Two panes this close lie in the same window or in neighbours, however short a day the clocks made: with panes of a day
        // only neighbours are that close at all, since two days are never shorter.
        _ if metric.pane == PaneSize::Day => Some(25 * HOUR),
        _ => Some(20 * HOUR),
    };
    Reach {
        join: metric.windows.iter().filter_map(smallest).min().unwrap_or(0),
        // The pane itself is at most a day: a day more covers it.
        keep: metric.lateness + metric.correct_for + largest_window(metric) + pane_length(metric.pane),
    }
}

pub(crate) fn pane_length(pane: PaneSize) -> Millis {
    match pane {
        PaneSize::Fixed(size) => size,
        PaneSize::Day => 2 * DAY,
        PaneSize::None => 0,
    }
}
