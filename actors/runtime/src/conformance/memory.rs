//! Tables, a cache and a history in memory: the least that keeps the ports' contract, for tests of what is published and kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use async_trait::async_trait;
use parking_lot::Mutex;
use souk_model::owner::Unavailable;
use souk_model::view::{Command, Datum, LIST_NEWEST, Order, Table, TableRow, TableShape, What};

use super::cache::Stored;
use crate::ports::{Cache, CacheFigures, Held, History, HistoryPlace, HistoryRow, TableWrite, Tables};

/// Text of a row's key, by which rows are kept in order.
type Key = String;

#[derive(Debug, Default)]
pub struct MemoryTables {
    tables: Mutex<BTreeMap<String, BTreeMap<Key, TableRow>>>,
    /// Rows written, newer or not.
    pub written: AtomicU64,
    /// It does not answer.
    pub away: AtomicBool,
}

impl MemoryTables {
    /// Rows of a table by key: partition, clustering and values in one. What never had a value reads as null.
    pub fn rows(&self, table: &str) -> Vec<Vec<Datum>> {
        let tables = self.tables.lock();
        let rows = tables.get(table).into_iter().flat_map(BTreeMap::values);
        let shown = |datum: &Datum| if *datum == Datum::Absent { Datum::Null } else { datum.clone() };
        let columns = |row: &TableRow| [row.partition.as_slice(), &row.clustering, &row.values].concat();
        rows.map(|row| columns(row).iter().map(shown).collect()).collect()
    }

    fn put(&self, rows: &mut BTreeMap<Key, TableRow>, row: TableRow) {
        self.written.fetch_add(1, Relaxed);
        let key = format!("{:?}{:?}", row.partition, row.clustering);
        if rows.get(&key).is_none_or(|held| held.revision < row.revision) {
            rows.insert(key, row);
        }
    }
}

#[async_trait]
impl Tables for MemoryTables {
    async fn declare(&self, tables: Vec<Arc<TableShape>>) -> Result<(), Unavailable> {
        if self.away.load(Relaxed) {
            return Err(Unavailable);
        }
        for shape in tables {
            self.tables.lock().entry(shape.table.name.clone()).or_default();
        }
        Ok(())
    }

