//! One encoded actor: the same bytes idle in memory ([`super::arena`]) and stored in a segment ([`crate::cut::segment`]), so that loading
//! a base is copying it. Layout in `souk.state.v1.Block`. Deadlines stand beside the state, so that timers survive without decoding it.

use prost::encoding::{decode_varint, encode_varint};

use crate::actor::{Deadlines, StateError};
use crate::time::Millis;

const WATERMARK: u8 = 1;
const LOG_TIME: u8 = 2;
const REMOVED: u8 = 4;
/// Flags a segment may hold. The higher bits are the arena's own.
const STORED: u8 = WATERMARK | LOG_TIME | REMOVED;

/// An entry read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    pub key: &'a str,
    /// `None`: the key is removed.
    pub state: Option<&'a [u8]>,
    pub deadlines: Deadlines,
}

/// Where the parts of an entry lie, relative to its first byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) deadlines: Deadlines,
    pub(super) key: (usize, usize),
    pub(super) end: usize,
}

/// Appends an entry whose state `encode` appends; returns the state's length. The state is encoded at the end and its length put before
/// it, which moves the bytes once but needs no second buffer.
pub(crate) fn write_with(
    out: &mut Vec<u8>,
    key: &[u8],
    deadlines: Deadlines,
    encode: impl FnOnce(&mut Vec<u8>),
) -> usize {
    // The scratch area is the end of `out` itself: state first, then the head is rotated before it.
    let start = out.len();
    encode(out);
    let state_len = out.len() - start;
    push_head(out, key, Some(state_len), deadlines);
    let head_len = out.len() - start - state_len;
    out[start..].rotate_right(head_len);
    state_len
}

/// Appends the removal of a key.
pub(crate) fn write_removed(out: &mut Vec<u8>, key: &[u8]) {
    push_head(out, key, None, Deadlines::default());
}

fn push_head(out: &mut Vec<u8>, key: &[u8], state_len: Option<usize>, deadlines: Deadlines) {
    let Deadlines { watermark, log_time } = deadlines;
    let mut flags = 0;
    flags |= if watermark.is_some() { WATERMARK } else { 0 };
    flags |= if log_time.is_some() { LOG_TIME } else { 0 };
    flags |= if state_len.is_none() { REMOVED } else { 0 };
    out.push(flags);
    encode_varint(key.len() as u64, out);
    encode_varint(state_len.unwrap_or_default() as u64, out);
    for deadline in [watermark, log_time].into_iter().flatten() {
        out.extend_from_slice(&deadline.to_le_bytes());
    }
    out.extend_from_slice(key);
}

/// Reads the entry at the front of bytes nobody vouches for, and its length.
pub(crate) fn read(bytes: &[u8]) -> Result<(Entry<'_>, usize), StateError> {
    let flags = *bytes.first().ok_or_else(|| damaged("an entry is cut short"))?;
    let shape = shape(bytes).ok_or_else(|| damaged("an entry is cut short"))?;
    let removed = flags & REMOVED != 0;
    if flags & !STORED != 0 || (removed && shape.end != shape.key.1) {
        return Err(damaged("an entry has flags of no meaning"));
    }
    let key =
        std::str::from_utf8(&bytes[shape.key.0..shape.key.1]).map_err(|_| damaged("a key is no text"))?;
    let state = (!removed).then(|| &bytes[shape.key.1..shape.end]);
    Ok((Entry { key, state, deadlines: shape.deadlines }, shape.end))
}

/// Where the parts of the entry at the front lie; `None` when the bytes end before it does.
#[inline]
pub(super) fn shape(bytes: &[u8]) -> Option<Shape> {
    let (&flags, mut rest) = bytes.split_first()?;
    let key_len = usize::try_from(short_varint(&mut rest)?).ok()?;
    let state_len = usize::try_from(short_varint(&mut rest)?).ok()?;
    let watermark = if flags & WATERMARK != 0 { Some(deadline(&mut rest)?) } else { None };
    let log_time = if flags & LOG_TIME != 0 { Some(deadline(&mut rest)?) } else { None };
    let start = bytes.len() - rest.len();
    let key_end = start.checked_add(key_len)?;
    let end = key_end.checked_add(state_len)?;
    (end <= bytes.len()).then_some(Shape {
        deadlines: Deadlines { watermark, log_time },
        key: (start, key_end),
        end,
    })
}

/// Most lengths are one byte.
#[inline]
fn short_varint(rest: &mut &[u8]) -> Option<u64> {
    match rest.split_first() {
        Some((&byte, after)) if byte < 0x80 => {
            *rest = after;
            Some(u64::from(byte))
        }
        _ => decode_varint(rest).ok(),
    }
}

fn deadline(rest: &mut &[u8]) -> Option<Millis> {
    let (bytes, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(Millis::from_le_bytes(*bytes))
}

fn damaged(what: &str) -> StateError {
    StateError::Damaged(what.to_owned())
}
