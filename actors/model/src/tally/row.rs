//! One row of a tally book: the cells of one key, and whether the key is admitted.

use prost::Message as _;
use souk_proto::state::v1 as state;

use super::cells::Cells;
use super::codec::{damaged, decode_cells, encode_cells};
use crate::actor::{Actor, Deadlines, StateError};
use crate::time::Millis;

const FORMAT: u8 = 1;

/// The cells of one (metric, key set, key), as this shard counted them.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub cells: Cells,
    /// End of the newest pane counted in while the key holds one of the places of its key set.
    pub newest_end: Option<Millis>,
    /// Where its changes wait to be sent: representation only, forgotten when the row goes idle.
    pub(super) queued: Option<Queued>,
}

/// Place of a row's entry in an outbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub target: u16,
    pub sequence: u64,
    /// Offset the entry begins at: what changed since then stands in it.
    pub first: u64,
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
            newest_end: self.newest_end.unwrap_or_default(),
            admitted: self.newest_end.is_some(),
            cells: Some(encode_cells(&self.cells)),
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
        Ok(Self { cells, newest_end: row.admitted.then_some(row.newest_end), queued: None })
    }

    fn deadlines(&self) -> Deadlines {
        Deadlines::default()
    }

    fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}
