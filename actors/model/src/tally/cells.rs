//! The cells of one key by pane, each one run of words: pane, stamp, plain numbers. A users shard counts in them, a products shard keeps
//! one of these per source.

use crate::metric::aggregate::{Part, find_part, part_mut};
use crate::time::Millis;

/// Pane of the window `total`.
pub const TOTAL: Millis = Millis::MIN;

/// Words of a cell before its numbers: the pane's start; the stamp.
pub(super) const HEAD: usize = 2;

/// Cells by rising pane. A stamp is the offset of the newest change, times two, plus one if a fact was counted in this very pane:
/// difference counts reach panes nothing was counted in.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// `width` per cell.
    words: Vec<i64>,
    /// Parts by place; none as long as no cell has any. Most metrics have none.
    parts: Option<Box<Parts>>,
    width: u32,
    /// Place looked up last: most facts go where the one before went, or next to it. Representation only.
    recent: Place,
}

/// Where a cell begins, until one is made or dropped before it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place(u32);

impl Place {
    /// Of the total's cell, once there is one.
    pub const FIRST: Self = Self(0);
}

/// By place of the cell. Boxed, so that a row stays a cache line.
#[derive(Debug, Clone)]
struct Parts(Vec<CellParts>);

/// What of a cell is no plain number, by rising slot.
type CellParts = Vec<(u8, Part)>;

/// A cell as it is read.
#[derive(Debug, Clone, Copy)]
pub struct CellRef<'a> {
    pub start: Millis,
    pub offset: u64,
    pub counted: bool,
    pub numbers: &'a [i64],
    pub parts: &'a [(u8, Part)],
}

impl<'a> CellRef<'a> {
    /// Of a cell's words, pane and stamp first, and what is no number beside them.
    pub(super) fn read(words: &'a [i64], parts: &'a [(u8, Part)]) -> Self {
        let (head, numbers) = words.split_at(HEAD);
        let stamp = head[1] as u64;
        Self { start: head[0], offset: stamp >> 1, counted: stamp & 1 == 1, numbers, parts }
    }

    pub fn part(self, slot: u8) -> Option<&'a Part> {
        find_part(self.parts, slot)
    }
}

/// Cells of one key that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    cells: &'a Cells,
    first: usize,
    end: usize,
}

impl<'a> Slice<'a> {
    pub fn iter(self) -> impl DoubleEndedIterator<Item = CellRef<'a>> {
        (self.first..self.end).map(move |at| self.cells.at(at))
    }

    /// Whether anything was counted in one of them.
    pub fn is_counted(self) -> bool {
        (self.first..self.end).any(|at| self.cells.is_counted(at))
    }

    /// Sum of one number over all of them.
    pub fn sum(self, slot: usize) -> i64 {
        let width = self.cells.width();
        if slot >= self.cells.stride() {
            return 0;
        }
        let words = &self.cells.words[self.first * width..self.end * width];
        words.iter().skip(HEAD + slot).step_by(width).fold(0, |sum, number| sum.saturating_add(*number))
    }
}

/// A stamp, see [`Cells`].
pub(super) fn stamp_of(offset: u64, counted: bool) -> i64 {
    ((offset << 1) | u64::from(counted)) as i64
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        let same_parts = || (0..self.len()).all(|at| self.parts_at(at) == other.parts_at(at));
        self.width == other.width && self.words == other.words && same_parts()
    }
}

