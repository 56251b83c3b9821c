//! Where each actor of a bucket is: a table ordered by hash, eight bytes a cell.
//!
//! Linear probing kept in tag order. One memory access finds a key (the cell carries 32 bits of its hash), growing is one pass over
//! memory without touching actors, and walking it is walking the hashes in order: scans and base rewrites continue at a tag, whatever
//! was added or moved meanwhile. It grows by a quarter, so that a cell costs about ten bytes, not up to twenty.

/// Where an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A slot of the slab.
    Hot(u32),
    /// An offset into the bucket's arena.
    Idle(u32),
}

/// Slots and offsets stay below this: the highest bit of a place tells them apart.
pub(super) const PLACE_LIMIT: usize = 1 << 31;

/// The 32 bits of a hash below the six that name its bucket: within a bucket, order of tags is order of hashes.
pub(super) fn tag_of(hash: u64) -> u32 {
    (hash >> 26) as u32
}

/// Tag above, place below.
type Cell = u64;
const EMPTY: Cell = Cell::MAX;
const HOT: u32 = 1 << 31;
const SMALLEST: usize = 16;
/// Cells looked at together: a cache line.
const WINDOW: usize = 8;

#[derive(Debug)]
pub(super) struct Index {
    /// A window longer than the homes at least, and the last cell is always empty: every probe ends inside.
    cells: Vec<Cell>,
    /// Cells a tag may have as its home; those after them take what runs over.
    homes: usize,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Index {
    pub(super) fn with_capacity(entries: usize) -> Self {
        let homes = roomy(entries);
        Self { cells: vec![EMPTY; homes + WINDOW], homes, len: 0 }
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.homes as u64) >> 32) as usize
    }

    /// Position of the cell with this tag that `is` accepts.
    ///
    /// Nearly every key lies within a window of its home. That window is compared without a branch per cell: a branch nobody can predict
    /// would wait for the cell and hold up whatever comes after.
    #[inline]
    pub(super) fn find(&self, tag: u32, mut is: impl FnMut(Place) -> bool) -> Option<usize> {
        let home = self.home(tag);
        let (window, rest) = self.cells[home..].split_first_chunk::<WINDOW>()?;
        let mut matches = 0_u32;
        for (i, cell) in window.iter().enumerate() {
            matches |= u32::from(tag_in(*cell) == tag) << i;
        }
        while matches != 0 {
            let i = matches.trailing_zeros() as usize;
            if window[i] != EMPTY && is(place_in(window[i])) {
                return Some(home + i);
            }
            matches &= matches - 1;
        }
        if window[WINDOW - 1] == EMPTY || tag_in(window[WINDOW - 1]) > tag {
            return None;
        }
        let far = find_far(rest, tag, &mut is)?;
        Some(home + WINDOW + far)
    }

    /// The first place with this tag, if it lies near its home: most often the one looked for.
    #[inline]
    pub(super) fn first(&self, tag: u32) -> Option<Place> {
        let window = self.cells[self.home(tag)..].first_chunk::<WINDOW>()?;
        window.iter().find(|cell| tag_in(**cell) == tag && **cell != EMPTY).map(|cell| place_in(*cell))
    }

    pub(super) fn insert(&mut self, tag: u32, place: Place) {
        if (self.len + 1) * 8 > self.homes * 7 {
            self.resize(self.len + 1);
        }
        let mut at = self.home(tag);
        while self.cells[at] != EMPTY && tag_in(self.cells[at]) <= tag {
            at += 1;
        }
        let mut end = at;
        while self.cells[end] != EMPTY {
            end += 1;
        }
        self.cells.copy_within(at..end, at + 1);
        self.cells[at] = cell(tag, place);
        if end + 1 == self.cells.len() {
            self.cells.push(EMPTY);
        }
        self.len += 1;
    }

    /// Moves back what ran over, so that no probe stops at a hole.
    pub(super) fn remove(&mut self, position: usize) {
        let mut end = position + 1;
        while self.cells[end] != EMPTY && self.home(tag_in(self.cells[end])) < end {
            end += 1;
        }
        self.cells.copy_within(position + 1..end, position);
        self.cells[end - 1] = EMPTY;
        self.len -= 1;
        if self.homes > SMALLEST && self.len * 4 < self.homes {
            self.resize(self.len);
        }
    }

    pub(super) fn set(&mut self, position: usize, place: Place) {
        self.cells[position] = cell(tag_in(self.cells[position]), place);
    }

    pub(super) fn place(&self, position: usize) -> Place {
        place_in(self.cells[position])
    }

    /// Every (tag, place) from this tag on, in tag order.
    pub(super) fn from(&self, tag: u32) -> impl Iterator<Item = (u32, Place)> {
        let cells = self.cells[self.home(tag)..].iter().filter(|cell| **cell != EMPTY);
        cells.map(|cell| (tag_in(*cell), place_in(*cell))).skip_while(move |(found, _)| *found < tag)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
    }

    fn resize(&mut self, entries: usize) {
        let old = std::mem::replace(self, Self::with_capacity(entries));
        self.len = old.len;
        let mut next = 0;
        for cell in old.cells.into_iter().filter(|cell| *cell != EMPTY) {
            next = next.max(self.home(tag_in(cell)));
            while next + 1 >= self.cells.len() {
                self.cells.push(EMPTY);
            }
            self.cells[next] = cell;
            next += 1;
        }
    }
}

