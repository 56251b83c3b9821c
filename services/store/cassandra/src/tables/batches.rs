//! Writes made into requests: rows of one partition together, a list with what it replaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlTimestamp, CqlValue, MaybeUnset};
use souk_model::view::{Datum, TableRow};
use souk_runtime::ports::TableWrite;

use super::declared::Declared;
use crate::limits::{BATCH_BYTES, BATCH_ROWS};

/// One column's value as the driver takes it.
pub(super) type Bound = MaybeUnset<Option<CqlValue>>;

/// An unlogged batch of one partition: its server applies it at once.
pub(super) struct Request {
    pub batch: Batch,
    pub values: Vec<Vec<Bound>>,
}

pub(super) struct Building {
    request: Request,
    bytes: usize,
    /// Rows it may have.
    most: usize,
}

pub(super) fn requests(declared: &Declared, writes: Vec<TableWrite>) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut open: BTreeMap<String, Building> = BTreeMap::new();
    for write in writes {
        match write {
            TableWrite::Row(row) => {
                let Some(prepared) = declared.of(&row.table) else { continue };
                let partition = format!("{}{:?}", row.table.table.name, row.partition);
                let building = open.entry(partition).or_insert_with(|| Building::new(BATCH_ROWS));
                requests.extend(building.add(&prepared.insert, bytes(columns(&row)), bound(row)));
            }
            TableWrite::List(rows) => requests.extend(list(declared, rows)),
        }
    }
    requests.extend(open.into_values().filter_map(Building::finish));
    requests
}

/// What was there goes at the revision before: rows of this one stand, whichever comes first.
fn list(declared: &Declared, rows: Vec<TableRow>) -> Vec<Request> {
    let Some(first) = rows.first() else { return Vec::new() };
    let table = Arc::clone(&first.table);
    let Some(prepared) = declared.of(&table) else { return Vec::new() };
    let before = timestamp(first.revision.saturating_sub(1));
    let named = first.partition.iter().chain(&first.clustering[..table.list_columns()]).cloned();
    let clear = [before].into_iter().chain(named.map(value)).collect();
    let mut building = Building::new(BATCH_ROWS);
    let mut requests: Vec<Request> = building.add(&prepared.clear, 0, clear).into_iter().collect();
    for row in rows {
        requests.extend(building.add(&prepared.insert, bytes(columns(&row)), bound(row)));
    }
    requests.extend(building.finish());
    requests
}

impl Building {
    pub(super) fn new(most: usize) -> Self {
        let request = Request { batch: Batch::new(BatchType::Unlogged), values: Vec::new() };
        Self { request, bytes: 0, most }
    }

    /// Adds one more; gives what was full without it.
    pub(super) fn add(
        &mut self,
        statement: &PreparedStatement,
        bytes: usize,
        values: Vec<Bound>,
    ) -> Option<Request> {
        let count = self.request.values.len();
        let is_full = count > 0 && (count >= self.most || self.bytes + bytes > BATCH_BYTES);
        let full = is_full.then(|| std::mem::replace(self, Self::new(self.most)).request);
        self.request.batch.append_statement(BatchStatement::PreparedStatement(statement.clone()));
        self.request.values.push(values);
        self.bytes += bytes;
        full.map(Request::agreed_by)
    }

    pub(super) fn finish(self) -> Option<Request> {
        (!self.request.values.is_empty()).then(|| self.request.agreed_by())
    }
}

impl Request {
    /// A batch asks as its statements do.
    fn agreed_by(mut self) -> Self {
        let agreed = self.batch.statements.first().and_then(|statement| match statement {
            BatchStatement::PreparedStatement(prepared) => prepared.get_consistency(),
            _ => None,
        });
        if let Some(consistency) = agreed {
            self.batch.set_consistency(consistency);
        }
        self.batch.set_is_idempotent(true);
        self
    }
}

fn bound(row: TableRow) -> Vec<Bound> {
    let TableRow { partition, clustering, values, revision, .. } = row;
    let columns = partition.into_iter().chain(clustering).chain(values).map(value);
    columns.chain([timestamp(revision)]).collect()
}

fn timestamp(revision: u64) -> Bound {
    MaybeUnset::Set(Some(CqlValue::BigInt(i64::try_from(revision).unwrap_or(i64::MAX))))
}

pub(super) fn value(datum: Datum) -> Bound {
    MaybeUnset::Set(Some(match datum {
        Datum::Absent => return MaybeUnset::Unset,
        Datum::Null => return MaybeUnset::Set(None),
        Datum::Text(text) => CqlValue::Text(text),
        Datum::Integer(number) => CqlValue::BigInt(number),
        Datum::Double(number) => CqlValue::Double(number),
        Datum::Time(time) => CqlValue::Timestamp(CqlTimestamp(time)),
    }))
}

fn columns(row: &TableRow) -> impl Iterator<Item = &Datum> {
    row.partition.iter().chain(&row.clustering).chain(&row.values)
}

/// About what a row takes in a request.
pub(super) fn bytes<'d>(columns: impl Iterator<Item = &'d Datum>) -> usize {
    let size = |datum: &Datum| match datum {
        Datum::Text(text) => text.len(),
        _ => 8,
    };
    columns.map(|datum| 4 + size(datum)).sum::<usize>() + 32
}
