//! Corrections: changes of windows after they had closed, remembered so that a reader can follow them by token.

use super::join::Measured;
use crate::metric::TimeRange;

/// One window of one key that changed after it had closed. As its shard saw it: what one source said anew, joined with all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Text of the [`crate::tally::SeriesKey`].
    pub key: String,
    /// Place of the window in its metric.
    pub window: usize,
    pub range: TimeRange,
    /// Partition of the users shard, and the offset of its record that did it.
    pub source: u16,
    pub offset: u64,
    /// By measure; empty: nothing had been counted.
    pub before: Vec<Measured>,
    pub after: Vec<Measured>,
}
