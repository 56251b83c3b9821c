//! What was kept as rows of the history: counted apart from what is published.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// Counted since the node started.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Rows written, by table; those written again among them.
    by_table: Mutex<BTreeMap<String, u64>>,
    pub failures: AtomicU64,
    /// Records folded here whose rows are not written yet.
    pub behind: AtomicU64,
}

/// Figures as they stood at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFigures {
    pub rows_by_table: Vec<(String, u64)>,
    pub failures: u64,
    pub behind: u64,
}

impl Kept {
    pub(crate) fn wrote(&self, rows: BTreeMap<String, u64>) {
        let mut by_table = self.by_table.lock();
        for (table, count) in rows {
            *by_table.entry(table).or_default() += count;
        }
    }

    pub(crate) fn figures(&self) -> KeptFigures {
        KeptFigures {
            rows_by_table: self.by_table.lock().iter().map(|(table, rows)| (table.clone(), *rows)).collect(),
            failures: self.failures.load(Relaxed),
            behind: self.behind.load(Relaxed),
        }
    }
}
