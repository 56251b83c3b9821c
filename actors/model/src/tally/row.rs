//! One row of a tally book: the cells of one key, and whether the key is admitted.

use prost::Message as _;
use souk_proto::state::v1 as state;

use super::cells::Cells;
use super::codec::{damaged, decode_cells, encode_cells};
use super::stream::Queued;
use crate::actor::{Actor, StateError};
use crate::time::Millis;

const FORMAT: u8 = 1;

/// The newest end of a row whose key holds no place of its key set.
pub(super) const NOT_ADMITTED: Millis = Millis::MIN;

/// The cells of one (metric, key set, key), as this shard counted them. A cache line.
#[derive(Debug, Clone)]
pub struct Row {
    pub cells: Cells,
    /// End of the newest pane counted in while the key holds one of the places of its key set.
    pub(super) newest_end: Millis,
    /// Where its changes wait to be sent: representation only, forgotten when the row goes idle.
    pub(super) queued: Queued,
}

impl Default for Row {
    fn default() -> Self {
        Self { cells: Cells::default(), newest_end: NOT_ADMITTED, queued: Queued::default() }
    }
}

impl Row {
    pub(super) fn is_admitted(&self) -> bool {
        self.newest_end != NOT_ADMITTED
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.newest_end == other.newest_end && self.cells == other.cells
    }
}

impl Actor for Row {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        let row = state::TallyRow {
            newest_end: if self.is_admitted() { self.newest_end } else { 0 },
            admitted: self.is_admitted(),
            cells: Some(encode_cells(self.cells.stride(), self.cells.iter())),
        };
        row.encode_raw(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let stored = match bytes.split_first() {
            Some((&FORMAT, stored)) => stored,
            Some((&found, _)) => return Err(StateError::Newer { found, newest: FORMAT }),
            None => return Err(damaged("an empty row")),
        };
        let row = state::TallyRow::decode(stored).map_err(|error| damaged(&error.to_string()))?;
        let cells = decode_cells(row.cells.unwrap_or_default())?;
        let newest_end = if row.admitted { row.newest_end } else { NOT_ADMITTED };
        Ok(Self { cells, newest_end, queued: Queued::default() })
    }

    fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}
