//! What stands first in a segment's file.

use bytes::{Buf, BufMut};
use souk_model::time::Millis;

use crate::frame::Flaw;

const MAGIC: u32 = u32::from_le_bytes(*b"SkS1");
const FIXED_BYTES: usize = 40;
const CRC_AT: usize = 4;

/// magic+version u32 · crc u32 · topic u64 · first frame u64 · incarnation u64 · append time i64 · per partition: end u64
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first_frame: u64,
    pub(crate) incarnation: u64,
    /// The newest append time before this segment.
    pub(crate) append_time: Millis,
    /// Offset of the last record of every partition before this segment.
    pub(crate) ends: Vec<u64>,
}

impl Header {
    pub(crate) fn bytes_of(partitions: usize) -> usize {
        FIXED_BYTES + partitions * 8
    }

    pub(crate) fn encode(&self, topic_id: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::bytes_of(self.ends.len()));
        out.put_u32_le(MAGIC);
        out.put_u32_le(0);
        out.put_u64_le(topic_id);
        out.put_u64_le(self.first_frame);
        out.put_u64_le(self.incarnation);
        out.put_i64_le(self.append_time);
        self.ends.iter().for_each(|end| out.put_u64_le(*end));
        let crc = crc32c::crc32c(&out[CRC_AT + 4..]);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(topic_id: u64, partitions: usize, bytes: &[u8]) -> Result<Self, Flaw> {
        let whole = bytes.get(..Self::bytes_of(partitions)).ok_or(Flaw::Torn)?;
        let mut bytes = whole;
        if bytes.get_u32_le() != MAGIC {
            return Err(Flaw::Stray);
        }
        if bytes.get_u32_le() != crc32c::crc32c(&whole[CRC_AT + 4..]) {
            return Err(Flaw::Checksum);
        }
        if bytes.get_u64_le() != topic_id {
            return Err(Flaw::Unjoined);
        }
        Ok(Self {
            first_frame: bytes.get_u64_le(),
            incarnation: bytes.get_u64_le(),
            append_time: bytes.get_i64_le(),
            ends: (0..partitions).map(|_| bytes.get_u64_le()).collect(),
        })
    }
}