impl Cells {
    pub fn stride(&self) -> usize {
        self.width().saturating_sub(HEAD)
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn len(&self) -> usize {
        self.words.len().checked_div(self.width()).unwrap_or(0)
    }

    fn width(&self) -> usize {
        self.width as usize
    }

    /// Whether a place is the cell of this pane.
    #[inline]
    fn is_at(&self, place: Place, start: Millis) -> bool {
        self.words.get(place.0 as usize) == Some(&start)
    }

    /// Place of the cell facts are counted in now, made if there is none: most often the one before, or its neighbour.
    #[inline]
    pub fn place_near(&mut self, start: Millis, stride: usize) -> Place {
        if !self.is_at(self.recent, start) {
            self.recent = self.place_after(self.recent, 1, start, stride);
        }
        self.recent
    }

    /// As [`Cells::place`], looking first at the cell so many after a place.
    #[inline]
    pub fn place_after(&mut self, place: Place, cells: u32, start: Millis, stride: usize) -> Place {
        let guess = Place(place.0.saturating_add(cells.saturating_mul(self.width)));
        if self.is_at(guess, start) { guess } else { self.place(start, stride) }
    }

    /// Place of the cell of a pane, made if there is none. `stride` is the metric's, always the same for one key.
    pub fn place(&mut self, start: Millis, stride: usize) -> Place {
        let at = match self.search(start) {
            Ok(at) => return self.place_of(at),
            Err(at) => at,
        };
        if self.is_empty() {
            self.width = (stride + HEAD) as u32;
        }
        let first = at * self.width();
        if first == self.words.len() {
            self.words.resize(first + self.width(), 0);
        } else {
            self.words.splice(first..first, std::iter::repeat_n(0, self.width as usize));
        }
        self.words[first] = start;
        if let Some(parts) = &mut self.parts {
            parts.0.insert(at, CellParts::new());
        }
        self.place_of(at)
    }

    fn place_of(&self, at: usize) -> Place {
        Place((at * self.width()) as u32)
    }

    /// Newest panes are asked for most: look at the end first.
    fn search(&self, start: Millis) -> Result<usize, usize> {
        let len = self.len();
        match len.checked_sub(1).map(|last| self.words[last * self.width()]) {
            Some(last) if last < start => return Err(len),
            Some(last) if last == start => return Ok(len - 1),
            _ => {}
        }
        let at = self.first_from(start);
        if at < len && self.words[at * self.width()] == start { Ok(at) } else { Err(at) }
    }

    /// The first cell whose pane is not before this one.
    fn first_from(&self, start: Millis) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            if self.words[middle * self.width()] < start { from = middle + 1 } else { to = middle }
        }
        from
    }

    /// Adds to a number of the cell at a place.
    #[inline]
    pub fn add(&mut self, place: Place, slot: usize, value: i64) {
        if let Some(number) = self.words.get_mut(place.0 as usize + HEAD + slot) {
            *number = number.saturating_add(value);
        }
    }

    /// A part of the cell at a place, made by `empty` if nothing was counted in it.
    pub fn part_mut(&mut self, place: Place, slot: u8, empty: impl FnOnce() -> Part) -> &mut Part {
        part_mut(self.parts_mut(place), slot, empty)
    }

    fn parts_mut(&mut self, place: Place) -> &mut CellParts {
        let (at, len) = (place.0 as usize / self.width(), self.len());
        &mut self.parts.get_or_insert_with(|| Box::new(Parts(vec![CellParts::new(); len]))).0[at]
    }

    fn parts_at(&self, at: usize) -> &[(u8, Part)] {
        self.parts.as_ref().map_or(&[], |parts| &parts.0[at])
    }

    /// Stamps a cell as changed at `offset` and returns the offset it was changed at before; 0 for a new one.
    #[inline]
    pub fn stamp(&mut self, place: Place, offset: u64, counted: bool) -> u64 {
        let stamp = &mut self.words[place.0 as usize + 1];
        let before = *stamp as u64;
        *stamp = ((offset << 1) | (before & 1) | u64::from(counted)) as i64;
        before >> 1
    }

    /// Puts a cell as somebody else has it.
    pub fn put(&mut self, cell: CellRef<'_>) {
        let place = self.place(cell.start, cell.numbers.len());
        let (first, width) = (place.0 as usize, self.width());
        self.words[first + 1] = stamp_of(cell.offset, cell.counted);
        let numbers = cell.numbers.iter().copied().chain(std::iter::repeat(0));
        for (number, said) in self.words[first + HEAD..first + width].iter_mut().zip(numbers) {
            *number = said;
        }
        if self.parts.is_some() || !cell.parts.is_empty() {
            *self.parts_mut(place) = cell.parts.to_vec();
        }
    }

    pub fn get(&self, start: Millis) -> Option<CellRef<'_>> {
        self.search(start).ok().map(|at| self.at(at))
    }

    /// Cells with `from <= start < to`, rising.
    pub fn range(&self, from: Millis, to: Millis) -> Slice<'_> {
        let first = self.first_from(from);
        let end = self.first_from(to).max(first);
        Slice { cells: self, first, end }
    }

    /// The total's cell, if there is one.
    pub fn total(&self) -> Slice<'_> {
        let end = usize::from(self.words.first() == Some(&TOTAL));
        Slice { cells: self, first: 0, end }
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = CellRef<'_>> {
        (0..self.len()).map(|at| self.at(at))
    }

    fn is_counted(&self, at: usize) -> bool {
        self.words[at * self.width() + 1] & 1 == 1
    }

    fn at(&self, at: usize) -> CellRef<'_> {
        CellRef::read(&self.words[at * self.width()..][..self.width()], self.parts_at(at))
    }

    /// Drops cells, but never the total's; `gone` sees pane and offset.
    pub fn drop_where(&mut self, mut gone: impl FnMut(Millis, u64) -> bool) -> bool {
        let keep: Vec<bool> =
            self.iter().map(|cell| cell.start == TOTAL || !gone(cell.start, cell.offset)).collect();
        if keep.iter().all(|keep| *keep) {
            return false;
        }
        let width = self.width();
        let mut at = 0;
        self.words.retain(|_| {
            at += 1;
            keep[(at - 1) / width]
        });
        if let Some(parts) = &mut self.parts {
            let mut keep = keep.into_iter();
            parts.0.retain(|_| keep.next().unwrap_or(true));
        }
        self.recent = Place::default();
        true
    }

    /// The first pane that is not the total's.
    pub fn oldest(&self) -> Option<Millis> {
        let first = *self.words.first()?;
        if first == TOTAL { self.words.get(self.width()).copied() } else { Some(first) }
    }
}
