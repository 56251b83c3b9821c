//! A write to tables as it comes together: its rows, and how many there are of which table.

use std::collections::BTreeMap;

use souk_model::view::{Entry, Shape};

use super::ripe::Ready;
use crate::ports::TableWrite;

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub writes: Vec<TableWrite>,
    pub by_table: BTreeMap<String, u64>,
}

impl Draft {
    /// Takes the rows that a row of the series makes in its table: one, or one per currency. How many those are.
    pub(super) fn put(&mut self, entry: &Entry, ready: &Ready) -> usize {
        let Shape::Table(shape) = &entry.shape else { return 0 };
        let rows = shape.rows(&entry.metric, &ready.row);
        let count = rows.len();
        *self.by_table.entry(shape.table.name.clone()).or_default() += count as u64;
        self.writes.extend(rows.into_iter().map(TableWrite::Row));
        count
    }
}
