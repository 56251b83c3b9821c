//! What tables must hold at rest: what queries answer, written as the catalogue shows it.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

use std::collections::BTreeMap;

use souk_model::metric::{EARLIEST, LATEST, TimeRange, Window};
use souk_model::record::DEFAULT_SHOP;
use souk_model::series::{Query, Span};
use souk_model::view::{Catalogue, Datum, Shape, TableRow};
use souk_runtime::Runtime;
use souk_runtime::read::ReadOptions;

/// A row: partition, clustering and values in one.
pub(crate) type Row = Vec<Datum>;

/// What a table holds when it is right.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) must: Vec<Row>,
    /// Sliding windows that end after the newest one: they hold the same events and more to come, and stand there or not.
    may: Vec<Row>,
}

impl Expected {
    pub(crate) fn is_in(&self, found: &[Row]) -> bool {
        let known = |row: &Row| self.must.contains(row) || self.may.contains(row);
        self.must.iter().all(|row| found.contains(row)) && found.iter().all(known)
    }
}

/// By the table's name.
pub(crate) type Rows = BTreeMap<String, Expected>;

/// What must stand in every table once everything up to a position is counted.
pub(crate) async fn expected(runtime: &Runtime, position: &str) -> Rows {
    let min_position = position.parse().unwrap();
    let options = ReadOptions { min_position, ..ReadOptions::default() };
    let catalogue = Catalogue::of(&runtime.settings());
    let mut tables = Rows::new();
    for entry in catalogue.entries() {
        let Shape::Table(shape) = &entry.shape else { continue };
        let span = match (entry.top, entry.window) {
            (Some(_), _) => Span::Last(32),
            (None, Window::Total) => Span::Newest,
            (None, _) => Span::Starting(TimeRange { start: EARLIEST, end: LATEST }),
        };
        let query = Query {
            shop: DEFAULT_SHOP.to_owned(),
            metric: entry.metric.name.clone(),
            key_set: entry.key_set,
            window: Some(entry.window),
            key: None,
            given: Vec::new(),
            span,
            closed_only: false,
            top: entry.top,
        };
        let answer = runtime.query(&query, &options).await.unwrap();
        let newest = Query { span: Span::Newest, ..query };
        let newest = runtime.query(&newest, &options).await.unwrap().rows;
        let end = newest.iter().map(|row| row.range.end).max();
        let rows = tables.entry(shape.table.name.clone()).or_default();
        for row in &answer.rows {
            let is_over = end.is_none_or(|end| row.range.end <= end);
            let rows = if is_over { &mut rows.must } else { &mut rows.may };
            let made = shape.rows_of(&entry.metric, row, 0);
            let shown = |datum| if datum == Datum::Absent { Datum::Null } else { datum };
            let columns = |row: TableRow| [row.partition, row.clustering, row.values].into_iter().flatten();
            rows.extend(made.into_iter().map(|row| columns(row).map(shown).collect::<Vec<_>>()));
        }
    }
    tables
}
