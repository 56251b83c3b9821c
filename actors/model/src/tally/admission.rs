//! Admission: which keys of a (metric, key set) are live, counted exactly, so that `max_keys` is decided by the journal's order alone.

use std::collections::VecDeque;

use crate::time::Millis;

/// Newest panes of the live keys of one key set: how many keys end when. An index of the rows, rebuilt from them after a load.
#[derive(Debug, Clone, Default)]
pub(super) struct Admission {
    live: usize,
    /// Rising ends, each with the keys whose newest pane ends there.
    ends: VecDeque<(Millis, usize)>,
}

impl Admission {
    /// Whether a key may count in a pane ending at `end`, and if so notes that. `newest` is the end of its newest pane so far, `dead`
    /// the end up to which panes make no key live.
    pub(super) fn admit(&mut self, newest: &mut Millis, end: Millis, dead: Millis, max: usize) -> bool {
        if *newest > dead && *newest >= end {
            return true;
        }
        if *newest > dead {
            self.leave(*newest);
        } else {
            self.forget(dead);
            if self.live >= max {
                return false;
            }
        }
        self.enter(end);
        *newest = end;
        true
    }

    /// Whether no further key has a place.
    #[inline]
    pub(super) fn is_full(&mut self, dead: Millis, max: usize) -> bool {
        if self.live >= max {
            self.forget(dead);
        }
        self.live >= max
    }

    /// Notes a key as it was loaded.
    pub(super) fn enter(&mut self, end: Millis) {
        self.live += 1;
        match self.find(end) {
            Ok(at) => self.ends[at].1 += 1,
            Err(at) => self.ends.insert(at, (end, 1)),
        }
    }

    fn leave(&mut self, end: Millis) {
        if let Ok(at) = self.find(end) {
            // A key that left before it was looked at again was forgotten with its end.
            self.live -= 1;
            self.ends[at].1 -= 1;
            if self.ends[at].1 == 0 {
                self.ends.remove(at);
            }
        }
    }

    fn forget(&mut self, dead: Millis) {
        while let Some((end, keys)) = self.ends.front().copied().filter(|(end, _)| *end <= dead) {
            self.live -= keys;
            self.ends.pop_front();
            debug_assert!(end <= dead);
        }
    }

    /// Most keys end with the newest pane or the one before.
    fn find(&self, end: Millis) -> Result<usize, usize> {
        let newer = self.ends.iter().rev().take(2).take_while(|(have, _)| *have > end).count();
        match self.ends.len().checked_sub(newer + 1) {
            Some(at) if self.ends[at].0 == end => Ok(at),
            Some(at) if self.ends[at].0 < end => Err(at + 1),
            None => Err(0),
            Some(_) => self.ends.binary_search_by_key(&end, |(have, _)| *have),
        }
    }
}
