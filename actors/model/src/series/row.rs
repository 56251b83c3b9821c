//! One row of a series: what each source said of one key, the newest of each cell.

use std::cmp::Ordering;

use prost::Message as _;
use souk_proto::state::v1 as state;

use super::source::Source;
use crate::actor::{Actor, StateError};
use crate::metric::Metric;
use crate::tally::cells::{CellRef, Cells};
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
    /// Offset the source counts the metric from.
    pub since: u64,
    pub cells: Cells,
}

impl SeriesRow {
    /// Whether a cell says something newer than what is held: of a later count of the metric, of a later offset, or of the same one from a
    /// later epoch.
    pub(super) fn is_news(&self, from: Speaker, cell: CellRef<'_>) -> bool {
        let Some(said) = self.sources.iter().find(|said| said.partition == from.partition) else {
            return true;
        };
        match from.since.cmp(&said.since) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => {
                let held = said.cells.get(cell.start).map(|held| (held.offset, said.epoch));
                held.is_none_or(|held| held < (cell.offset, from.epoch))
            }
        }
    }

    /// Takes a cell in place of what the source said before. With `added` the planted bug: onto it.
    pub(super) fn take(&mut self, from: Speaker, cell: CellRef<'_>, added: bool) {
        let Speaker { partition, epoch, since } = from;
        let at = match self.sources.binary_search_by_key(&partition, |said| said.partition) {
            Ok(at) => at,
            Err(at) => {
                self.sources.insert(at, Said { partition, since, ..Said::default() });
                at
            }
        };
        let said = &mut self.sources[at];
        said.epoch = said.epoch.max(epoch);
        if said.since < since {
            *said = Said { partition, epoch: said.epoch, since, cells: Cells::default() };
        }
        match said.cells.get(cell.start).filter(|_| added) {
            Some(before) => {
                let sums =
                    cell.numbers.iter().zip(before.numbers).map(|(more, held)| more.saturating_add(*held));
                let numbers: Vec<i64> = sums.collect();
                said.cells.put(CellRef { numbers: &numbers, ..cell });
            }
            None => said.cells.put(cell),
        }
    }

    /// What the sources said that count the metric as it is meant.
    pub(super) fn said<'a>(&'a self, meant: &'a Meant) -> impl Iterator<Item = &'a Said> {
        self.sources.iter().filter(move |said| meant.is_by(said))
    }

    /// Their cells.
    pub(super) fn cells<'a>(&'a self, meant: &'a Meant) -> impl Iterator<Item = &'a Cells> {
        self.said(meant).map(|said| &said.cells)
    }
}

/// Who says something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker {
    pub partition: u16,
    pub epoch: u64,
    pub since: u64,
}

/// Who counts a metric as the settings of this shard mean it: by partition the offset it is counted from, none where it means another. A
/// source may be settings ahead or behind, or have forgotten and begun anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant(Vec<Option<u64>>);

impl Meant {
    pub(super) fn of(metric: &Metric, sources: &[Source]) -> Self {
        let since = |source: &Source| {
            let counted = source.metrics.get(&metric.name)?;
            (counted.meaning == metric.meaning).then_some(counted.since)
        };
        Self(sources.iter().map(since).collect())
    }

    /// Offset each source counts it from.
    pub(super) fn sources(&self) -> impl Iterator<Item = (u16, u64)> {
        (0_u16..).zip(&self.0).filter_map(|(partition, since)| Some((partition, (*since)?)))
    }

    fn is_by(&self, said: &Said) -> bool {
        self.0.get(usize::from(said.partition)) == Some(&Some(said.since))
    }
}

impl Actor for SeriesRow {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        let source = |said: &Said| state::SeriesSource {
            partition: u32::from(said.partition),
            epoch: said.epoch,
            since: said.since,
            cells: Some(encode_cells(said.cells.stride(), said.cells.iter())),
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
                since: stored.since,
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
