//! The plan: settings turned round for counting. Per kind of fact, what it bumps where, so that nothing is searched for per event.

use super::presence::Reach;
use crate::fact::{Fact, FactKind};
use crate::metric::aggregate::{Layout, Place};
use crate::metric::{Dimension, Field, Filter, Metric, PaneSize, TimeRange, Window};
use crate::settings::Settings;
use crate::time::{DAY, HOUR, Millis};

/// What keys beyond `max_keys` count under.
pub const OTHER: &str = "other";
/// Between the values of a key's text.
const SEPARATOR: char = '\u{1f}';
/// Before a separator or itself within a value.
const ESCAPE: char = '\u{1b}';

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
    pub meaning: u64,
    /// Offset the metric is counted from; the book that plans knows it.
    pub since: u64,
    pub layout: Layout,
    pub key_sets: Vec<KeySet>,
    pub has_total: bool,
    pub reach: Reach,
    /// Tumbling and calendar windows, in the order of [`crate::metric::aggregate::UserSlots::instances`].
    pub instances: Vec<Window>,
    /// Where the fact before lay: the next one most often lies there too.
    pub here: Here,
}

/// A pane and what the calendar says of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Here {
    pub pane: Option<TimeRange>,
    /// Instances that hold the pane, by place in [`MetricPlan::instances`].
    pub instances: Vec<TimeRange>,
    /// End of the first window to close that holds the pane.
    pub first_close: Millis,
    /// End of the last one.
    pub last_close: Millis,
}

#[derive(Debug)]
pub(crate) struct KeySet {
    pub dimensions: Vec<Dimension>,
    /// What follows the shop in its keys' texts: `/metric/place`.
    infix: String,
    /// What follows that in the key past `max_keys`.
    other: String,
}

/// What one kind of fact means to one metric.
#[derive(Debug)]
pub(crate) struct Reading {
    pub metric: usize,
    pub bumps: Vec<Bump>,
    /// A bit per bump without filters.
    pub unfiltered: u64,
}

#[derive(Debug)]
pub(crate) struct Bump {
    pub filters: Vec<Filter>,
    /// Absent when a fact is only noted: its measure shares the slot of another.
    pub place: Option<Place>,
}

impl Plan {
    pub(crate) fn of(settings: &Settings) -> Self {
        let metrics: Vec<MetricPlan> = settings.metrics.iter().map(MetricPlan::of).collect();
        let readings = FactKind::ALL.map(|(kind, _)| {
            let readings = metrics.iter().enumerate().map(|(at, plan)| plan.reading(at, kind));
            readings.filter(|reading| !reading.bumps.is_empty()).collect()
        });
        Self { settings_hash: settings.hash, metrics, readings: readings.into() }
    }
}

impl MetricPlan {
    fn of(metric: &Metric) -> Self {
        let key_set = |(place, dimensions): (usize, &Vec<Dimension>)| KeySet {
            dimensions: dimensions.clone(),
            infix: format!("/{}/{place}", metric.name),
            other: dimensions.iter().flat_map(|_| [SEPARATOR.to_string(), OTHER.to_owned()]).collect(),
        };
        let mut instances: Vec<Window> = Vec::new();
        for window in &metric.windows {
            let tiles = matches!(window, Window::Tumbling { .. }) || window.is_calendar();
            if tiles && !instances.contains(window) {
                instances.push(*window);
            }
        }
        Self {
            meaning: metric.meaning(),
            since: 0,
            layout: Layout::of(metric),
            key_sets: metric.key_sets.iter().enumerate().map(key_set).collect(),
            has_total: metric.windows.contains(&Window::Total),
            reach: reach(metric),
            instances,
            here: Here::default(),
            metric: metric.clone(),
        }
    }

