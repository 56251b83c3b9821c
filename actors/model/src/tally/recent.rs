//! Where rows were found before, by the values of their dimensions: their keys are neither composed nor hashed again. Representation
//! only: what it says is checked against the row's own key.

use crate::bucket::Hint;
use crate::limits::RECENT_ROWS;

/// Rows that share a set: half a cache line.
const WAYS: usize = 4;

/// Rows of one key set, found by a tag of their values. A set keeps its newest; the table doubles as long as sets fill up.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent {
    /// As many as a power of two, or none.
    sets: Vec<Set>,
    known: usize,
    /// The row past `max_keys`.
    pub other: Hint,
}

/// The newest first.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Set([Known; WAYS]);

/// A row's tag, and where it was.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    tag: u32,
    hint: Hint,
}

impl Recent {
    /// Tries where rows of this tag were, until one is the right one.
    #[inline]
    pub(super) fn find<R>(&self, tag: u32, mut found: impl FnMut(Hint) -> Option<R>) -> Option<R> {
        let set = self.sets.get(self.set_of(tag))?;
        for known in &set.0 {
            if known.tag == tag
                && let Some(result) = found(known.hint)
            {
                return Some(result);
            }
        }
        None
    }

    /// Remembers where the row of a tag is.
    pub(super) fn put(&mut self, tag: u32, hint: Hint) {
        if self.sets.is_empty()
            || (self.known > self.sets.len() * WAYS / 2 && self.sets.len() * WAYS < RECENT_ROWS)
        {
            self.grow();
        }
        let at = self.set_of(tag);
        let set = &mut self.sets[at].0;
        self.known += usize::from(set[WAYS - 1].hint == Hint::default());
        set.rotate_right(1);
        set[0] = Known { tag, hint };
    }

    /// The highest bits of a tag name its set: in a table twice as large, what was one set are two neighbours.
    #[inline]
    fn set_of(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.sets.len() as u64) >> 32) as usize
    }

    fn grow(&mut self) {
        let sets = vec![Set::default(); (2 * self.sets.len()).max(1)];
        let old = std::mem::replace(&mut self.sets, sets);
        self.known = 0;
        for known in old
            .into_iter()
            .flat_map(|set| set.0.into_iter().rev())
            .filter(|known| known.hint != Hint::default())
        {
            self.put(known.tag, known.hint);
        }
    }
}
