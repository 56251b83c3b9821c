//! Builds a frame in two passes: records are placed (which gives them their offsets and says how large each group becomes), then copied
//! into one buffer per partition. Readers get slices of those buffers, so a partition's readers share nothing with another's.

use std::io::IoSlice;

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::{self, ALIGN, Group, Head, LENGTH_BYTES};
use crate::limits::FRAME_BYTES;

/// Marks a partition that has no group in the frame.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(crate) struct Builder {
    /// Per partition, the place of its group.
    places: Vec<u32>,
    groups: Vec<Growing>,
    bytes: usize,
}

#[derive(Debug)]
struct Growing {
    partition: usize,
    records: u32,
    first: u64,
    bytes: usize,
    buffer: BytesMut,
}

/// A frame ready to be written.
#[derive(Debug)]
pub(crate) struct Built {
    head: Vec<u8>,
    pub(crate) groups: Vec<(Group, Bytes)>,
    pub(crate) len: usize,
}

impl Builder {
    pub(crate) fn new(partitions: usize) -> Self {
        Self { places: vec![NONE; partitions], groups: Vec::new(), bytes: 0 }
    }

    /// Whether a record of this length goes into the frame: the first one always does.
    pub(crate) fn has_room(&self, length: usize) -> bool {
        self.bytes == 0 || self.bytes + LENGTH_BYTES + length <= FRAME_BYTES
    }

    /// Gives a record its offset: the next after `end`, the partition's end before this frame.
    pub(crate) fn place(&mut self, partition: usize, end: u64, length: usize) -> u64 {
        if self.places[partition] == NONE {
            self.places[partition] = self.groups.len() as u32;
            let group = Growing { partition, records: 0, first: end + 1, bytes: 0, buffer: BytesMut::new() };
            self.groups.push(group);
        }
        let group = &mut self.groups[self.places[partition] as usize];
        group.records += 1;
        group.bytes += LENGTH_BYTES + length;
        self.bytes += LENGTH_BYTES + length;
        group.first + u64::from(group.records) - 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Everything is placed: sets the buffers aside, exactly as large as they become.
    pub(crate) fn placed(&mut self) {
        for group in &mut self.groups {
            group.buffer = BytesMut::with_capacity(group.bytes);
        }
    }

    /// Copies a placed record. Records come in the order in which they were placed.
    pub(crate) fn copy(&mut self, partition: usize, bytes: &[u8]) {
        let group = &mut self.groups[self.places[partition] as usize];
        group.buffer.put_u32_le(bytes.len() as u32);
        group.buffer.put_slice(bytes);
    }

    /// The frame; the builder is empty again.
    pub(crate) fn build(&mut self, topic_id: u64, head: &Head) -> Built {
        let growing = std::mem::take(&mut self.groups);
        let len = frame::frame_len(growing.len(), self.bytes);
        self.bytes = 0;
        let mut directory = Vec::with_capacity(growing.len());
        let mut groups = Vec::with_capacity(growing.len());
        for growing in growing {
            self.places[growing.partition] = NONE;
            let bytes = growing.buffer.freeze();
            let group = Group {
                partition: growing.partition,
                records: growing.records,
                first: growing.first,
                bytes: bytes.len() as u32,
                crc: crc32c::crc32c(&bytes),
            };
            directory.push(group);
            groups.push((group, bytes));
        }
        Built { head: frame::encode(topic_id, head, &directory), groups, len }
    }
}

impl Built {
    /// What is written, in order.
    pub(crate) fn parts(&self) -> Vec<IoSlice<'_>> {
        let groups = self.groups.iter().map(|(_, bytes)| bytes);
        let written = self.head.len() + groups.clone().map(Bytes::len).sum::<usize>();
        let padding = &[0; ALIGN][..self.len - written];
        let mut parts = Vec::with_capacity(self.groups.len() + 2);
        parts.push(IoSlice::new(&self.head));
        parts.extend(groups.map(|bytes| IoSlice::new(bytes)));
        parts.push(IoSlice::new(padding));
        parts
    }
}
