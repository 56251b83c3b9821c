//! A segment's blob in pieces no server finds too large, and whole again.

use bytes::Bytes;
use souk_model::cut::segment::{Segment, SegmentId};

use crate::limits::CHUNK_BYTES;

/// A row of the segments' table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) id: SegmentId,
    pub(crate) base: bool,
    pub(crate) number: i32,
    /// How many the segment has: each row says it, so that a missing one is missed.
    pub(crate) of: i32,
    pub(crate) bytes: Bytes,
}

/// One chunk at least: a segment of no bytes is there too.
pub(crate) fn split(segment: Segment) -> impl Iterator<Item = Chunk> + Send {
    let Segment { id, base, blob } = segment;
    let count = blob.len().div_ceil(CHUNK_BYTES).max(1);
    let of = i32::try_from(count).expect("a blob in memory has fewer chunks");
    (0..of).map(move |number| {
        let from = number as usize * CHUNK_BYTES;
        let bytes = blob.slice(from..blob.len().min(from + CHUNK_BYTES));
        Chunk { id, base, number, of, bytes }
    })
}

/// Puts the rows of a section together, in the order of their key.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    whole: Vec<Segment>,
    part: Option<Part>,
    incomplete: usize,
}

#[derive(Debug)]
struct Part {
    id: SegmentId,
    base: bool,
    of: i32,
    next: i32,
    blob: Vec<u8>,
}

impl Joiner {
    pub(crate) fn take(&mut self, id: SegmentId, base: bool, (number, of): (i32, i32), bytes: &[u8]) {
        if self.part.as_ref().is_none_or(|part| part.id != id) {
            self.close();
            self.part = Some(Part { id, base, of, next: 0, blob: Vec::new() });
        }
        // A chunk that does not follow leaves `next` behind: the segment will not count.
        if let Some(part) = self.part.as_mut().filter(|part| part.next == number && part.of == of) {
            part.next += 1;
            part.blob.extend_from_slice(bytes);
        }
    }

    fn close(&mut self) {
        match self.part.take() {
            Some(Part { id, base, of, next, blob }) if next == of => {
                self.whole.push(Segment { id, base, blob: blob.into() });
            }
            Some(_) => self.incomplete += 1,
            None => {}
        }
    }

    /// The whole segments, and how many were not.
    pub(crate) fn finish(mut self) -> (Vec<Segment>, usize) {
        self.close();
        (self.whole, self.incomplete)
    }
}
