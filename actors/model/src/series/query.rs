//! Queries: which windows of which keys, and what the answer is worth.

use std::collections::BTreeMap;

use super::book::SeriesBook;
use super::join::{Joined, Measured, meant};
use super::rank::{self, Score};
use super::row::SeriesRow;
use super::source::Source;
use crate::limits::{ANSWER_ROWS, ANSWER_WINDOWS};
use crate::metric::{TimeRange, Window};
use crate::money::Currency;
use crate::tally::SeriesKey;
use crate::tally::plan::MetricPlan;
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
    pub key: SeriesKey,
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
    /// Offset of each source up to which everything is included.
    pub positions: BTreeMap<u16, u64>,
    /// There were more rows or windows than an answer holds.
    pub truncated: bool,
}

impl AnswerInfo {
    pub fn is_complete(&self) -> bool {
        self.held_by.is_empty()
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

impl SeriesBook {
    pub fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        let plan =
            self.plan_of(&query.metric).ok_or_else(|| QueryError::MetricUnknown(query.metric.clone()))?;
        let declared = &plan.metric.windows;
        let window =
            query.window.or_else(|| declared.first().copied()).filter(|window| declared.contains(window));
        let window = window.ok_or(QueryError::WindowUnknown)?;
        let measures = plan.metric.measures.len();
        if usize::from(query.key_set) >= plan.key_sets.len()
            || query.top.is_some_and(|top| top.measure >= measures)
        {
            return Err(QueryError::KeyUnknown);
        }
        let keys = match &query.key {
            Some(values) => vec![self.key(query, values.clone()).to_text()],
            None => self.keys_of(&self.key(query, Vec::new()).to_text())?,
        };
        let asked = Asked { plan, sources: &self.sources, window, watermark: self.watermark(plan) };
        let (ranges, mut truncated) =
            asked.ranges(query, self.counted_span(&keys, plan, asked.counted_before(query))?);
        let mut rows = Vec::new();
        for range in ranges {
            let found =
                self.rows_of(&asked, range, &keys, query.top.as_ref(), ANSWER_ROWS + 1 - rows.len())?;
            rows.extend(found);
            if rows.len() > ANSWER_ROWS {
                rows.truncate(ANSWER_ROWS);
                truncated = true;
                break;
            }
        }
        Ok(Answer { rows, info: AnswerInfo { truncated, ..self.info() } })
    }

    fn key(&self, query: &Query, values: Vec<String>) -> SeriesKey {
        SeriesKey { shop: query.shop.clone(), metric: query.metric.clone(), key_set: query.key_set, values }
    }

    /// First and newest pane before `before` any of the keys was counted in.
    fn counted_span(
        &self,
        keys: &[String],
        plan: &MetricPlan,
        before: Millis,
    ) -> Result<Option<(Millis, Millis)>, QueryError> {
        let mut span: Option<(Millis, Millis)> = None;
        for text in keys {
            self.read(text, |row| {
                for cells in row.cells(meant(plan, &self.sources)) {
                    let panes = || cells.range(Millis::MIN + 1, before).filter(|cell| cell.counted);
                    if let (Some(first), Some(last)) = (panes().next(), panes().next_back()) {
                        let (from, to) = span.unwrap_or((first.start, last.start));
                        span = Some((from.min(first.start), to.max(last.start)));
                    }
                }
            })?;
        }
        // Panes older than any window that is still kept are on their way out.
        Ok(span.filter(|(_, newest)| *newest >= self.kept_from(plan)))
    }

    fn rows_of(
        &self,
        asked: &Asked<'_>,
        range: TimeRange,
        keys: &[String],
        top: Option<&Top>,
        room: usize,
    ) -> Result<Vec<AnswerRow>, QueryError> {
        let ranked: Vec<&String>;
        let keys: Vec<&String> = match top {
            None => keys.iter().collect(),
            Some(top) => {
                let mut scored = Vec::new();
                for key in keys {
                    let score = self.read(key, |row| {
                        let joined = asked.joined(row, range);
                        joined.is_counted().then(|| Score::of(&joined.measure(top.measure), top))
                    })?;
                    scored.extend(score.flatten().map(|score| (score, key)));
                }
                ranked = rank::first(scored, top);
                ranked
            }
        };
        let mut rows = Vec::new();
        for text in keys {
            if rows.len() >= room {
                break;
            }
            let values = self.read(text, |row| {
                let joined = asked.joined(row, range);
                joined.is_counted().then(|| joined.measures())
            })?;
            let Some(values) = values.flatten() else { continue };
            let Some(key) = SeriesKey::parse(text) else { continue };
            let provisional = !asked.is_closed(range);
            rows.push(AnswerRow { key, window: asked.window, range, values, provisional });
        }
        Ok(rows)
    }
}

/// A query resolved against the catalogue.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    plan: &'a MetricPlan,
    sources: &'a [Source],
    window: Window,
    /// The metric's watermark, joined over all sources; none while one was never heard of.
    watermark: Option<Millis>,
}

