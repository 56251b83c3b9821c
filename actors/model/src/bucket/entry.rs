//! One encoded actor: the same bytes idle in memory ([`super::arena`]) and stored in a segment ([`crate::cut::segment`]), so that loading
//! a base is copying it. Layout in `souk.state.v1.Block`. Deadlines stand beside the state, so that timers survive without decoding it.

use prost::encoding::{decode_varint, encode_varint};

use crate::actor::{Deadlines, StateError};
use crate::time::MINUTE;

const WATERMARK: u8 = 1;
const LOG_TIME: u8 = 2;
const REMOVED: u8 = 4;
/// The log-time deadline is a whole minute, as that of forgetting event ids always is, and is written in minutes.
const MINUTES: u8 = 64;
/// Flags a segment may hold. The other bits are the arena's own.
const STORED: u8 = WATERMARK | LOG_TIME | REMOVED | MINUTES;

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
    let flag = |bit: u8, set: bool| if set { bit } else { 0 };
    out.push(
        flag(WATERMARK, watermark.is_some())
            | flag(LOG_TIME, log_time.is_some())
            | flag(MINUTES, log_time.is_some_and(|at| at % MINUTE == 0))
            | flag(REMOVED, state_len.is_none()),
    );
    encode_varint(key.len() as u64, out);
    encode_varint(state_len.unwrap_or_default() as u64, out);
    if let Some(watermark) = watermark {
        encode_varint(zigzag(watermark), out);
    }
    if let Some(log_time) = log_time {
        let unit = if log_time % MINUTE == 0 { MINUTE } else { 1 };
        let base = watermark.unwrap_or(0).div_euclid(unit);
        encode_varint(zigzag((log_time / unit).wrapping_sub(base)), out);
    }
    out.extend_from_slice(key);
}

/// Reads the entry at the front of bytes nobody vouches for, and its length.
pub(crate) fn read(bytes: &[u8]) -> Result<(Entry<'_>, usize), StateError> {
    let flags = *bytes.first().ok_or_else(|| damaged("an entry is cut short"))?;
    let shape = shape(bytes).ok_or_else(|| damaged("an entry is cut short"))?;
    let removed = flags & REMOVED != 0;
    if flags & !STORED != 0 || (removed && (shape.end != shape.key.1 || flags != REMOVED)) {
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
    let watermark =
        if flags & WATERMARK != 0 { Some(unzigzag(decode_varint(&mut rest).ok()?)) } else { None };
    let log_time = if flags & LOG_TIME != 0 {
        let unit = if flags & MINUTES != 0 { MINUTE } else { 1 };
        let base = watermark.unwrap_or(0).div_euclid(unit);
        Some(unzigzag(decode_varint(&mut rest).ok()?).wrapping_add(base).checked_mul(unit)?)
    } else {
        None
    };
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

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn damaged(what: &str) -> StateError {
    StateError::Damaged(what.to_owned())
}
