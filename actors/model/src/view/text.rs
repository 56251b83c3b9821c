//! Names with holes, filled: dimensions of a key, edges of a window.

use std::borrow::Cow;

use crate::metric::{Dimension, EARLIEST, LATEST, Metric, TimeRange, TimeZone, Window};
use crate::settings::view::{Edge, Part, Template};
use crate::tally::values_of;
use crate::time::Millis;

/// One row's name: its key's values by dimension, and its window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub metric: &'a Metric,
    pub key_set: u16,
    pub key: &'a str,
    pub window: Window,
    pub range: TimeRange,
}

impl<'a> Named<'a> {
    /// Dimensions of the key with their values.
    pub(super) fn dimensions(self) -> impl Iterator<Item = (&'a Dimension, Cow<'a, str>)> {
        let set = self.metric.key_sets.get(usize::from(self.key_set));
        set.into_iter().flatten().zip(values_of(self.key))
    }

    /// A dimension's value; none if the key has no such dimension.
    pub(super) fn value(self, dimension: &Dimension) -> Option<Cow<'a, str>> {
        self.dimensions().find(|(known, _)| *known == dimension).map(|(_, value)| value)
    }

    pub(super) fn edge(self, edge: Edge) -> Millis {
        match edge {
            Edge::Start => self.range.start.max(EARLIEST),
            Edge::End => self.range.end.min(LATEST),
        }
    }

    /// An edge by a strftime format; without one as RFC 3339. In UTC, but what follows a calendar is named by that calendar: the month of
    /// January begins in December elsewhere.
    pub(super) fn time(self, edge: Edge, format: &str) -> String {
        let zone = if self.window.is_calendar() { &self.metric.time_zone } else { &TimeZone::UTC };
        let instant = jiff::Timestamp::from_millisecond(self.edge(edge)).unwrap_or_default();
        match format {
            "" => instant.to_string(),
            format => instant.to_zoned(zone.0.clone()).strftime(format).to_string(),
        }
    }

    pub(super) fn fill(self, template: &Template) -> String {
        let mut text = String::new();
        for part in &template.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Time { edge, format } => text.push_str(&self.time(*edge, format)),
                Part::Dimension(dimension) => text.push_str(&self.value(dimension).unwrap_or_default()),
            }
        }
        text
    }
}

/// Whether what a format makes of a time is a number.
pub(super) fn is_number(format: &str) -> bool {
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => {
                chars.next();
            }
            '0'..='9' => {}
            _ => return false,
        }
    }
    !format.is_empty()
}

/// Dimensions a name's holes are filled with.
pub(super) fn dimensions(template: &Template) -> impl Iterator<Item = &Dimension> {
    template.0.iter().filter_map(|part| match part {
        Part::Dimension(dimension) => Some(dimension),
        Part::Text(_) | Part::Time { .. } => None,
    })
}