impl<'a> Asked<'a> {
    fn joined<'r>(&self, row: &'r SeriesRow, range: TimeRange) -> Joined<'r>
    where
        'a: 'r,
    {
        Joined { row, plan: self.plan, sources: self.sources, window: self.window, range }
    }

    fn is_closed(&self, range: TimeRange) -> bool {
        range != TimeRange::ALL && self.watermark.is_some_and(|watermark| range.end <= watermark)
    }

    fn is_kept(&self, range: TimeRange) -> bool {
        self.watermark.is_none_or(|watermark| range.end > watermark.saturating_sub(self.plan.metric.keep))
    }

    /// End of the newest closed instance, where only closed ones are asked for: what was counted later does not matter.
    fn counted_before(&self, query: &Query) -> Millis {
        match self.watermark {
            _ if !query.closed_only => Millis::MAX,
            None => Millis::MIN,
            Some(watermark) => {
                let newest =
                    self.window.instance_of(&self.plan.metric.time_zone, watermark.saturating_sub(1));
                if newest.end <= watermark { newest.end } else { self.before(newest).end }
            }
        }
    }

    /// Instances the query means, rising, and whether there were more than an answer holds.
    fn ranges(&self, query: &Query, counted: Option<(Millis, Millis)>) -> (Vec<TimeRange>, bool) {
        if self.window == Window::Total {
            return (if query.closed_only { Vec::new() } else { vec![TimeRange::ALL] }, false);
        }
        let Some((oldest, newest)) = counted else { return (Vec::new(), false) };
        let zone = &self.plan.metric.time_zone;
        let mut ranges = Vec::new();
        let mut truncated = false;
        match query.span {
            Span::Newest => ranges.push(self.window.instance_of(zone, newest)),
            Span::Last(n) => {
                let mut range = self.window.instance_of(zone, newest);
                for _ in 0..n.min(ANSWER_WINDOWS) {
                    ranges.push(range);
                    range = self.before(range);
                }
                truncated = n > ANSWER_WINDOWS;
                ranges.reverse();
            }
            Span::Starting(within) => {
                let mut range =
                    self.first_starting(within.start.max(self.window.instance_of(zone, oldest).start));
                while range.start < within.end && range.start <= newest {
                    if ranges.len() == ANSWER_WINDOWS {
                        truncated = true;
                        break;
                    }
                    ranges.push(range);
                    range = self.window.next(zone, range);
                }
            }
        }
        ranges.retain(|range| self.is_kept(*range) && (!query.closed_only || self.is_closed(*range)));
        (ranges, truncated)
    }

    /// The first instance that starts at or after `t`.
    fn first_starting(&self, t: Millis) -> TimeRange {
        let zone = &self.plan.metric.time_zone;
        let near = match self.window {
            Window::Sliding { size, .. } => t.saturating_add(size - 1),
            _ => t,
        };
        let range = self.window.instance_of(zone, near);
        if range.start < t { self.window.next(zone, range) } else { range }
    }

    fn before(&self, range: TimeRange) -> TimeRange {
        match self.window {
            Window::Sliding { step, .. } => TimeRange { start: range.start - step, end: range.end - step },
            _ => self.window.instance_of(&self.plan.metric.time_zone, range.start - 1),
        }
    }
}
