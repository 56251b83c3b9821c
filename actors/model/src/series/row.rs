//! One row of a series: what each source said of one key, the newest of each cell.

use prost::Message as _;
use souk_proto::state::v1 as state;

use crate::actor::{Actor, StateError};
use crate::tally::TallyCell;
use crate::tally::cells::Cells;
use crate::tally::codec::{damaged, decode_cells, encode_cells};

const FORMAT: u8 = 1;

/// The cells of one key by source, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesRow {
    pub(super) sources: Vec<Said>,
}

/// What one source said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    pub partition: u16,
    /// The newest epoch anything was taken from.
    pub epoch: u64,
    pub cells: Cells,
}

impl SeriesRow {
    /// Whether a cell says something newer than what is held: a later offset, or the same from a later epoch.
    pub(super) fn is_news(&self, partition: u16, epoch: u64, cell: &TallyCell) -> bool {
        let said = self.sources.iter().find(|said| said.partition == partition);
        let held = said.and_then(|said| Some((said.cells.get(cell.pane)?.offset, said.epoch)));
        held.is_none_or(|held| held < (cell.offset, epoch))
    }

    /// Takes a cell in place of what the source said before. With `added` the planted bug: onto it.
    pub(super) fn take(&mut self, partition: u16, epoch: u64, cell: TallyCell, added: bool) {
        let at = match self.sources.binary_search_by_key(&partition, |said| said.partition) {
            Ok(at) => at,
            Err(at) => {
                self.sources.insert(at, Said { partition, ..Said::default() });
                at
            }
        };
        let said = &mut self.sources[at];
        said.epoch = said.epoch.max(epoch);
        let mut values = cell.values;
        if let Some(before) = said.cells.get(cell.pane).filter(|_| added) {
            values.add_numbers(before.numbers);
        }
        said.cells.put(cell.pane, cell.offset, cell.counted, values);
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &Cells> {
        self.sources.iter().map(|said| &said.cells)
    }
}

impl Actor for SeriesRow {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        let source = |said: &Said| state::SeriesSource {
            partition: u32::from(said.partition),
            epoch: said.epoch,
            cells: Some(encode_cells(&said.cells)),
        };
        state::SeriesRow { sources: self.sources.iter().map(source).collect() }.encode_raw(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let stored = match bytes.split_first() {
            Some((&FORMAT, stored)) => stored,
            Some((&found, _)) => return Err(StateError::Newer { found, newest: FORMAT }),
            None => return Err(damaged("an empty row")),
        };
        let row = state::SeriesRow::decode(stored).map_err(|error| damaged(&error.to_string()))?;
        let said = |stored: state::SeriesSource| {
            let partition = u16::try_from(stored.partition).map_err(|_| damaged("a source out of range"))?;
            Ok(Said {
                partition,
                epoch: stored.epoch,
                cells: decode_cells(stored.cells.unwrap_or_default())?,
            })
        };
        let sources = row.sources.into_iter().map(said).collect::<Result<Vec<_>, StateError>>()?;
        if !sources.is_sorted_by(|a, b| a.partition < b.partition) {
            return Err(damaged("sources do not rise"));
        }
        Ok(Self { sources })
    }

    fn is_empty(&self) -> bool {
        self.sources.iter().all(|said| said.cells.is_empty())
    }
}
