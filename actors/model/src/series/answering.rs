//! Answering: a query resolved against the catalogue, and the rows that answer it, window by window, each with its keys in the order asked
//! for.

use super::book::SeriesBook;
use super::join::Joined;
use super::query::{Answer, AnswerInfo, AnswerRow, Query, QueryError, Span, Top};
use super::rank::{self, Score};
use super::row::{Meant, SeriesRow};
use super::windows::{Moment, Windows};
use crate::limits::{ANSWER_ROWS, ANSWER_WINDOWS};
use crate::metric::{TimeRange, Window};
use crate::tally::SeriesKey;
use crate::tally::plan::MetricPlan;
use crate::time::Millis;

impl SeriesBook {
    /// What the shard answers alone.
    pub fn query(&self, query: &Query) -> Result<Answer, QueryError> {
        let high_water = self.high_water();
        let asked = Asked::of(self, query, high_water)?;
        Ok(self.answer(asked.rows(asked.newest()?)?, high_water))
    }

    /// The newest pane the keys asked for were counted in, where the span counts from it: with `closed_only` only in what had closed at
    /// this high water.
    pub fn newest(&self, query: &Query, high_water: Option<Millis>) -> Result<Option<Millis>, QueryError> {
        Asked::of(self, query, high_water)?.newest()
    }

    /// Answers as of a moment that several shards agreed on.
    pub fn query_at(&self, query: &Query, moment: &Moment) -> Result<Answer, QueryError> {
        let found = Asked::of(self, query, moment.high_water)?.rows(moment.newest)?;
        Ok(self.answer(found, moment.high_water))
    }

    fn answer(&self, found: Found, as_of: Option<Millis>) -> Answer {
        let info = AnswerInfo { truncated: found.more, as_of, ..self.info() };
        Answer { rows: found.rows, info }
    }
}

/// A query resolved.
#[derive(Debug)]
struct Asked<'a> {
    book: &'a SeriesBook,
    query: &'a Query,
    plan: &'a MetricPlan,
    meant: &'a Meant,
    windows: Windows<'a>,
    /// Texts of the rows asked for, in order.
    keys: Vec<String>,
}

/// Rows of an answer, up to as many as it holds.
#[derive(Debug, Default)]
struct Found {
    rows: Vec<AnswerRow>,
    /// There were more rows or windows.
    more: bool,
}

impl<'a> Asked<'a> {
    /// `high_water` is the least of all sources.
    fn of(book: &'a SeriesBook, query: &'a Query, high_water: Option<Millis>) -> Result<Self, QueryError> {
        let (plan, meant) =
            book.metric(&query.metric).ok_or_else(|| QueryError::MetricUnknown(query.metric.clone()))?;
        let windows = Windows::of(&plan.metric, query.window, high_water).ok_or(QueryError::WindowUnknown)?;
        let measures = plan.metric.measures.len();
        if usize::from(query.key_set) >= plan.key_sets.len()
            || query.top.is_some_and(|top| top.measure >= measures)
        {
            return Err(QueryError::KeyUnknown);
        }
        Ok(Self { book, query, plan, meant, windows, keys: keys(book, query)? })
    }

    /// The newest pane anything was counted in, where the span counts from it: with `closed_only` only in what has closed.
    fn newest(&self) -> Result<Option<Millis>, QueryError> {
        if matches!(self.query.span, Span::Starting(_)) || self.windows.window() == Window::Total {
            return Ok(None);
        }
        let before = self.windows.counted_before(self.query.closed_only);
        let mut newest = None;
        for text in &self.keys {
            let own = self.book.read(text, |row| {
                let panes = row.cells(self.meant).map(|cells| cells.range(Millis::MIN + 1, before));
                let counted = panes.map(|panes| panes.iter().rev().find(|cell| cell.counted));
                counted.flatten().map(|cell| cell.start).max()
            })?;
            newest = newest.max(own.flatten());
        }
        Ok(newest)
    }

    fn rows(&self, newest: Option<Millis>) -> Result<Found, QueryError> {
        match self.query.span {
            _ if self.windows.window() == Window::Total => self.total(),
            Span::Newest => self.back_from(newest, 1),
            Span::Last(n) => self.back_from(newest, n),
            Span::Starting(within) => self.starting(within),
        }
    }

