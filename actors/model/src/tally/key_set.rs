//! The key sets of a metric: which values of a fact name its row, and how the row's key is written.

use std::borrow::Cow;

use crate::fact::Fact;
use crate::limits::DIMENSIONS;
use crate::metric::Dimension;

/// What keys beyond `max_keys` count under.
pub const OTHER: &str = "other";
/// Between the values of a key's text.
const SEPARATOR: char = '\u{1f}';
/// Before a separator or itself within a value.
const ESCAPE: char = '\u{1b}';

#[derive(Debug)]
pub(crate) struct KeySet {
    pub dimensions: Vec<Dimension>,
    /// What follows the shop in its keys' texts: `/metric/place`.
    infix: String,
    /// What follows that in the key past `max_keys`.
    other: String,
}

/// The values of a key's dimensions.
pub(super) type Values<'a> = [&'a str; DIMENSIONS];

impl KeySet {
    pub(super) fn of(metric: &str, place: usize, dimensions: &[Dimension]) -> Self {
        Self {
            dimensions: dimensions.to_vec(),
            infix: format!("/{metric}/{place}"),
            other: dimensions.iter().flat_map(|_| [SEPARATOR.to_string(), OTHER.to_owned()]).collect(),
        }
    }

    /// The fact's own values of the dimensions, in as much of `values` as there are.
    #[inline]
    pub(super) fn read<'v, 'a>(&self, fact: &Fact<'a>, values: &'v mut Values<'a>) -> &'v [&'a str] {
        for (value, dimension) in values.iter_mut().zip(&self.dimensions) {
            *value = fact.text(dimension);
        }
        &values[..self.dimensions.len()]
    }

    /// Text of a key: `shop/metric/key set` and the values, each after a separator.
    pub(super) fn write_key(&self, shop: &str, values: &[&str], text: &mut String) {
        text.clear();
        text.push_str(shop);
        text.push_str(&self.infix);
        for value in values {
            text.push(SEPARATOR);
            push_value(text, value);
        }
    }

    /// Whether shop and values, as they are, make this key. Values that must be escaped make none: they are not recognised.
    #[inline]
    pub(super) fn makes(&self, shop: &str, values: &[&str], key: &[u8]) -> bool {
        let mut rest = Rest(key);
        if !(rest.takes(shop) && rest.takes(&self.infix)) {
            return false;
        }
        for value in values {
            if !(rest.takes_separator() && rest.takes(value)) {
                return false;
            }
        }
        rest.0.is_empty()
    }

    /// Whether this is the key facts count under past `max_keys`.
    #[inline]
    pub(super) fn makes_other(&self, shop: &str, key: &[u8]) -> bool {
        let mut rest = Rest(key);
        rest.takes(shop) && rest.takes(&self.infix) && rest.0 == self.other.as_bytes()
    }

    /// Text of the key facts count under past `max_keys`.
    pub(super) fn write_other(&self, shop: &str, text: &mut String) {
        text.clear();
        text.push_str(shop);
        text.push_str(&self.infix);
        text.push_str(&self.other);
    }

    /// Whether a key of this key set is the one facts count under past `max_keys`: when its values say so themselves, it takes no place.
    #[inline]
    pub(super) fn is_other(&self, shop: &str, key: &[u8]) -> bool {
        key.len() == shop.len() + self.infix.len() + self.other.len() && key.ends_with(self.other.as_bytes())
    }
}

/// What of a key was not recognised yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    #[inline]
    fn takes(&mut self, text: &str) -> bool {
        match self.0.split_at_checked(text.len()) {
            Some((first, rest)) if is_same(first, text.as_bytes()) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn takes_separator(&mut self) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == SEPARATOR as u8 => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}

/// Whether two texts of one length are the same. Most are short: a call would take longer than looking.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() > 16 {
        return a == b;
    }
    match (a.first_chunk::<8>(), a.last_chunk::<8>(), b.first_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a), Some(a_last), Some(b), Some(b_last)) => a == b && a_last == b_last,
        _ => match (a.first_chunk::<4>(), a.last_chunk::<4>(), b.first_chunk::<4>(), b.last_chunk::<4>()) {
            (Some(a), Some(a_last), Some(b), Some(b_last)) => a == b && a_last == b_last,
            _ => a.iter().zip(b).all(|(a, b)| a == b),
        },
    }
}

/// First and last bytes of a text of at most 16, which together are all of it.
#[inline]
fn ends(text: &[u8]) -> Option<(u64, u64)> {
    if text.len() > 16 {
        return None;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return Some((u64::from_le_bytes(*first), u64::from_le_bytes(*last)));
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        return Some((u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into()));
    }
    Some((text.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0))
}

/// Mixes a text into what becomes a tag. Only ever a guess hangs on it: it is quick rather than good.
#[inline]
pub(super) fn mix(tag: u64, text: &str) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |tag: u64, bytes: u64| (tag.rotate_left(23) ^ bytes).wrapping_mul(ODD);
    let bytes = text.as_bytes();
    if let Some((first, last)) = ends(bytes) {
        return step(step(tag, first ^ (bytes.len() as u64) << 56), last);
    }
    let last = bytes.last_chunk::<8>().map_or(0, |last| u64::from_le_bytes(*last));
    let eights = bytes.as_chunks::<8>().0.iter();
    eights.fold(step(tag, last), |tag, eight| step(tag, u64::from_le_bytes(*eight)))
}

pub(super) fn push_value(text: &mut String, value: &str) {
    // To the end whatever it finds: such a loop looks at many bytes at once.
    let special = |found: bool, byte: u8| found | (byte == SEPARATOR as u8) | (byte == ESCAPE as u8);
    if !value.bytes().fold(false, special) {
        text.push_str(value);
        return;
    }
    for character in value.chars() {
        match character {
            SEPARATOR => text.extend([ESCAPE, '1']),
            ESCAPE => text.extend([ESCAPE, '0']),
            other => text.push(other),
        }
    }
}

/// The values of a key's text after the first separator, as they were.
pub(super) fn read_values(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split(SEPARATOR).skip(1).map(|value| match value.contains(ESCAPE) {
        false => Cow::Borrowed(value),
        true => Cow::Owned(unescaped(value)),
    })
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE if characters.next() == Some('1') => out.push(SEPARATOR),
            ESCAPE => out.push(ESCAPE),
            other => out.push(other),
        }
    }
    out
}