/// Beyond the window: few keys get there.
#[cold]
fn find_far(cells: &[Cell], tag: u32, is: &mut dyn FnMut(Place) -> bool) -> Option<usize> {
    let nearer = cells.iter().take_while(|cell| **cell != EMPTY && tag_in(**cell) <= tag);
    nearer.enumerate().find(|(_, cell)| tag_in(**cell) == tag && is(place_in(**cell))).map(|(i, _)| i)
}

/// Homes at which this many entries leave room for another quarter.
fn roomy(entries: usize) -> usize {
    (entries * 8 / 7 * 5 / 4 + 1).max(SMALLEST)
}

fn tag_in(cell: Cell) -> u32 {
    (cell >> 32) as u32
}

fn place_in(cell: Cell) -> Place {
    let place = cell as u32;
    if place & HOT != 0 { Place::Hot(place & !HOT) } else { Place::Idle(place) }
}

fn cell(tag: u32, place: Place) -> Cell {
    let place = match place {
        Place::Hot(slot) => slot | HOT,
        Place::Idle(offset) => offset,
    };
    (u64::from(tag) << 32) | u64::from(place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few tags, at both ends of the range, so that they collide and run over the end.
        #[test]
        fn agrees_with_a_map(ops in prop::collection::vec((0..3_u8, 0..40_u32, any::<bool>()), 0..400)) {
            let mut index = Index::default();
            let mut model = BTreeMap::new();
            for (n, (op, tag, high)) in ops.into_iter().enumerate() {
                let tag = if high { u32::MAX - tag / 8 } else { tag * 0x0101_0101 };
                let place = Place::Idle(n as u32);
                let chosen = model.keys().copied().find(|(t, _)| *t == tag);
                match (op, chosen) {
                    (0, Some(key)) => {
                        let position = index.find(tag, |p| p == Place::Idle(key.1)).expect("is there");
                        index.remove(position);
                        model.remove(&key);
                    }
                    _ => {
                        index.insert(tag, place);
                        model.insert((tag, n as u32), ());
                    }
                }
                prop_assert_eq!(index.len(), model.len());
                for (tag, n) in model.keys() {
                    prop_assert!(index.find(*tag, |p| p == Place::Idle(*n)).is_some());
                }
            }
            let tags: Vec<u32> = index.from(0).map(|(tag, _)| tag).collect();
            prop_assert_eq!(tags, model.keys().map(|(tag, _)| *tag).collect::<Vec<_>>());
            let some = 20 * 0x0101_0101;
            prop_assert_eq!(index.from(some).count(), model.range((some, 0)..).count());
        }
    }
}
