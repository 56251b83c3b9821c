//! Views: what is published of the series for others to read with their own tools. Pure: from the settings' `table` and `redis` entries
//! to what is written under which name, without a server.
//!
//! [`Catalogue`] says what of which rows is published where; [`TableShape`] makes rows of tables of a row of the series, [`CacheShape`]
//! commands for a cache. Whoever writes them needs no more than the newest: everything is absolute and carries an [`Order`].
//!
//! Beside them stand answers, whole, for those who ask while there is no owner: see [`KeptAnswer`].
//!
//! A view shows the key sets that its names can tell apart: those with just the dimensions its key, its holes and its member name. A
//! table with all of a key, and a channel, show every key set.

mod cache;
mod catalogue;
mod datum;
mod json;
mod kept;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use cache::{CacheShape, Command, LIST_NEWEST, What};
pub use catalogue::{Catalogue, Entry, Shape};
pub use datum::{Column, Datum, Kind};
pub use kept::{Ground, KeptAnswer, kept_under};
pub use table::{Table, TableRow, TableShape};

use crate::metric::{EARLIEST, TimeRange};
use crate::time::Millis;

/// Which of two values of one name is newer: of a later window, or of the same one at a later revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// Start of the window.
    pub start: Millis,
    pub revision: u64,
}

impl Order {
    fn of(range: TimeRange, revision: u64) -> Self {
        Self { start: range.start.max(EARLIEST), revision }
    }
}
