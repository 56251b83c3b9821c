//! A whole answer: what it is worth, and one page of its rows.

use souk_proto::v1;
use souk_proto::v1::answer_info::Exactness;

use super::super::query::{Answer, AnswerRow};
use super::row::error_bound;
use crate::metric::{Metric, TimeRange};

impl Answer {
    /// What the whole of its rows is worth.
    pub fn info_to_proto(&self, metric: &Metric, with_position: bool) -> v1::AnswerInfo {
        let info = self.info.to_proto(with_position);
        if self.rows.is_empty() {
            return info;
        }
        let error_bound =
            self.rows.iter().filter_map(|row| error_bound(metric, &row.values)).reduce(f64::max);
        let exactness = if error_bound.is_some() { Exactness::Sketched } else { Exactness::Exact };
        v1::AnswerInfo {
            provisional: Some(self.rows.iter().any(|row| row.provisional)),
            exactness: exactness.into(),
            error_bound,
            ..info
        }
    }

    /// Its rows, each with its place in the order asked for; no place where none was asked for.
    pub fn ranked(&self, top: bool) -> impl Iterator<Item = (&AnswerRow, Option<i32>)> {
        let mut rank = 0;
        let mut before: Option<TimeRange> = None;
        self.rows.iter().map(move |row| {
            rank = if before == Some(row.range) { rank + 1 } else { 1 };
            before = Some(row.range);
            (row, top.then_some(rank))
        })
    }

    /// Rows from `skip` on, at most `most`: each says what it is worth only where that is not what `info`, its answer's, says.
    pub fn page_to_proto(
        &self,
        metric: &Metric,
        info: &v1::AnswerInfo,
        top: bool,
        skip: usize,
        most: usize,
    ) -> Vec<v1::MetricRow> {
        let page = self.ranked(top).skip(skip).take(most).map(|(row, rank)| {
            let mut row = row.to_proto(metric, rank);
            row.info.take_if(|own| says_the_same(own, info));
            row
        });
        page.collect()
    }
}

fn says_the_same(row: &v1::AnswerInfo, answer: &v1::AnswerInfo) -> bool {
    row.provisional == answer.provisional
        && row.exactness == answer.exactness
        && row.error_bound == answer.error_bound
}
