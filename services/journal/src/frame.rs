//! A frame: what one group commit writes. The unit of durability and of damage.
//!
//! ```text
//! head       magic+version u32 · groups u32 · body u32 · crc u32 · number u64 · synced u64 · append time i64 · incarnation u64
//! directory  per group: partition u32 · records u32 · first offset u64 · bytes u32 · crc u32
//! groups     per record: length u32 · bytes                                          the whole padded to 8 bytes
//! ```
//! The head's checksum covers head and directory, and the directory has one for each group: together they cover all but the padding, and
//! who wants one partition checks no other. It starts from the topic's id: a record that holds the bytes of a frame is never taken for one.
//! `synced` is the newest frame known durable when this one was written. All numbers are little-endian.

use std::fmt;
use std::ops::Range;

use bytes::{Buf, BufMut, Bytes};
use souk_model::journal::Entry;
use souk_model::time::Millis;

pub(crate) const MAGIC: u32 = u32::from_le_bytes(*b"SkF1");
pub(crate) const HEAD_BYTES: usize = 48;
pub(crate) const GROUP_BYTES: usize = 24;
/// Where the checksum of the head stands.
const CRC_AT: usize = 12;
/// Frames begin at multiples of this, so that a search after damage need not look at every byte.
pub(crate) const ALIGN: usize = 8;
/// Length in front of every record.
pub(crate) const LENGTH_BYTES: usize = 4;

/// What is wrong with what stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The file ends before what began there does.
    Torn,
    /// Nothing the journal writes begins there.
    Stray,
    Checksum,
    /// A frame, but not the next one.
    Gap,
    /// A segment that does not go on where the one before it ends.
    Unjoined,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Torn => "the file ends inside a frame",
            Self::Stray => "there is no frame where one should begin",
            Self::Checksum => "a checksum is wrong",
            Self::Gap => "a frame is there, but not the next one",
            Self::Unjoined => "the segment does not go on where the one before it ends",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) synced: u64,
    pub(crate) append_time: Millis,
    pub(crate) incarnation: u64,
}

/// Records of one partition in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) partition: usize,
    pub(crate) records: u32,
    /// Offset of its first record.
    pub(crate) first: u64,
    pub(crate) bytes: u32,
    pub(crate) crc: u32,
}

/// Length of a frame with these groups and so many bytes in them.
pub(crate) fn frame_len(groups: usize, bytes: usize) -> usize {
    (HEAD_BYTES + groups * GROUP_BYTES + bytes).next_multiple_of(ALIGN)
}

/// Head and directory, checksummed.
pub(crate) fn encode(topic_id: u64, head: &Head, groups: &[Group]) -> Vec<u8> {
    let bytes: usize = groups.iter().map(|group| group.bytes as usize).sum();
    let body = frame_len(groups.len(), bytes) - HEAD_BYTES;
    let mut out = Vec::with_capacity(HEAD_BYTES + groups.len() * GROUP_BYTES);
    out.put_u32_le(MAGIC);
    out.put_u32_le(groups.len() as u32);
    out.put_u32_le(body as u32);
    out.put_u32_le(0);
    out.put_u64_le(head.number);
    out.put_u64_le(head.synced);
    out.put_i64_le(head.append_time);
    out.put_u64_le(head.incarnation);
    for group in groups {
        out.put_u32_le(group.partition as u32);
        out.put_u32_le(group.records);
        out.put_u64_le(group.first);
        out.put_u32_le(group.bytes);
        out.put_u32_le(group.crc);
    }
    let crc = head_crc(topic_id, &out);
    out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
    out
}

fn head_crc(topic_id: u64, head_and_directory: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&topic_id.to_le_bytes()), &head_and_directory[..CRC_AT]);
    crc32c::crc32c_append(crc, &head_and_directory[CRC_AT + 4..])
}

/// A frame whose head and directory are sound.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) head: Head,
    directory: &'a [u8],
    len: usize,
}

impl<'a> Frame<'a> {
    /// The frame that begins with `bytes`. Its groups need not be there yet.
    pub(crate) fn parse(topic_id: u64, bytes: &'a [u8]) -> Result<Self, Flaw> {
        let mut head = bytes.get(..HEAD_BYTES).ok_or(Flaw::Torn)?;
        if head.get_u32_le() != MAGIC {
            return Err(Flaw::Stray);
        }
        let groups = head.get_u32_le() as usize;
        let body = head.get_u32_le() as usize;
        let crc = head.get_u32_le();
        let end = groups.checked_mul(GROUP_BYTES).and_then(|directory| directory.checked_add(HEAD_BYTES));
        let whole = end.and_then(|end| bytes.get(..end)).ok_or(Flaw::Torn)?;
        if head_crc(topic_id, whole) != crc {
            return Err(Flaw::Checksum);
        }
        let head = Head {
            number: head.get_u64_le(),
            synced: head.get_u64_le(),
            append_time: head.get_i64_le(),
            incarnation: head.get_u64_le(),
        };
        Ok(Self { head, directory: &whole[HEAD_BYTES..], len: HEAD_BYTES + body })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The groups, each with where its bytes stand in the frame.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (Group, Range<usize>)> + use<'a> {
        let mut at = HEAD_BYTES + self.directory.len();
        self.directory.chunks_exact(GROUP_BYTES).map(move |mut chunk| {
            let group = Group {
                partition: chunk.get_u32_le() as usize,
                records: chunk.get_u32_le(),
                first: chunk.get_u64_le(),
                bytes: chunk.get_u32_le(),
                crc: chunk.get_u32_le(),
            };
            let from = at;
            at += group.bytes as usize;
            (group, from..at)
        })
    }

    /// Checks the groups. `bytes` begins with the frame.
    pub(crate) fn verify(&self, bytes: &[u8]) -> Result<(), Flaw> {
        let frame = bytes.get(..self.len).ok_or(Flaw::Torn)?;
        self.groups().try_for_each(|(group, range)| group.verify(frame.get(range).ok_or(Flaw::Torn)?))
    }
}

impl Group {
    pub(crate) fn verify(&self, bytes: &[u8]) -> Result<(), Flaw> {
        if crc32c::crc32c(bytes) == self.crc { Ok(()) } else { Err(Flaw::Checksum) }
    }
}

/// Entries of one group from offset `from` on, up to `room` bytes of them, sliced from `bytes` without a copy. At least one where `out`
/// is empty. Says whether there is room for more.
pub(crate) fn entries(
    bytes: &Bytes,
    first: u64,
    append_time: Millis,
    from: u64,
    room: &mut usize,
    out: &mut Vec<Entry>,
) -> Result<bool, Flaw> {
    let (mut at, mut offset) = (0, first);
    while let Some(length) = bytes.get(at..at + LENGTH_BYTES) {
        let length = u32::from_le_bytes(length.try_into().map_err(|_| Flaw::Torn)?) as usize;
        let start = at + LENGTH_BYTES;
        at = start + length;
        if offset >= from {
            if length > *room && !out.is_empty() {
                return Ok(false);
            }
            if at > bytes.len() {
                return Err(Flaw::Torn);
            }
            *room = room.saturating_sub(length);
            out.push(Entry::new(offset, append_time, bytes.slice(start..at)));
        }
        offset += 1;
    }
    Ok(true)
}
