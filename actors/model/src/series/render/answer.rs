//! A whole answer: what it is worth, and one page of its rows.

use souk_proto::{v1, wire};

use super::super::query::{Answer, AnswerRow};
use super::row::{Worth, read_back};
use crate::metric::{Metric, TimeRange};

/// Rows of an answer from `skip` on, at most `most`.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub skip: usize,
    pub most: usize,
    /// Whether an order was asked for, in which rows have places.
    pub ranked: bool,
}

impl Answer {
    /// What the whole of its rows is worth.
    pub fn info_to_proto(&self, metric: &Metric, with_position: bool) -> v1::AnswerInfo {
        let info = self.info.to_proto(with_position);
        let Some(worth) = self.worth(metric) else { return info };
        v1::AnswerInfo {
            provisional: Some(worth.provisional),
            exactness: worth.exactness().into(),
            error_bound: worth.error_bound,
            ..info
        }
    }

    /// Of all rows the least; none of no rows.
    fn worth(&self, metric: &Metric) -> Option<Worth> {
        self.rows.iter().map(|row| row.worth(metric)).reduce(|all, row| Worth {
            provisional: all.provisional || row.provisional,
            error_bound: all.error_bound.into_iter().chain(row.error_bound).reduce(f64::max),
        })
    }

    /// Writes rows, each as field `field` of the message they are in. A row says what it is worth only where that is not what its answer
    /// says.
    pub fn encode_rows(&self, metric: &Metric, shown: Shown, field: u32, out: &mut Vec<u8>) {
        self.each(metric, shown, |row, rank, worth| {
            wire::message(out, field, |out| row.encode_with(metric, rank, worth, out));
        });
    }

    /// The same as messages.
    pub fn rows_to_proto(&self, metric: &Metric, shown: Shown) -> Vec<v1::MetricRow> {
        let mut rows = Vec::new();
        let mut bytes = Vec::new();
        self.each(metric, shown, |row, rank, worth| {
            bytes.clear();
            row.encode_with(metric, rank, worth, &mut bytes);
            rows.push(read_back(&bytes));
        });
        rows
    }

    fn each(
        &self,
        metric: &Metric,
        shown: Shown,
        mut show: impl FnMut(&AnswerRow, Option<i32>, Option<Worth>),
    ) {
        let whole = self.worth(metric);
        let mut rank = 0;
        let mut before: Option<TimeRange> = None;
        for (at, row) in self.rows.iter().enumerate().take(shown.skip.saturating_add(shown.most)) {
            // Places begin anew in each window.
            rank = if before == Some(row.range) { rank + 1 } else { 1 };
            before = Some(row.range);
            if at >= shown.skip {
                let own = Some(row.worth(metric)).filter(|own| Some(*own) != whole);
                show(row, shown.ranked.then_some(rank), own);
            }
        }
    }
}
