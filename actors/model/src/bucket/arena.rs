//! Idle actors of one bucket: encoded entries ([`super::entry`]) in chunks.
//!
//! An actor that becomes hot leaves a dead entry behind. When a third is dead, the live entries of a chunk that has its share of them
//! move to the end and the chunk goes back to the system: memory is at most about 1.5 times what lives, growing copies nothing, and no
//! call pays for more than a chunk.

use super::entry::{self, Shape};
use super::slab::Mark;
use crate::actor::Deadlines;

/// Bits of the flags byte that segments leave free: two for the mark, one for the dead.
const MARK_SHIFT: u8 = 3;
const MARK: u8 = 3 << MARK_SHIFT;
const DEAD: u8 = 1 << 5;
/// Bytes of a chunk: moving what lives in one takes microseconds. An entry larger than that has a chunk of its own.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 14;
/// Places are [`super::index::PLACE_LIMIT`] at most.
const CHUNKS: usize = super::index::PLACE_LIMIT >> CHUNK_BITS;

/// An idle actor, read in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idle<'a> {
    pub(super) key: &'a [u8],
    pub(super) state: &'a [u8],
    /// Its true deadlines; a timer holds each of them.
    pub(super) deadlines: Deadlines,
    pub(super) mark: Mark,
}

/// A place is a chunk's number and an offset within it.
#[derive(Debug, Default)]
pub(super) struct Arena {
    chunks: Vec<Chunk>,
    /// Numbers of chunks that hold nothing.
    free: Vec<u32>,
    /// The chunk that is being filled.
    open: Option<u32>,
    /// Where the search for a chunk worth emptying goes on.
    hand: usize,
    len: usize,
    dead: usize,
    /// An entry is written here, and copied to where it fits.
    scratch: Vec<u8>,
}

#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    dead: usize,
}

fn chunk_of(at: u32) -> usize {
    (at >> CHUNK_BITS) as usize
}

fn offset_in(at: u32) -> usize {
    at as usize % CHUNK
}

impl Arena {
    fn entry(&self, at: u32) -> &[u8] {
        &self.chunks[chunk_of(at)].bytes[offset_in(at)..]
    }

    fn shape(entry: &[u8]) -> Shape {
        entry::shape(entry).expect("places are of entries only")
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> Idle<'_> {
        let entry = self.entry(at);
        let shape = Self::shape(entry);
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
        let mut entry = std::mem::take(&mut self.scratch);
        entry.clear();
        entry::write_with(&mut entry, key, deadlines, encode);
        entry[0] |= mark << MARK_SHIFT;
        let at = self.append(&entry);
        entry.shrink_to(CHUNK);
        self.scratch = entry;
        at
    }

    fn append(&mut self, entry: &[u8]) -> Option<u32> {
        let number = match self.open {
            Some(open) if self.chunks[open as usize].bytes.len() + entry.len() <= CHUNK => open,
            _ => self.start(entry.len())?,
        };
        let bytes = &mut self.chunks[number as usize].bytes;
        let at = number << CHUNK_BITS | bytes.len() as u32;
        bytes.extend_from_slice(entry);
        self.len += entry.len();
        Some(at)
    }

    /// An empty chunk for an entry of this length. It is then the one that is being filled, unless the entry fills it.
    fn start(&mut self, len: usize) -> Option<u32> {
        let number = match self.free.pop() {
            Some(number) => number,
            None if self.chunks.len() == CHUNKS => return None,
            None => {
                self.chunks.push(Chunk::default());
                self.chunks.len() as u32 - 1
            }
        };
        // A bucket of few actors pays for no whole chunk.
        if self.chunks.len() > 1 {
            self.chunks[number as usize].bytes.reserve_exact(len.max(CHUNK));
        }
        if len <= CHUNK {
            self.open = Some(number);
        }
        Some(number)
    }

    pub(super) fn set_mark(&mut self, at: u32, mark: Mark) {
        let flags = &mut self.chunks[chunk_of(at)].bytes[offset_in(at)];
        *flags = (*flags & !MARK) | (mark << MARK_SHIFT);
    }

    /// The entry is no longer an actor.
    pub(super) fn kill(&mut self, at: u32) {
        let len = Self::shape(self.entry(at)).end;
        let number = chunk_of(at);
        let chunk = &mut self.chunks[number];
        chunk.bytes[offset_in(at)] |= DEAD;
        chunk.dead += len;
        self.dead += len;
        if chunk.dead == chunk.bytes.len() {
            self.release(number);
        }
    }

    fn release(&mut self, number: usize) {
        let chunk = std::mem::take(&mut self.chunks[number]);
        self.len -= chunk.bytes.len();
        self.dead -= chunk.dead;
        self.open = self.open.filter(|open| *open as usize != number);
        self.free.push(number as u32);
    }

    /// Empties a chunk if it is time to; `moved` is told of every entry that moves. To be called after every actor added.
    pub(super) fn sweep(&mut self, mut moved: impl FnMut(&[u8], u32, u32)) {
        if self.dead * 3 <= self.len {
            return;
        }
        let Some(number) = self.worth_emptying() else { return };
        // Taken out while its entries are added elsewhere: its number is free only afterwards.
        let bytes = std::mem::take(&mut self.chunks[number].bytes);
        let mut offset = 0;
        while offset < bytes.len() {
            let entry = &bytes[offset..];
            let shape = Self::shape(entry);
            if entry[0] & DEAD == 0 {
                let to = self.append(&entry[..shape.end]).expect("there was room for a chunk");
                let from = (number << CHUNK_BITS | offset) as u32;
                moved(&entry[shape.key.0..shape.key.1], from, to);
            }
            offset += shape.end;
        }
        self.chunks[number].bytes = bytes;
        self.release(number);
    }

    /// The next chunk of which a third is dead. There is one, or the chunk being filled has them all; none where there would be no room
    /// for what lives in it.
    fn worth_emptying(&mut self) -> Option<usize> {
        if self.free.is_empty() && self.chunks.len() == CHUNKS {
            return None;
        }
        for _ in 0..self.chunks.len() {
            self.hand = (self.hand + 1) % self.chunks.len();
            let chunk = &self.chunks[self.hand];
            if chunk.dead * 3 > chunk.bytes.len() && self.open != Some(self.hand as u32) {
                return Some(self.hand);
            }
        }
        None
    }

    pub(super) fn bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum();
        chunks + self.chunks.capacity() * size_of::<Chunk>() + self.scratch.capacity()
    }
}
