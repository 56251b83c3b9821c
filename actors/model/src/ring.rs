//! Bounded ordered rings in state: alerts, dead letters, abandoned carts, open orders, corrections. Read by token, never
//! emitted only on an edge.

use std::collections::VecDeque;

use crate::limits::RING;

/// Id of an entry within its shard: the offset that made it, and its place among those of the same offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RingId {
    pub position: u64,
    pub n: u32,
}

/// The newest [`RING`] entries, oldest first. `dropped` says how many gave way.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring<T> {
    entries: VecDeque<(RingId, T)>,
    dropped: u64,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), dropped: 0 }
    }
}

impl<T> Ring<T> {
    /// Adds an entry made at `position` and gives it its id.
    pub fn push(&mut self, position: u64, value: T) -> RingId {
        let n = match self.entries.back() {
            Some((last, _)) if last.position == position => last.n + 1,
            _ => 0,
        };
        let id = RingId { position, n };
        self.restore(id, value);
        id
    }

    /// Puts an entry back as a cut held it, in order.
    pub fn restore(&mut self, id: RingId, value: T) {
        if self.entries.len() == RING {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back((id, value));
    }

    pub fn set_dropped(&mut self, dropped: u64) {
        self.dropped = dropped;
    }

    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    pub fn get_mut(&mut self, id: RingId) -> Option<&mut T> {
        let at = self.entries.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Entries after `token`, oldest first; all of them without one.
    pub fn after(&self, token: Option<RingId>) -> impl DoubleEndedIterator<Item = (RingId, &T)> {
        let from = token.map_or(0, |token| self.entries.partition_point(|(id, _)| *id <= token));
        self.entries.range(from..).map(|(id, value)| (*id, value))
    }

    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (RingId, &mut T)> {
        self.entries.iter_mut().map(|(id, value)| (*id, value))
    }

    pub fn remove_where(&mut self, mut gone: impl FnMut(&T) -> bool) {
        self.entries.retain(|(_, value)| !gone(value));
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_on_and_the_oldest_gives_way() {
        let mut ring = Ring::default();
        let first = ring.push(7, "a");
        let second = ring.push(7, "b");
        assert_eq!((first, second), (RingId { position: 7, n: 0 }, RingId { position: 7, n: 1 }));
        assert_eq!(ring.after(Some(first)).map(|(_, v)| *v).collect::<Vec<_>>(), ["b"]);
        for position in 8..8 + RING as u64 {
            ring.push(position, "c");
        }
        assert_eq!((ring.len(), ring.dropped()), (RING, 2));
    }
}
