//! What was published: counters of the tables' side and the cache's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Durations, Spread};

/// Counted since the node started.
#[derive(Debug, Default)]
pub(crate) struct Published {
    pub tables: Side,
    pub cache: Side,
    pub reads: Reads,
    /// Rows written, by table.
    by_table: Mutex<BTreeMap<String, u64>>,
}

#[derive(Debug, Default)]
pub(crate) struct Side {
    pub failures: AtomicU64,
    /// Rows that had no room to wait.
    pub overflows: AtomicU64,
    pub waiting: AtomicU64,
    /// Age of the oldest waiting row, in milliseconds.
    pub oldest: AtomicU64,
    /// From a row's first change that was not written to when it was.
    pub age: Durations,
}

/// Questions to the cache while no owner answered.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// It had an answer fresher than the last cut.
    pub hits: AtomicU64,
    /// It had none that may be taken.
    pub misses: AtomicU64,
    /// The last cut includes as much.
    pub older: AtomicU64,
    /// It did not answer.
    pub away: AtomicU64,
}

/// Figures as they stood at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishFigures {
    pub tables: SideFigures,
    pub cache: SideFigures,
    pub reads: ReadFigures,
    pub rows_by_table: Vec<(String, u64)>,
}

/// What became of questions to the cache while no owner answered: what it had was fresher than the last cut, was not there, was no
/// fresher, or it did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadFigures {
    pub hits: u64,
    pub misses: u64,
    pub older: u64,
    pub away: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SideFigures {
    pub failures: u64,
    pub overflows: u64,
    pub waiting: u64,
    pub oldest: Duration,
    pub age: Spread,
}

impl Published {
    pub(crate) fn wrote(&self, rows: BTreeMap<String, u64>) {
        let mut by_table = self.by_table.lock();
        for (table, count) in rows {
            *by_table.entry(table).or_default() += count;
        }
    }

    pub(crate) fn figures(&self) -> PublishFigures {
        let rows_by_table =
            self.by_table.lock().iter().map(|(table, count)| (table.clone(), *count)).collect();
        PublishFigures {
            tables: self.tables.figures(),
            cache: self.cache.figures(),
            reads: self.reads.figures(),
            rows_by_table,
        }
    }
}

impl Reads {
    fn figures(&self) -> ReadFigures {
        let Self { hits, misses, older, away } = self;
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        ReadFigures { hits: of(hits), misses: of(misses), older: of(older), away: of(away) }
    }
}

impl Side {
    fn figures(&self) -> SideFigures {
        SideFigures {
            failures: self.failures.load(Relaxed),
            overflows: self.overflows.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            oldest: Duration::from_millis(self.oldest.load(Relaxed)),
            age: self.age.spread(),
        }
    }
}
