//! Batches: what one users shard tells one products shard. The texts of all rows lie in one buffer and the numbers of all cells in
//! another, so that a batch of a thousand cells costs a few allocations, and its receiver looks each row up once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cells::{CellRef, HEAD, stamp_of};
use crate::bucket::KeyRef;
use crate::metric::aggregate::Part;
use crate::time::Millis;

/// What one users shard tells one products shard: cells as they stand, every one changed in `(from, to]` among them.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyBatch {
    pub epoch: u64,
    pub from: u64,
    pub to: u64,
    /// The `since` this batch belongs to the answer of. An answer's parts are told apart by offset, and only with its last is nothing
    /// up to `to` missing: a cell changed twice is in the part of its newest change.
    pub answer: Option<Answering>,
    /// High water of the source: watermarks follow from it. Smallest integer: unknown.
    pub high_water: Millis,
    pub settings_hash: u64,
    /// What the source counts at `to`, by name.
    pub metrics: Arc<BTreeMap<String, CountedMetric>>,
    /// In the order they first changed in. The receiver puts each where it belongs, so that their order says nothing.
    pub rows: TallyRows,
}

/// How a source counts a metric. Partitions meet a Settings record at different times, so the source says it with what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedMetric {
    /// [`crate::metric::Metric::meaning`].
    pub meaning: u64,
    /// Offset it is counted from. A metric forgotten and declared again starts over: cells from before are another's.
    pub since: u64,
}

/// Which answer a batch is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answering {
    pub since: u64,
    /// Tells the answers of one owner apart: parts of two that begin at the same offset do not make one.
    pub number: u64,
    pub last: bool,
}

/// The rows of a batch, each with some of its cells, absolute. A cell's offset is that of the record that changed it last: beyond `to`
/// when that was after the batch's range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TallyRows {
    rows: Vec<Head>,
    /// Texts of the rows' keys, one after the other.
    texts: String,
    /// Cells, laid out as [`super::cells::Cells`] does.
    words: Vec<i64>,
    /// What is no plain number, by number of the cell; few cells have any.
    parts: Vec<(u32, Vec<(u8, Part)>)>,
    cells: u32,
}

/// Where a row begins in each of the buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    hash: u64,
    text: u32,
    words: u32,
    parts: u32,
    cells: u32,
    /// Words of a cell.
    width: u32,
}

/// One row of a batch.
#[derive(Debug, Clone, Copy)]
pub struct TallyRow<'a> {
    /// Text of a [`super::SeriesKey`].
    pub key: KeyRef<'a>,
    words: &'a [i64],
    width: usize,
    /// Number of its first cell.
    first: u32,
    parts: &'a [(u32, Vec<(u8, Part)>)],
}

impl TallyRows {
    /// Adds a row with cells by rising pane; nothing where there are none.
    pub fn push<'c>(&mut self, key: KeyRef<'_>, cells: impl Iterator<Item = CellRef<'c>>) {
        let (text, words, parts) = (self.texts.len(), self.words.len(), self.parts.len());
        let (first, mut width) = (self.cells, 0);
        for cell in cells {
            width = cell.numbers.len() + HEAD;
            self.words.extend([cell.start, stamp_of(cell.offset, cell.counted)]);
            self.words.extend_from_slice(cell.numbers);
            if !cell.parts.is_empty() {
                self.parts.push((self.cells, cell.parts.to_vec()));
            }
            self.cells += 1;
        }
        if self.cells > first {
            self.texts.push_str(key.text);
            let [text, words, parts, width] = [text, words, parts, width].map(|place| place as u32);
            self.rows.push(Head { hash: key.hash, text, words, parts, cells: first, width });
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = TallyRow<'_>> {
        let end = Head {
            hash: 0,
            text: self.texts.len() as u32,
            words: self.words.len() as u32,
            parts: self.parts.len() as u32,
            cells: self.cells,
            width: 0,
        };
        let ends = self.rows.iter().skip(1).copied().chain([end]);
        self.rows.iter().zip(ends).map(|(row, end)| TallyRow {
            key: KeyRef { text: &self.texts[row.text as usize..end.text as usize], hash: row.hash },
            words: &self.words[row.words as usize..end.words as usize],
            width: row.width as usize,
            first: row.cells,
            parts: &self.parts[row.parts as usize..end.parts as usize],
        })
    }

    /// Cells of all rows.
    pub fn cells(&self) -> usize {
        self.cells as usize
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<'a> TallyRow<'a> {
    /// Its cells, by rising pane.
    pub fn cells(self) -> impl Iterator<Item = CellRef<'a>> {
        let mut parts = self.parts.iter().peekable();
        self.words.chunks_exact(self.width).zip(self.first..).map(move |(words, number)| {
            let parts = parts.next_if(|(of, _)| *of == number).map_or(&[][..], |(_, parts)| parts);
            CellRef::read(words, parts)
        })
    }

    /// Plain numbers of each of its cells.
    pub fn stride(self) -> usize {
        self.width - HEAD
    }
}
