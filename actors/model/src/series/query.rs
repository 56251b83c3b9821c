//! Queries: which windows of which keys, and what the answer is worth.

use std::collections::BTreeMap;

use super::book::SeriesBook;
use super::join::{Joined, Measured, meant};
use super::rank::{self, Score};
use super::row::SeriesRow;
use super::source::Source;
use super::windows::{Counted, Moment, Windows};
use crate::limits::ANSWER_ROWS;
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
    fn is_asked_for(&self, values: &[String]) -> bool {
        self.given.iter().all(|(place, wanted)| values.get(*place) == Some(wanted))
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
    /// There were more rows or windows than an answer holds: the later ones are left out, of the last `n` windows the earlier ones.
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
    /// What the shard answers alone.
    pub fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        let high_water = self.high_water();
        let counted = self.counted(query, high_water)?;
        self.query_at(query, &Moment { high_water, counted })
    }

    /// First and newest pane the keys asked for were counted in: with `closed_only` only in what had closed at this high water.
    pub fn counted(&self, query: &Query, high_water: Option<Millis>) -> Result<Option<Counted>, QueryError> {
        let asked = self.asked(query, high_water)?;
        let before = asked.windows.counted_before(query);
        let mut counted: Option<Counted> = None;
        for text in self.texts(query)? {
            self.read(&text, |row| {
                for cells in row.cells(meant(asked.plan, &self.sources)) {
                    let panes = || cells.range(Millis::MIN + 1, before).filter(|cell| cell.counted);
                    if let (Some(first), Some(last)) = (panes().next(), panes().next_back()) {
                        let own = Counted { oldest: first.start, newest: last.start };
                        counted = Some(counted.map_or(own, |before| before.and(own)));
                    }
                }
            })?;
        }
        Ok(counted)
    }

    /// Answers as of a moment that several shards agreed on.
    pub fn query_at(&self, query: &Query, moment: &Moment) -> Result<Answer, QueryError> {
        let asked = self.asked(query, moment.high_water)?;
        let keys = self.texts(query)?;
        let (mut ranges, mut truncated) = asked.windows.meant(query, moment.counted);
        if query.span.counts_back() {
            ranges.reverse();
        }
        let mut windows = Vec::new();
        let mut room = ANSWER_ROWS;
        for range in ranges {
            let mut rows = self.rows_of(&asked, range, &keys, query.top.as_ref(), room + 1)?;
            let more = rows.len() > room;
            rows.truncate(room);
            room -= rows.len();
            windows.push(rows);
            if more {
                truncated = true;
                break;
            }
        }
        if query.span.counts_back() {
            windows.reverse();
        }
        let info = AnswerInfo { truncated, as_of: moment.high_water, ..self.info() };
        Ok(Answer { rows: windows.into_iter().flatten().collect(), info })
    }

    fn asked(&self, query: &Query, high_water: Option<Millis>) -> Result<Asked<'_>, QueryError> {
        let plan =
            self.plan_of(&query.metric).ok_or_else(|| QueryError::MetricUnknown(query.metric.clone()))?;
        let windows = Windows::of(&plan.metric, query.window, high_water).ok_or(QueryError::WindowUnknown)?;
        let measures = plan.metric.measures.len();
        if usize::from(query.key_set) >= plan.key_sets.len()
            || query.top.is_some_and(|top| top.measure >= measures)
        {
            return Err(QueryError::KeyUnknown);
        }
        Ok(Asked { plan, sources: &self.sources, windows })
    }

    /// Texts of the rows asked for, in order.
    fn texts(&self, query: &Query) -> Result<Vec<String>, QueryError> {
        if let Some(values) = &query.key {
            return Ok(vec![self.key(query, values.clone()).to_text()]);
        }
        let mut texts = self.keys_of(&self.key(query, Vec::new()).to_text())?;
        if !query.given.is_empty() {
            texts.retain(|text| SeriesKey::parse(text).is_some_and(|key| query.is_asked_for(&key.values)));
        }
        Ok(texts)
    }

    fn key(&self, query: &Query, values: Vec<String>) -> SeriesKey {
        SeriesKey { shop: query.shop.clone(), metric: query.metric.clone(), key_set: query.key_set, values }
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
            let provisional = !asked.windows.is_closed(range);
            rows.push(AnswerRow { key, window: asked.windows.window(), range, values, provisional });
        }
        Ok(rows)
    }
}

/// A query resolved against the catalogue.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    plan: &'a MetricPlan,
    sources: &'a [Source],
    windows: Windows<'a>,
}

impl<'a> Asked<'a> {
    fn joined<'r>(&self, row: &'r SeriesRow, range: TimeRange) -> Joined<'r>
    where
        'a: 'r,
    {
        Joined { row, plan: self.plan, sources: self.sources, window: self.windows.window(), range }
    }
}
