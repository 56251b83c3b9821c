//! What stands last in the file of a full segment: its index, and where every partition stands after it. Written when every frame before
//! it is synced. It only spares reading the segment: without one, the frames say the same.

use std::io;

use bytes::{Buf, BufMut};
use souk_model::time::Millis;

use super::Index;
use crate::disk::{File, read_most};
use crate::frame::ALIGN;

const MAGIC: u32 = u32::from_le_bytes(*b"SkZ1");
const FIXED_BYTES: usize = 32;
const CRC_AT: usize = 4;
/// The footer's length and its magic once more, to find it from the file's end.
const TRAILER_BYTES: usize = 8;

/// magic+version u32 · crc u32 · blocks u32 · zero u32 · next frame u64 · append time i64 · per partition: end u64 · per block: start
/// u64 and, per partition, its end u32 less the segment's · padding to 8 · length u32 · magic u32
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) next_frame: u64,
    pub(crate) ends: Vec<u64>,
    pub(crate) index: Index,
}

impl Footer {
    pub(crate) fn encode(topic_id: u64, next_frame: u64, ends: &[u64], index: &Index) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u32_le(MAGIC);
        out.put_u32_le(0);
        out.put_u32_le(index.starts.len() as u32);
        out.put_u32_le(0);
        out.put_u64_le(next_frame);
        out.put_i64_le(index.append_time);
        ends.iter().for_each(|end| out.put_u64_le(*end));
        for (block, start) in index.starts.iter().enumerate() {
            out.put_u64_le(*start);
            let ends = &index.ends[block * ends.len()..][..ends.len()];
            ends.iter().for_each(|end| out.put_u32_le(*end));
        }
        out.resize(out.len().next_multiple_of(ALIGN), 0);
        out.put_u32_le((out.len() + TRAILER_BYTES) as u32);
        out.put_u32_le(MAGIC);
        let crc = crc(topic_id, &out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The footer that ends the file; none where there is no sound one.
    pub(crate) fn load(topic_id: u64, partitions: usize, file: &dyn File) -> io::Result<Option<Self>> {
        let len = file.len()?;
        let Some(trailer_at) = len.checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
        let trailer = read_most(file, trailer_at, TRAILER_BYTES as u64)?;
        let mut trailer = &trailer[..];
        if trailer.len() < TRAILER_BYTES {
            return Ok(None);
        }
        let footer_len = u64::from(trailer.get_u32_le());
        if trailer.get_u32_le() != MAGIC
            || footer_len < (FIXED_BYTES + TRAILER_BYTES) as u64
            || footer_len > len
        {
            return Ok(None);
        }
        let bytes = read_most(file, len - footer_len, footer_len)?;
        Ok(Self::decode(topic_id, partitions, &bytes, len - footer_len))
    }

    /// The footer that is all of `whole`, which stands at `at` of the file.
    fn decode(topic_id: u64, partitions: usize, whole: &[u8], at: u64) -> Option<Self> {
        let mut bytes = whole;
        if bytes.try_get_u32_le().ok()? != MAGIC || bytes.try_get_u32_le().ok()? != crc(topic_id, whole) {
            return None;
        }
        let blocks = bytes.try_get_u32_le().ok()? as usize;
        bytes.try_get_u32_le().ok()?;
        let next_frame = bytes.try_get_u64_le().ok()?;
        let append_time: Millis = bytes.try_get_i64_le().ok()?;
        let tables = partitions * 8 + blocks.checked_mul(8 + partitions * 4)?;
        if bytes.remaining() != (tables.next_multiple_of(ALIGN)) + TRAILER_BYTES {
            return None;
        }
        let ends = (0..partitions).map(|_| bytes.get_u64_le()).collect();
        let (mut starts, mut block_ends) =
            (Vec::with_capacity(blocks), Vec::with_capacity(blocks * partitions));
        for _ in 0..blocks {
            starts.push(bytes.get_u64_le());
            block_ends.extend((0..partitions).map(|_| bytes.get_u32_le()));
        }
        let index = Index::sealed(partitions, starts, block_ends, at, append_time);
        Some(Self { next_frame, ends, index })
    }
}

fn crc(topic_id: u64, whole: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&topic_id.to_le_bytes()), &whole[..CRC_AT]);
    crc32c::crc32c_append(crc, &whole[CRC_AT + 4..])
}