    fn reading(&self, metric: usize, kind: FactKind) -> Reading {
        let places = self.metric.measures.iter().zip(&self.layout.measures);
        let bumps =
            places.filter(|(measure, _)| measure.from.contains(&kind)).filter_map(|(measure, place)| {
                let place = match place {
                    Place::Ratio { .. } => return None,
                    Place::Quantile { shared: true, .. } => None,
                    place => Some(place.clone()),
                };
                Some(Bump { filters: measure.filters.clone(), place })
            });
        let bumps: Vec<Bump> = bumps.collect();
        let unfiltered =
            bumps.iter().enumerate().map(|(at, bump)| u64::from(bump.filters.is_empty()) << at).sum();
        Reading { metric, bumps, unfiltered }
    }

    /// Moves [`MetricPlan::here`] to the pane of `t`.
    #[inline]
    pub(super) fn go_to(&mut self, t: Millis) {
        if self.metric.pane == PaneSize::None || self.here.pane.is_some_and(|pane| pane.contains(t)) {
            return;
        }
        let zone = &self.metric.time_zone;
        let pane = self.metric.pane_of(t);
        let at = pane.map_or(t, |pane| pane.start);
        let windows = || self.metric.windows.iter().filter(|window| **window != Window::Total);
        let last_end = |window: &Window| match *window {
            Window::Sliding { size, .. } => at + size,
            _ => window.instance_of(zone, at).end,
        };
        self.here = Here {
            pane,
            instances: self.instances.iter().map(|window| window.instance_of(zone, at)).collect(),
            first_close: windows()
                .map(|window| window.instance_of(zone, at).end)
                .min()
                .unwrap_or(Millis::MAX),
            last_close: windows().map(last_end).max().unwrap_or(Millis::MIN),
        };
    }

    /// Facts before this are late, panes that end at or before it are closed for good.
    pub(crate) fn closed_for_good(&self, high_water: Millis) -> Millis {
        high_water.saturating_sub(self.metric.lateness).saturating_sub(self.metric.correct_for)
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

impl KeySet {
    /// Text of the fact's key: `shop/metric/key set` and the values, each after a separator.
    #[inline]
    pub(crate) fn write_key(&self, fact: &Fact<'_>, text: &mut String) {
        text.clear();
        text.push_str(fact.who.shop);
        text.push_str(&self.infix);
        for dimension in &self.dimensions {
            text.push(SEPARATOR);
            push_value(text, fact.text(dimension));
        }
    }

    /// The one dimension of a key set whose values are few and known: rows by it are remembered, not looked for.
    pub(super) fn closed_dimension(&self) -> Option<Field> {
        match *self.dimensions.as_slice() {
            [Dimension::Field(field @ (Field::Kind | Field::Stage))] => Some(field),
            _ => None,
        }
    }

    /// Text of the key facts count under past `max_keys`.
    pub(crate) fn write_other(&self, shop: &str, text: &mut String) {
        text.clear();
        text.push_str(shop);
        text.push_str(&self.infix);
        text.push_str(&self.other);
    }

    /// A key is as good as `other` when its values say so themselves: it takes no place.
    pub(crate) fn is_other(&self, shop: &str, text: &str) -> bool {
        text.len() == shop.len() + self.infix.len() + self.other.len() && text.ends_with(&self.other)
    }
}

pub(super) fn push_value(text: &mut String, value: &str) {
    // To the end whatever it finds: such a loop looks at many bytes at once.
    let special = |found: bool, byte: u8| found | (byte == SEPARATOR as u8) | (byte == ESCAPE as u8);
    if !value.bytes().fold(false, special) {
        text.push_str(value);
        return;
    }
    for character in value.chars() {
        match character {
            SEPARATOR => text.extend([ESCAPE, '1']),
            ESCAPE => text.extend([ESCAPE, '0']),
            other => text.push(other),
        }
    }
}

/// The values of a key's text after the first separator, as they were.
pub(super) fn read_values(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(SEPARATOR).skip(1).map(|value| {
        let mut out = String::with_capacity(value.len());
        let mut characters = value.chars();
        while let Some(character) = characters.next() {
            match character {
                ESCAPE if characters.next() == Some('1') => out.push(SEPARATOR),
                ESCAPE => out.push(ESCAPE),
                other => out.push(other),
            }
        }
        out
    })
}
