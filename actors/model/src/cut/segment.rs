//! Segments: the immutable pieces a cut is written in. One blob each, compressed and checksummed.
//!
//! [`Writer`] takes entries and compresses them block by block, so that a big section is built in slices; [`Opened`] reads them back.
//! A blob is trusted only after its checksum, and even then nothing is allocated that its own length does not vouch for.

use std::collections::VecDeque;

use bytes::Bytes;
use prost::Message as _;
use souk_proto::state::v1 as state;

use crate::actor::{Deadlines, StateError};
use crate::bucket::entry::{self, Entry};

/// Sections of a shard's stored state: 0..64 are the actors' buckets, then the shard's own.
pub const HEADER: u16 = 64;
/// First section of the tally book (users) or of the series (products); as many as [`crate::key::BUCKETS`].
pub const ROWS: u16 = 128;

/// Newest format this build reads, and the one it writes.
pub const VERSION: u8 = 1;
/// Version and checksum.
const ENVELOPE: usize = 5;
/// A block is closed at the first entry that reaches this: small enough to compress within a slice of a cut, large enough to compress well.
pub const BLOCK_BYTES: usize = 64 * 1024;
/// No block is larger once unpacked: far above the largest actor (a product with every hold and mark it may have).
pub const BLOCK_LIMIT: usize = 64 * 1024 * 1024;
/// What LZ4 can make of one byte at most. A block that claims more lies.
const LZ4_EXPANSION: usize = 255;

/// Name of a segment within its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    pub section: u16,
    pub cut: u64,
    pub epoch: u64,
}

/// A stored segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub id: SegmentId,
    /// A base holds its section whole; a delta what changed since the segment before.
    pub base: bool,
    /// `souk.state.v1.Segment`, compressed, with checksum: written and read by this module alone.
    pub blob: Bytes,
}

impl Segment {
    /// Checks the blob and that it is the section it is stored as.
    pub fn open(&self) -> Result<Opened, StateError> {
        let opened = Opened::parse(&self.blob)?;
        if opened.message.section != u32::from(self.id.section) || opened.message.base != self.base {
            return Err(StateError::Damaged(format!("section {} holds another segment", self.id.section)));
        }
        Ok(opened)
    }
}

/// Builds the blob of a segment. Entries are buffered raw; [`Writer::compress`] does the heavy part in steps.
#[derive(Debug)]
pub struct Writer {
    base: bool,
    entries: u64,
    raw: Vec<u8>,
    /// Full blocks that wait to be compressed.
    waiting: VecDeque<Vec<u8>>,
    blob: Vec<u8>,
    checksum: u32,
}

impl Writer {
    /// `expected` bytes of blob are set aside.
    pub fn new(section: u16, base: bool, expected: usize) -> Self {
        let mut blob = Vec::with_capacity(ENVELOPE + expected);
        blob.resize(ENVELOPE, 0);
        let mut writer =
            Self { base, entries: 0, raw: Vec::new(), waiting: VecDeque::new(), blob, checksum: 0 };
        writer.append(&state::Segment { section: section.into(), base, ..state::Segment::default() });
        writer
    }

    /// Adds an actor, encoded by `encode`; returns the bytes added.
    pub fn put(&mut self, key: &[u8], deadlines: Deadlines, encode: impl FnOnce(&mut Vec<u8>)) -> usize {
        let before = self.raw.len();
        entry::write_with(&mut self.raw, key, deadlines, encode);
        self.added(before)
    }

    /// Adds the removal of a key. A base has none: what is not in it does not exist.
    pub fn remove(&mut self, key: &[u8]) -> usize {
        debug_assert!(!self.base, "a removal in a base");
        let before = self.raw.len();
        entry::write_removed(&mut self.raw, key);
        self.added(before)
    }

    fn added(&mut self, before: usize) -> usize {
        let bytes = self.raw.len() - before;
        self.entries += 1;
        if self.raw.len() >= BLOCK_BYTES {
            // What filled one block most often fills another: no growing from nothing again.
            let next = Vec::with_capacity(self.raw.capacity());
            self.waiting.push_back(std::mem::replace(&mut self.raw, next));
        }
        bytes
    }

    pub fn is_base(&self) -> bool {
        self.base
    }