    async fn write(&self, writes: Vec<TableWrite>) -> Result<(), Unavailable> {
        if self.away.load(Relaxed) {
            return Err(Unavailable);
        }
        let mut tables = self.tables.lock();
        for write in writes {
            let list = match write {
                TableWrite::Row(row) => {
                    if let Some(rows) = tables.get_mut(&row.table.table.name) {
                        self.put(rows, row);
                    }
                    continue;
                }
                TableWrite::List(list) => list,
            };
            let Some(first) = list.first() else { continue };
            let Some(rows) = tables.get_mut(&first.table.table.name) else { continue };
            let columns = first.table.list_columns();
            rows.retain(|_, row| {
                let other = row.partition != first.partition
                    || row.clustering[..columns] != first.clustering[..columns];
                other || row.revision >= first.revision
            });
            list.into_iter().for_each(|row| self.put(rows, row));
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub struct MemoryCache {
    names: Mutex<BTreeMap<String, Stored>>,
    /// By name and what of it.
    orders: Mutex<BTreeMap<(String, String), Order>>,
    pub told: Mutex<Vec<(String, String)>>,
    known: AtomicBool,
    pub away: AtomicBool,
    commands: AtomicU64,
    outdated: AtomicU64,
}

impl MemoryCache {
    pub fn stored(&self, name: &str) -> Option<Stored> {
        self.names.lock().get(name).cloned()
    }

    pub fn names(&self) -> Vec<String> {
        self.names.lock().keys().cloned().collect()
    }

    pub fn empty(&self) {
        self.names.lock().clear();
        self.orders.lock().clear();
        self.known.store(false, Relaxed);
    }

    fn put(&self, command: Command) {
        let Command { name, what, order, .. } = command;
        let of = match &what {
            What::Field { field, .. } => field.clone(),
            What::Push { of, .. } => of.clone(),
            What::Publish { row } => return self.told.lock().push((name, row.clone())),
            What::Hash { .. } | What::SortedSet { .. } | What::Text { .. } | What::Answer { .. } => {
                String::new()
            }
        };
        let mut orders = self.orders.lock();
        if orders.get(&(name.clone(), of.clone())).is_some_and(|held| *held >= order) {
            self.outdated.fetch_add(1, Relaxed);
            return;
        }
        orders.insert((name.clone(), of), order);
        let mut names = self.names.lock();
        match (what, names.get_mut(&name)) {
            (What::Field { field, value }, Some(Stored::Hash(fields))) => drop(fields.insert(field, value)),
            (What::Field { field, value }, _) => {
                drop(names.insert(name, Stored::Hash([(field, value)].into())))
            }
            (What::Push { row, .. }, Some(Stored::List(rows))) => {
                rows.insert(0, row);
                rows.truncate(LIST_NEWEST);
            }
            (What::Push { row, .. }, _) => drop(names.insert(name, Stored::List(vec![row]))),
            (What::Hash { fields }, _) => {
                drop(names.insert(name, Stored::Hash(fields.into_iter().collect())))
            }
            (What::SortedSet { mut members }, _) => {
                members.sort_by(|a, b| b.1.total_cmp(&a.1));
                names.insert(name, Stored::SortedSet(members));
            }
            (What::Text { value }, _) => drop(names.insert(name, Stored::Text(value))),
            (What::Answer { bytes }, _) => drop(names.insert(name, Stored::Answer(bytes))),
            (What::Publish { .. }, _) => {}
        }
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn write(&self, commands: Vec<Command>) -> Result<Held, Unavailable> {
        if self.away.load(Relaxed) {
            return Err(Unavailable);
        }
        let held = if self.known.swap(true, Relaxed) { Held::All } else { Held::Nothing };
        self.commands.fetch_add(commands.len() as u64, Relaxed);
        commands.into_iter().for_each(|command| self.put(command));
        Ok(held)
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        if self.away.load(Relaxed) {
            return Err(Unavailable);
        }
        let stored = self.stored(name);
        Ok(stored.and_then(|stored| if let Stored::Answer(bytes) = stored { Some(bytes) } else { None }))
    }

    fn figures(&self) -> CacheFigures {
        CacheFigures {
            commands: self.commands.load(Relaxed),
            outdated: self.outdated.load(Relaxed),
            ..CacheFigures::default()
        }
    }
}

#[derive(Debug, Default)]
pub struct MemoryHistory {
    tables: Mutex<BTreeMap<String, BTreeMap<Key, HistoryRow>>>,
    places: Mutex<BTreeMap<HistoryPlace, u64>>,
    /// Rows written, again or not.
    pub written: AtomicU64,
    /// It does not answer.
    pub away: AtomicBool,
}

impl MemoryHistory {
    /// Rows of a table by key.
    pub fn rows(&self, table: &str) -> Vec<Vec<Datum>> {
        let tables = self.tables.lock();
        let rows = tables.get(table).into_iter().flat_map(BTreeMap::values);
        rows.map(|row| row.values.clone()).collect()
    }

    fn answers(&self) -> Result<(), Unavailable> {
        if self.away.load(Relaxed) { Err(Unavailable) } else { Ok(()) }
    }
}

#[async_trait]
impl History for MemoryHistory {
    async fn declare(&self, tables: Vec<Arc<Table>>) -> Result<BTreeSet<String>, Unavailable> {
        self.answers()?;
        let names: BTreeSet<String> = tables.iter().map(|table| table.name.clone()).collect();
        let mut held = self.tables.lock();
        for name in &names {
            held.entry(name.clone()).or_default();
        }
        Ok(names)
    }

    async fn write(&self, rows: Vec<HistoryRow>) -> Result<(), Unavailable> {
        self.answers()?;
        let mut tables = self.tables.lock();
        for row in rows {
            self.written.fetch_add(1, Relaxed);
            let Some(held) = tables.get_mut(&row.table.name) else { continue };
            let keys = row.table.partition.len() + row.table.clustering.len();
            let key = format!("{:?}", &row.values[..keys]);
            if held.get(&key).is_none_or(|held| row.offset < held.offset) {
                held.insert(key, row);
            }
        }
        Ok(())
    }

    async fn kept(&self, place: &HistoryPlace) -> Result<u64, Unavailable> {
        self.answers()?;
        Ok(self.places.lock().get(place).copied().unwrap_or_default())
    }

    async fn keep(&self, place: &HistoryPlace, upto: u64) -> Result<(), Unavailable> {
        self.answers()?;
        let mut places = self.places.lock();
        let kept = places.entry(place.clone()).or_default();
        *kept = upto.max(*kept);
        Ok(())
    }
}
