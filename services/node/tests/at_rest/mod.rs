//! What tables must hold at rest: what queries answer, written as the catalogue shows it.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

use std::collections::BTreeMap;

use souk_model::metric::{EARLIEST, LATEST, TimeRange, Window};
use souk_model::record::DEFAULT_SHOP;
use souk_model::series::{Query, Span};
use souk_model::view::{Catalogue, Datum, Shape, TableRow};
use souk_runtime::Runtime;
use souk_runtime::read::ReadOptions;

/// Rows of every table by name: partition, clustering and values in one. In order of their text.
pub(crate) type Rows = BTreeMap<String, Vec<Vec<Datum>>>;

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
        // Of a sliding window those that end after the newest one hold the same events and more to come.
        for row in answer.rows.iter().filter(|row| end.is_none_or(|end| row.range.end <= end)) {
            let made = shape.rows_of(&entry.metric, row, 0);
            let shown = |datum| if datum == Datum::Absent { Datum::Null } else { datum };
            let columns = |row: TableRow| [row.partition, row.clustering, row.values].into_iter().flatten();
            rows.extend(made.into_iter().map(|row| columns(row).map(shown).collect::<Vec<_>>()));
        }
    }
    tables.values_mut().for_each(|rows| rows.sort_by_key(|row| format!("{row:?}")));
    tables
}

/// Rows as they were read, in the same order.
pub(crate) fn in_order(mut rows: Vec<Vec<Datum>>) -> Vec<Vec<Datum>> {
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}