    /// Full blocks that wait to be compressed.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> usize {
        self.raw.capacity() + self.blob.capacity() + self.waiting.iter().map(Vec::capacity).sum::<usize>()
    }

    /// Compresses one waiting block; returns its raw bytes, 0 when none waits.
    pub fn compress(&mut self) -> usize {
        let Some(raw) = self.waiting.pop_front() else { return 0 };
        self.append(&state::Segment { blocks: vec![pack(&raw)], ..state::Segment::default() });
        raw.len()
    }

    /// Closes the last block: nothing is put any more, what waits is compressed.
    pub fn close(&mut self) {
        if !self.raw.is_empty() {
            self.waiting.push_back(std::mem::take(&mut self.raw));
        }
    }

    /// The blob. Compresses whatever still waits.
    pub fn finish(mut self) -> Vec<u8> {
        self.close();
        while self.compress() > 0 {}
        self.append(&state::Segment { entries: self.entries, ..state::Segment::default() });
        self.blob[0] = VERSION;
        let checksum = crc32c::crc32c_append(self.checksum, &[VERSION]);
        self.blob[1..ENVELOPE].copy_from_slice(&checksum.to_le_bytes());
        self.blob
    }

    /// Messages written one after the other read as one: that is how the segment grows without being held decoded.
    fn append(&mut self, part: &state::Segment) {
        let before = self.blob.len();
        self.blob.reserve(part.encoded_len());
        part.encode_raw(&mut self.blob);
        self.checksum = crc32c::crc32c_append(self.checksum, &self.blob[before..]);
    }
}

/// The blob of a section that is one piece (a shard's header): a base with one entry under the empty key.
pub fn write_single(section: u16, state: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(section, true, state.len());
    writer.put(b"", Deadlines::default(), |out| out.extend_from_slice(state));
    writer.finish()
}

/// What [`write_single`] wrote.
pub fn read_single(segment: &Segment) -> Result<Vec<u8>, StateError> {
    let mut found = None;
    segment.open()?.each(|entry| {
        found = entry.state.map(<[u8]>::to_vec);
        Ok(())
    })?;
    found.ok_or_else(|| StateError::Damaged(format!("section {} is empty", segment.id.section)))
}

/// A segment whose envelope is sound.
#[derive(Debug)]
pub struct Opened {
    message: state::Segment,
}

impl Opened {
    fn parse(blob: &[u8]) -> Result<Self, StateError> {
        let damaged = |what: &str| StateError::Damaged(what.to_owned());
        let (envelope, message) =
            blob.split_first_chunk::<ENVELOPE>().ok_or_else(|| damaged("a segment is cut short"))?;
        let [version, checksum @ ..] = *envelope;
        if crc32c::crc32c_append(crc32c::crc32c(message), &[version]) != u32::from_le_bytes(checksum) {
            return Err(damaged("a segment's checksum does not match"));
        }
        if version > VERSION {
            return Err(StateError::Newer { found: version, newest: VERSION });
        }
        let message = state::Segment::decode(message).map_err(|error| damaged(&error.to_string()))?;
        Ok(Self { message })
    }

    /// How many entries it says it holds.
    pub fn entries(&self) -> u64 {
        self.message.entries
    }

    /// Gives every entry, in order.
    pub fn each(&self, mut visit: impl FnMut(Entry<'_>) -> Result<(), StateError>) -> Result<(), StateError> {
        let mut raw = Vec::new();
        let mut entries = 0;
        for block in &self.message.blocks {
            unpack(block, &mut raw)?;
            let mut rest = raw.as_slice();
            while !rest.is_empty() {
                let (entry, length) = entry::read(rest)?;
                if self.message.base && entry.state.is_none() {
                    return Err(StateError::Damaged("a base removes a key".to_owned()));
                }
                visit(entry)?;
                entries += 1;
                rest = &rest[length..];
            }
        }
        if entries != self.message.entries {
            return Err(StateError::Damaged(format!("{entries} of {} entries found", self.message.entries)));
        }
        Ok(())
    }
}

fn pack(raw: &[u8]) -> state::Block {
    let mut lz4 = vec![0; lz4_flex::block::get_maximum_output_size(raw.len())];
    let length =
        lz4_flex::block::compress_into(raw, &mut lz4).expect("the output has the largest size there is");
    lz4.truncate(length);
    state::Block { raw_bytes: raw.len() as u32, lz4 }
}

fn unpack(block: &state::Block, raw: &mut Vec<u8>) -> Result<(), StateError> {
    let claimed = block.raw_bytes as usize;
    if claimed > BLOCK_LIMIT || claimed > block.lz4.len().saturating_mul(LZ4_EXPANSION) {
        return Err(StateError::Damaged(format!("a block claims {claimed} bytes")));
    }
    raw.clear();
    raw.resize(claimed, 0);
    match lz4_flex::block::decompress_into(&block.lz4, raw) {
        Ok(length) if length == claimed => Ok(()),
        Ok(length) => Err(StateError::Damaged(format!("a block holds {length} bytes, not {claimed}"))),
        Err(error) => Err(StateError::Damaged(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
