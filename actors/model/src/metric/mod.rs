//! Declared metrics, compiled: which facts, which key, which windows, which measures. Made by [`crate::settings`] from TOML,
//! read by [`crate::tally`] for every fact and by [`crate::series`] for every query.

pub mod aggregate;
mod calendar;
mod field;
mod meaning;
mod measure;
mod pane;
#[cfg(test)]
mod tests;
mod window;

pub use calendar::{EARLIEST, LATEST, TimeZone};
pub use field::{Dimension, Field, Quantity, UNKNOWN, Value};
pub use measure::{Aggregator, DimensionId, Filter, Measure};
pub use pane::PaneSize;
pub use window::{TimeRange, Window};

use crate::time::Millis;

/// One declared metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: String,
    pub title: String,
    /// The kept key sets: each a list of dimensions beside the shop.
    pub key_sets: Vec<Vec<Dimension>>,
    /// In the order declared: the first is a query's default.
    pub windows: Vec<Window>,
    /// By name.
    pub measures: Vec<Measure>,
    /// Measures with a kept order.
    pub rank: Vec<usize>,
    pub lateness: Millis,
    pub correct_for: Millis,
    pub keep: Millis,
    pub max_keys: usize,
    /// The zone its calendar windows follow.
    pub time_zone: TimeZone,
    /// The finest pane: every window but `Total` is a union of panes.
    pub pane: PaneSize,
    /// Hash of what its name stands for: where it differs, what was counted under the name is another's.
    pub meaning: u64,
}
