//! Queries: which windows of which keys, and what the answer is worth.

use super::join::Measured;
use crate::metric::{TimeRange, Window};
use crate::money::Currency;
use crate::origin::Origin;
use crate::tally::text_of;
use crate::time::Millis;

/// What is asked of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub shop: String,
    pub metric: String,
    /// Place of the key set in the metric.
    pub key_set: u16,
    /// The declared window; none: the first.
    pub window: Option<Window>,
    /// One key's values; none: all keys.
    pub key: Option<Vec<String>>,
    /// Of all keys those with these values, each with the place of its dimension in the key set.
    pub given: Vec<(usize, String)>,
    pub span: Span,
    /// Only windows nothing is expected in any more.
    pub closed_only: bool,
    /// The first rows of each window by a measure; none: all rows in key order.
    pub top: Option<Top>,
}

/// Which instances of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The newest one anything was counted in; of a sliding window the first to end that holds the newest pane counted in.
    Newest,
    /// That one and those before it: so many in all.
    Last(usize),
    /// Those that start in a range.
    Starting(TimeRange),
}

impl Query {
    pub(super) fn is_asked_for(&self, values: &[String]) -> bool {
        self.given.iter().all(|(place, wanted)| values.get(*place) == Some(wanted))
    }

    /// Text of the row with these values of the key; with none the head of all rows of the key set.
    pub fn text_of(&self, values: &[String]) -> String {
        text_of(&self.shop, &self.metric, self.key_set, values)
    }
}

impl Span {
    /// Whether an answer with more rows than it holds keeps those of the newest windows.
    pub(super) fn counts_back(self) -> bool {
        matches!(self, Self::Last(_))
    }
}

/// The first rows by a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// Place of the measure in the metric.
    pub measure: usize,
    pub n: usize,
    pub ascending: bool,
    /// For money: amounts of two currencies have no order.
    pub currency: Currency,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// By window, rising; within one by rank or in key order.
    pub rows: Vec<AnswerRow>,
    pub info: AnswerInfo,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRow {
    /// Text of its [`SeriesKey`](crate::tally::SeriesKey).
    pub key: String,
    pub window: Window,
    pub range: TimeRange,
    /// By measure of the metric.
    pub values: Vec<Measured>,
    /// The window has not closed.
    pub provisional: bool,
}

/// What an answer is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerInfo {
    /// The least high water of all sources; none while one was never heard of.
    pub as_of: Option<Millis>,
    /// Sources that hold it back: never heard of, or with changes known to be missing.
    pub held_by: Vec<u16>,
    /// Sum of the positions: rises with every change included.
    pub revision: u64,
    /// Offset of each source, rising, up to which everything is included.
    pub positions: Vec<(u16, u64)>,
    /// There were more rows or windows than an answer holds: the later ones are left out, of the last `n` windows the earlier ones.
    pub truncated: bool,
    /// Where the weakest of it comes from.
    pub origin: Origin,
}

impl AnswerInfo {
    pub fn is_complete(&self) -> bool {
        self.held_by.is_empty()
    }

    /// Whether everything the other includes is included, and more. Of two neither may.
    pub fn includes_more_than(&self, other: &Self) -> bool {
        let at = |source: u16| {
            let found = self.positions.binary_search_by_key(&source, |(source, _)| *source);
            found.map_or(0, |place| self.positions[place].1)
        };
        self.revision > other.revision
            && other.positions.iter().all(|(source, offset)| at(*source) >= *offset)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("there is no metric {0}")]
    MetricUnknown(String),
    #[error("the metric has no such window")]
    WindowUnknown,
    #[error("the metric has no such key set or measure")]
    KeyUnknown,
    #[error("a stored row cannot be read: {0}")]
    Damaged(#[from] crate::actor::StateError),
}
