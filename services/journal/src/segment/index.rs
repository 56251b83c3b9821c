//! Where in a segment a partition's entries stand, to the nearest block: 4 bytes per partition and megabyte of log, kept in memory.

use std::ops::Range;

use souk_model::time::Millis;

/// A stretch of whole frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) range: Range<u64>,
    /// Nothing will be added to it.
    pub(crate) is_whole: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    partitions: usize,
    block_bytes: u64,
    /// Where each block begins.
    pub(super) starts: Vec<u64>,
    /// Per block and partition: its end before the block, less its end before the segment.
    pub(super) ends: Vec<u32>,
    /// Where the frames end that readers may see.
    pub(crate) end: u64,
    /// Append time of the newest frame, or of the newest before the segment.
    pub(crate) append_time: Millis,
}

impl Index {
    pub(crate) fn new(partitions: usize, block_bytes: u64, end: u64, append_time: Millis) -> Self {
        Self { partitions, block_bytes, starts: Vec::new(), ends: Vec::new(), end, append_time }
    }

    /// From a segment's footer.
    pub(super) fn sealed(
        partitions: usize,
        starts: Vec<u64>,
        ends: Vec<u32>,
        end: u64,
        append_time: Millis,
    ) -> Self {
        Self { partitions, block_bytes: u64::MAX, starts, ends, end, append_time }
    }

    /// The next frame is `len` long. `ends` are the partitions' ends before it, `bases` those before the segment.
    pub(crate) fn add(&mut self, len: u64, append_time: Millis, ends: &[u64], bases: &[u64]) {
        if self.starts.last().is_none_or(|start| self.end - start >= self.block_bytes) {
            self.starts.push(self.end);
            // A segment holds fewer records than fit 32 bits: each takes four bytes at least.
            self.ends.extend(ends.iter().zip(bases).map(|(end, base)| (end - base) as u32));
        }
        self.end += len;
        self.append_time = append_time;
    }

    /// The block with the entry that many places after the partition's end before the segment.
    pub(crate) fn find(&self, partition: usize, place: u64) -> Option<Block> {
        let end_before = |block: usize| u64::from(self.ends[block * self.partitions + partition]);
        let (mut low, mut high) = (0, self.starts.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if end_before(middle) < place { low = middle + 1 } else { high = middle }
        }
        let block = low.checked_sub(1)?;
        let end = self.starts.get(block + 1).copied();
        let is_whole = end.is_some() || self.block_bytes == u64::MAX;
        Some(Block { range: self.starts[block]..end.unwrap_or(self.end), is_whole })
    }

    /// Nothing will be added.
    pub(crate) fn seal(&mut self) {
        self.block_bytes = u64::MAX;
    }
}
