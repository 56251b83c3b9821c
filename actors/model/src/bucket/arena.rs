//! Idle actors of one bucket: encoded entries ([`super::entry`]), one after the other.
//!
//! An actor that becomes hot leaves a dead entry behind. When a third is dead the live ones are slid together, a few with every entry
//! added: memory is at most about 1.7 times what lives, and no call pays for a whole arena.

use super::entry::{self, Shape};
use super::index::PLACE_LIMIT;
use super::slab::Mark;
use crate::actor::Deadlines;

/// Bits of the flags byte that segments leave free: two for the mark, one for the dead.
const MARK_SHIFT: u8 = 3;
const MARK: u8 = 3 << MARK_SHIFT;
const DEAD: u8 = 1 << 5;
/// Below this an arena is not worth sweeping.
const SWEEP_FROM: usize = 4 * 1024;
/// Bytes swept for each byte added: a sweep is through before the arena has grown by a seventh.
const SWEEP_PACE: usize = 8;
const GROW_BY: usize = 4 * 1024;

/// An idle actor, read in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle<'a> {
    pub(super) key: &'a [u8],
    pub(super) state: &'a [u8],
    /// Its true deadlines; a timer heap holds each of them.
    pub(super) deadlines: Deadlines,
    pub(super) mark: Mark,
}

#[derive(Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    /// Bytes of dead entries (a sweep's gap not counted).
    dead: usize,
    sweep: Option<Sweep>,
}

/// Entries before `to` are swept, those from `from` on are not, between them is nothing.
#[derive(Debug, Clone, Copy)]
struct Sweep {
    from: usize,
    to: usize,
}

impl Arena {
    fn shape(&self, at: u32) -> Shape {
        entry::shape(&self.bytes[at as usize..]).expect("the index holds offsets of entries only")
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Idle<'_> {
        let shape = self.shape(at);
        let entry = &self.bytes[at as usize..];
        Idle {
            key: &entry[shape.key.0..shape.key.1],
            state: &entry[shape.key.1..shape.end],
            deadlines: shape.deadlines,
            mark: (entry[0] & MARK) >> MARK_SHIFT,
        }
    }

    /// Adds an actor; `None` when the arena is full, and it stays hot.
    pub(super) fn push(
        &mut self,
        key: &[u8],
        deadlines: Deadlines,
        mark: Mark,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Option<u32> {
        let at = self.bytes.len();
        if self.bytes.capacity() - at < GROW_BY / 4 {
            self.bytes.reserve_exact(at / 8 + GROW_BY); // doubling would cost more than the index
        }
        entry::write_with(&mut self.bytes, key, deadlines, encode);
        if self.bytes.len() > PLACE_LIMIT {
            self.bytes.truncate(at);
            return None;
        }
        self.bytes[at] |= mark << MARK_SHIFT;
        Some(at as u32)
    }

    pub(super) fn set_mark(&mut self, at: u32, mark: Mark) {
        let flags = &mut self.bytes[at as usize];
        *flags = (*flags & !MARK) | (mark << MARK_SHIFT);
    }

    /// The entry is no longer an actor.
    pub(super) fn kill(&mut self, at: u32) {
        self.dead += self.shape(at).end;
        self.bytes[at as usize] |= DEAD;
    }

    /// Sweeps on in proportion to what was added since `added_from`; `moved` is told of every live entry that moves.
    pub(super) fn sweep(&mut self, added_from: u32, mut moved: impl FnMut(&[u8], u32, u32)) {
        let len = self.bytes.len();
        let worth = len >= SWEEP_FROM && self.dead * 3 > len;
        let Some(mut sweep) = self.sweep.or_else(|| worth.then_some(Sweep { from: 0, to: 0 })) else {
            return;
        };
        let until = sweep.from + (len - added_from as usize) * SWEEP_PACE;
        while sweep.from < until.min(self.bytes.len()) {
            let (from, to) = (sweep.from, sweep.to);
            let shape = self.shape(from as u32);
            sweep.from += shape.end;
            if self.bytes[from] & DEAD != 0 {
                self.dead -= shape.end;
                continue;
            }
            if from != to {
                self.bytes.copy_within(from..sweep.from, to);
                moved(&self.bytes[to + shape.key.0..to + shape.key.1], from as u32, to as u32);
            }
            sweep.to += shape.end;
        }
        let done = sweep.from >= self.bytes.len();
        if done {
            self.bytes.truncate(sweep.to);
            self.bytes.shrink_to(sweep.to + sweep.to / 8 + GROW_BY);
        }
        self.sweep = (!done).then_some(sweep);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