    fn total(&self) -> Result<Found, QueryError> {
        let mut found = Found::default();
        // It never closes.
        if !self.query.closed_only {
            self.add(TimeRange::ALL, &mut found)?;
        }
        Ok(found)
    }

    /// The newest windows: what does not fit are the earlier ones.
    fn back_from(&self, newest: Option<Millis>, n: usize) -> Result<Found, QueryError> {
        let mut found = Found { more: n > ANSWER_WINDOWS, ..Found::default() };
        let ranges = newest.map(|newest| self.windows.back_from(newest, n.min(ANSWER_WINDOWS)));
        for range in ranges.into_iter().flatten().filter(|range| self.is_meant(*range)) {
            if self.add(range, &mut found)? {
                break;
            }
        }
        found.rows.sort_by_key(|row| row.range);
        Ok(found)
    }

    /// Windows that start in a range: what does not fit are the later ones. Those nothing was counted in have no rows and cost nothing.
    fn starting(&self, within: TimeRange) -> Result<Found, QueryError> {
        let mut found = Found::default();
        let mut at = self.windows.first_in(within);
        while let Some(range) = at.filter(|range| self.is_meant(*range)) {
            let before = found.rows.len();
            if self.add(range, &mut found)? {
                break;
            }
            let next = if found.rows.len() > before {
                Some(self.windows.next(range))
            } else {
                self.next_counted(range.end)?.map(|pane| self.windows.instance_of(pane))
            };
            // The calendar ends: what lies beyond counts as its last day.
            at = next.filter(|next| next.start > range.start && next.start < within.end);
        }
        Ok(found)
    }

    fn is_meant(&self, range: TimeRange) -> bool {
        !self.query.closed_only || self.windows.is_closed(range)
    }

    /// The first pane from here on anything was counted in.
    fn next_counted(&self, from: Millis) -> Result<Option<Millis>, QueryError> {
        let mut next: Option<Millis> = None;
        for text in &self.keys {
            let own = self.book.read(text, |row| {
                let panes = row.cells(self.meant).map(|cells| cells.range(from, Millis::MAX));
                let counted = panes.map(|panes| panes.iter().find(|cell| cell.counted));
                counted.flatten().map(|cell| cell.start).min()
            })?;
            next = next.into_iter().chain(own.flatten()).min();
        }
        Ok(next)
    }

    /// Adds the rows of one window; says whether there were more than fit.
    fn add(&self, range: TimeRange, found: &mut Found) -> Result<bool, QueryError> {
        let ranked = self.query.top.as_ref().map(|top| self.ranked(range, top)).transpose()?;
        let keys: &mut dyn Iterator<Item = &String> = match ranked {
            Some(ranked) => &mut ranked.into_iter(),
            None => &mut self.keys.iter(),
        };
        let provisional = !self.windows.is_closed(range);
        for text in keys {
            let values = self.book.read(text, |row| {
                let joined = self.joined(row, range);
                joined.is_counted().then(|| joined.measures())
            })?;
            let Some(values) = values.flatten() else { continue };
            if found.rows.len() == ANSWER_ROWS {
                found.more = true;
                return Ok(true);
            }
            let key = text.clone();
            found.rows.push(AnswerRow { key, window: self.windows.window(), range, values, provisional });
        }
        Ok(false)
    }

    /// The first keys of a window by a measure.
    fn ranked(&self, range: TimeRange, top: &Top) -> Result<Vec<&String>, QueryError> {
        let mut scored = Vec::new();
        for key in &self.keys {
            let score = self.book.read(key, |row| {
                let joined = self.joined(row, range);
                joined.is_counted().then(|| Score::of(&joined.measure(top.measure), top))
            })?;
            scored.extend(score.flatten().map(|score| (score, key)));
        }
        Ok(rank::first(scored, top))
    }

    fn joined<'r>(&'r self, row: &'r SeriesRow, range: TimeRange) -> Joined<'r> {
        Joined::of(row, self.plan, self.meant, self.windows.window(), range)
    }
}

/// Texts of the rows a query asks for, in order.
fn keys(book: &SeriesBook, query: &Query) -> Result<Vec<String>, QueryError> {
    if let Some(values) = &query.key {
        return Ok(vec![query.text_of(values)]);
    }
    let mut texts = book.keys_of(&query.text_of(&[]))?;
    if !query.given.is_empty() {
        texts.retain(|text| SeriesKey::parse(text).is_some_and(|key| query.is_asked_for(&key.values)));
    }
    Ok(texts)
}
