//! Gathering: the answers of several products shards made into one, equal to that of a single book with all their keys.
//!
//! A key lives in one shard, so rows are never added up. What takes care is that all shards mean the same windows. Left alone, each
//! answers its own newest instance: one whose keys were quiet of late an old one, or, of a sliding window, one that overlaps the
//! newest of all, in which its keys count too. And each judges what has closed by what it has heard of its sources itself. So they are
//! asked three times, and only the last costs rows:
//!
//! 1. [`SeriesBook::high_water`](super::SeriesBook::high_water): the least of all is theirs together;
//! 2. [`SeriesBook::newest`](super::SeriesBook::newest) with it: the greatest of all;
//! 3. [`SeriesBook::query_at`](super::SeriesBook::query_at) with this [`Moment`](super::Moment): each then resolves the same windows
//!    and answers its keys' rows of them, and `gather` has only to put them in order.
//!
//! What a shard takes in between two of them moves values, never the windows.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{Answer, AnswerInfo, AnswerRow, Query, Span, Top};
use super::rank::{self, Score};
use crate::limits::ANSWER_ROWS;
use crate::metric::TimeRange;

/// Merges what shards answered to one query at one moment. Shards may come in any order.
pub fn gather(query: &Query, mut answers: Vec<Answer>) -> Answer {
    if answers.len() == 1 {
        return answers.swap_remove(0);
    }
    let info = worth(&answers);
    let mut windows: BTreeMap<TimeRange, Vec<AnswerRow>> = BTreeMap::new();
    for row in answers.into_iter().flat_map(|answer| answer.rows) {
        windows.entry(row.range).or_default().push(row);
    }
    let windows = windows.into_values().map(|rows| in_order(rows, query.top.as_ref())).collect();
    let (rows, more) = cut_off(windows, query.span, ANSWER_ROWS);
    Answer { rows, info: AnswerInfo { truncated: info.truncated || more, ..info } }
}

fn worth(answers: &[Answer]) -> AnswerInfo {
    let infos = || answers.iter().map(|answer| &answer.info);
    let mut positions = BTreeMap::new();
    for &(source, position) in infos().flat_map(|info| &info.positions) {
        let least = positions.entry(source).or_insert(position);
        *least = (*least).min(position);
    }
    AnswerInfo {
        as_of: infos().map(|info| info.as_of).min().flatten(),
        held_by: infos()
            .flat_map(|info| info.held_by.iter().copied())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        // Of every shard's own, not of the least positions: it must rise with whatever any of them takes in.
        revision: infos().map(|info| info.revision).sum(),
        positions: positions.into_iter().collect(),
        truncated: infos().any(|info| info.truncated),
        origin: infos().map(|info| info.origin).max().unwrap_or_default(),
    }
}

/// Rows of one window as one shard would have them.
fn in_order(mut rows: Vec<AnswerRow>, top: Option<&Top>) -> Vec<AnswerRow> {
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    let Some(top) = top else { return rows };
    let mut rows: Vec<Option<AnswerRow>> = rows.into_iter().map(Some).collect();
    let score = |row: &AnswerRow| row.values.get(top.measure).map(|value| Score::of(value, top));
    // Places stand for keys: they are in the same order.
    let scored = rows.iter().enumerate().filter_map(|(place, row)| Some((score(row.as_ref()?)?, place)));
    rank::first(scored.collect(), top).into_iter().filter_map(|place| rows[place].take()).collect()
}

/// The rows of all windows, as many as an answer holds, and whether there were more.
fn cut_off(mut windows: Vec<Vec<AnswerRow>>, span: Span, most: usize) -> (Vec<AnswerRow>, bool) {
    let (mut room, mut more) = (most, false);
    let mut cut = |rows: &mut Vec<AnswerRow>| {
        more |= rows.len() > room;
        rows.truncate(room);
        room -= rows.len();
    };
    if span.counts_back() {
        windows.iter_mut().rev().for_each(&mut cut);
    } else {
        windows.iter_mut().for_each(&mut cut);
    }
    (windows.into_iter().flatten().collect(), more)
}
