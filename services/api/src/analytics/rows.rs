//! Rows of an answer, page by page.
//!
//! A page's cursor pins the windows the first page meant: the newest window moves on while somebody turns pages. Within them it is a place:
//! rows that come between two pages can shift one over the edge, as an order by a moving measure would anyway.

use prost::Message as _;
use souk_model::metric::{Metric, TimeRange};
use souk_model::series::{Answer, Query, Shown, Span};
use souk_model::time::Millis;
use souk_proto::v1;

use super::resolve::Asked;
use crate::page::{self, Page, Paged};
use crate::read_options::ReadCall;
use crate::{ApiError, Context};

/// Where a page ended.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Cursor {
    /// Start of the last row's window, and of the last window meant.
    #[prost(sint64, tag = "1")]
    window: Millis,
    #[prost(sint64, tag = "2")]
    last: Millis,
    /// Rows of its window that were shown.
    #[prost(uint64, tag = "3")]
    shown: u64,
}

/// What was answered, and which of its rows are shown.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    metric: &'a Metric,
    answer: Answer,
    shown: Shown,
    pub info: v1::AnswerInfo,
    pub next_page_token: String,
}

impl Rows<'_> {
    pub(super) fn to_proto(&self) -> Vec<v1::MetricRow> {
        self.answer.rows_to_proto(self.metric, self.shown)
    }

    /// Writes them, each as field `field` of the response.
    pub(super) fn encode(&self, field: u32, out: &mut Vec<u8>) {
        self.answer.encode_rows(self.metric, self.shown, field, out);
    }
}

/// Answers one page.
pub(super) async fn page<'a>(
    context: &Context,
    asked: &'a Asked,
    read: &ReadCall,
    page: &Page<'_, impl Paged>,
) -> Result<Rows<'a>, ApiError> {
    let cursor = match &page.cursor {
        Some(bytes) => Some(Cursor::decode(bytes.as_slice()).map_err(|_| page::mismatch())?),
        None => None,
    };
    let further;
    let query = match cursor {
        None => &asked.query,
        Some(Cursor { window, last, .. }) => {
            let span = Span::Starting(TimeRange { start: window, end: last.saturating_add(1) });
            further = Query { span, ..asked.query.clone() };
            &further
        }
    };
    let answer = context.runtime.query(query, &read.options).await?;
    let last = match query.span {
        // What was left out are the earliest windows: pages that begin after them would say that they are not.
        Span::Last(_) if answer.info.truncated => return Err(too_many(&answer, "rows")),
        // The answer was cut off, not the question: later windows are on later pages.
        Span::Starting(within) if answer.info.truncated => Some(within.end.saturating_sub(1)),
        _ => cursor.map(|cursor| cursor.last),
    };
    let skip = cursor.map_or(0, |cursor| usize::try_from(cursor.shown).unwrap_or(usize::MAX));
    let next = next_cursor(&answer, skip, page.size, last)?;
    Ok(rows(asked, answer, read, skip, page.size, next.map(|next| page.token(&next.encode_to_vec()))))
}

/// Answers all rows, for a method without pages.
pub(super) async fn all<'a>(
    context: &Context,
    asked: &'a Asked,
    read: &ReadCall,
) -> Result<Rows<'a>, ApiError> {
    let answer = context.runtime.query(&asked.query, &read.options).await?;
    if answer.info.truncated {
        return Err(too_many(&answer, "range"));
    }
    Ok(rows(asked, answer, read, 0, usize::MAX, None))
}

fn rows<'a>(
    asked: &'a Asked,
    answer: Answer,
    read: &ReadCall,
    skip: usize,
    most: usize,
    next: Option<String>,
) -> Rows<'a> {
    let metric = asked.metric();
    let info = answer.info_to_proto(metric, read.with_position);
    let shown = Shown { skip, most, ranked: asked.query.top.is_some() };
    Rows { metric, answer, shown, info, next_page_token: next.unwrap_or_default() }
}

/// Where the page that shows rows from `skip` on ends; none if nothing follows it.
fn next_cursor(
    answer: &Answer,
    skip: usize,
    size: usize,
    last: Option<Millis>,
) -> Result<Option<Cursor>, ApiError> {
    let shown = answer.rows.len().min(skip.saturating_add(size));
    let more = shown < answer.rows.len();
    if !more && !answer.info.truncated {
        return Ok(None);
    }
    if shown <= skip {
        // One window alone has more rows than an answer holds: there is no way past them.
        return Err(too_many(answer, "rows"));
    }
    let window = answer.rows[shown - 1].range.start;
    let same = answer.rows[..shown].iter().rev().take_while(|row| row.range.start == window).count();
    let newest = answer.rows.last().map_or(window, |row| row.range.start);
    Ok(Some(Cursor { window, last: last.unwrap_or(newest), shown: same as u64 }))
}

fn too_many(answer: &Answer, what: &str) -> ApiError {
    ApiError::too_many(what, answer.rows.len().saturating_add(1), answer.rows.len())
}

#[cfg(test)]
mod tests {
    use souk_model::metric::Window;
    use souk_model::series::{AnswerInfo, AnswerRow};

    use super::*;

    fn answer(starts: &[Millis], truncated: bool) -> Answer {
        let row = |start: &Millis| AnswerRow {
            key: "main/m/0".to_owned(),
            window: Window::Tumbling { size: 10 },
            range: TimeRange { start: *start, end: start + 10 },
            values: Vec::new(),
            provisional: false,
        };
        let info = AnswerInfo {
            as_of: None,
            held_by: Vec::new(),
            revision: 0,
            positions: [].into(),
            truncated,
            origin: Default::default(),
        };
        Answer { rows: starts.iter().map(row).collect(), info }
    }

    fn next(answer: &Answer, skip: usize, size: usize) -> Option<(Millis, Millis, u64)> {
        let next = next_cursor(answer, skip, size, None).unwrap();
        next.map(|Cursor { window, last, shown }| (window, last, shown))
    }

    #[test]
    fn a_cursor_pins_the_windows_and_counts_within_one() {
        let rows = answer(&[0, 0, 10, 10, 10], false);
        assert_eq!(next(&rows, 0, 1), Some((0, 10, 1)));
        assert_eq!(next(&rows, 0, 2), Some((0, 10, 2)));
        assert_eq!(next(&rows, 0, 4), Some((10, 10, 2)));
        assert_eq!(next(&rows, 0, 5), None);
        // The second page of that: windows from the one at 10 on, two of its rows shown.
        assert_eq!(next(&answer(&[10, 10, 10], false), 2, 4), None);
    }

    #[test]
    fn pages_go_on_over_answers_that_were_cut_off_but_not_within_one_window() {
        assert_eq!(next(&answer(&[0, 10], true), 0, 50), Some((10, 10, 1)));
        assert!(next_cursor(&answer(&[0, 0], true), 2, 50, None).is_err());
    }
}
