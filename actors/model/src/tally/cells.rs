//! The cells of one key by pane: heads in one vector, plain numbers of all cells in another. A users shard counts in them, a products
//! shard keeps one of these per source.

use crate::metric::aggregate::{Part, Values, find_part, part_mut};
use crate::time::Millis;

/// Pane of the window `total`.
pub const TOTAL: Millis = Millis::MIN;

/// Cells by rising pane.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    stride: usize,
    heads: Vec<Head>,
    /// `stride` per head.
    numbers: Vec<i64>,
    /// Place looked up last: most facts go where the one before went, or next to it. Representation only.
    recent: usize,
}

/// A cell but for its numbers.
#[derive(Debug, Clone, PartialEq)]
struct Head {
    start: Millis,
    /// Offset of the newest change, times two, plus one if a fact was counted in this very pane: difference counts reach panes
    /// nothing was counted in.
    stamp: u64,
    parts: Option<Box<Parts>>,
}

/// Boxed as one: most cells have none, and a head stays at 24 bytes.
#[derive(Debug, Clone, PartialEq, Default)]
struct Parts(Vec<(u8, Part)>);

/// A cell as it is read.
#[derive(Debug, Clone, Copy)]
pub struct CellRef<'a> {
    pub start: Millis,
    pub offset: u64,
    pub counted: bool,
    pub numbers: &'a [i64],
    pub parts: &'a [(u8, Part)],
}

impl CellRef<'_> {
    pub fn to_values(self) -> Values {
        Values { numbers: self.numbers.to_vec(), parts: self.parts.to_vec() }
    }

    pub fn part(&self, slot: u8) -> Option<&Part> {
        find_part(self.parts, slot)
    }

    pub fn number(&self, slot: usize) -> i64 {
        self.numbers.get(slot).copied().unwrap_or(0)
    }
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        self.stride == other.stride && self.heads == other.heads && self.numbers == other.numbers
    }
}

impl Cells {
    pub fn stride(&self) -> usize {
        self.stride
    }

    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Place of the cell facts are counted in now, made if there is none: most often the one before, or its neighbour.
    #[inline]
    pub fn place_near(&mut self, start: Millis, stride: usize) -> usize {
        let near = [self.recent, self.recent + 1].into_iter();
        let near = near.filter(|at| self.heads.get(*at).is_some_and(|head| head.start == start)).next();
        self.recent = near.unwrap_or_else(|| self.place(start, stride));
        self.recent
    }

    /// Place of the cell of a pane, made if there is none. `stride` is the metric's, always the same for one key.
    pub fn place(&mut self, start: Millis, stride: usize) -> usize {
        let at = match self.search(start) {
            Ok(at) => return at,
            Err(at) => at,
        };
        if self.heads.is_empty() {
            self.stride = stride;
        }
        self.heads.insert(at, Head { start, stamp: 0, parts: None });
        let first = at * self.stride;
        if first == self.numbers.len() {
            self.numbers.resize(first + self.stride, 0);
        } else {
            self.numbers.splice(first..first, std::iter::repeat_n(0, self.stride));
        }
        at
    }

    /// Newest panes are asked for most: look at the end first.
    fn search(&self, start: Millis) -> Result<usize, usize> {
        match (self.heads.first(), self.heads.last()) {
            (_, Some(last)) if last.start < start => Err(self.heads.len()),
            (Some(first), _) if first.start == start => Ok(0),
            _ => self.heads.binary_search_by_key(&start, |head| head.start),
        }
    }

    /// Adds to a number of the cell at a place.
    #[inline]
    pub fn add(&mut self, place: usize, slot: usize, value: i64) {
        if let Some(number) = self.numbers.get_mut(place * self.stride + slot) {
            *number = number.saturating_add(value);
        }
    }

    /// A part of the cell at a place, made by `empty` if nothing was counted in it.
    pub fn part_mut(&mut self, place: usize, slot: u8, empty: impl FnOnce() -> Part) -> &mut Part {
        part_mut(&mut self.heads[place].parts.get_or_insert_default().0, slot, empty)
    }

    /// Stamps a cell as changed at `offset` and returns the offset it was changed at before; 0 for a new one.
    #[inline]
    pub fn stamp(&mut self, place: usize, offset: u64, counted: bool) -> u64 {
        let head = &mut self.heads[place];
        let before = head.stamp;
        head.stamp = (offset << 1) | (before & 1) | u64::from(counted);
        before >> 1
    }

    /// Puts a cell as somebody else has it.
    pub fn put(&mut self, start: Millis, offset: u64, counted: bool, values: Values) {
        let place = self.place(start, values.numbers.len());
        let head = &mut self.heads[place];
        head.stamp = (offset << 1) | u64::from(counted);
        head.parts = (!values.parts.is_empty()).then(|| Box::new(Parts(values.parts)));
        for (slot, number) in self.numbers[place * self.stride..][..self.stride].iter_mut().enumerate() {
            *number = values.numbers.get(slot).copied().unwrap_or(0);
        }
    }

    pub fn get(&self, start: Millis) -> Option<CellRef<'_>> {
        self.search(start).ok().map(|at| self.at(at))
    }

    /// Cells with `from <= start < to`, rising.
    pub fn range(&self, from: Millis, to: Millis) -> impl DoubleEndedIterator<Item = CellRef<'_>> {
        let first = self.heads.partition_point(|head| head.start < from);
        let end = self.heads.partition_point(|head| head.start < to).max(first);
        (first..end).map(|at| self.at(at))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = CellRef<'_>> {
        (0..self.heads.len()).map(|at| self.at(at))
    }

    fn at(&self, at: usize) -> CellRef<'_> {
        let head = &self.heads[at];
        CellRef {
            start: head.start,
            offset: head.stamp >> 1,
            counted: head.stamp & 1 == 1,
            numbers: &self.numbers[at * self.stride..][..self.stride],
            parts: head.parts.as_ref().map_or(&[], |parts| &parts.0),
        }
    }

    /// Drops cells, but never the total's; `gone` sees pane and offset.
    pub fn drop_where(&mut self, mut gone: impl FnMut(Millis, u64) -> bool) -> bool {
        let before = self.heads.len();
        let keep: Vec<bool> =
            self.heads.iter().map(|head| head.start == TOTAL || !gone(head.start, head.stamp >> 1)).collect();
        if keep.iter().all(|keep| *keep) {
            return false;
        }
        let stride = self.stride;
        let mut at = 0;
        self.numbers.retain(|_| {
            at += 1;
            keep[(at - 1) / stride]
        });
        let mut keep = keep.into_iter();
        self.heads.retain(|_| keep.next().unwrap_or(true));
        self.recent = 0;
        self.heads.len() != before
    }

    /// The first pane that is not the total's.
    pub fn oldest(&self) -> Option<Millis> {
        self.heads.iter().map(|head| head.start).find(|start| *start != TOTAL)
    }
}
