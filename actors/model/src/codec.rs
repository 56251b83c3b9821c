//! Canonical bytes of stored states: one value, one encoding. What users, products and what they remember are written in.
//!
//! Small before all: there are millions of idle users. Numbers are varints, times differences to the time before. [`Reader`] takes any
//! bytes at all: it never panics, reads no number that could have been written shorter, and allocates no more than the bytes it was
//! given can fill.

use crate::actor::StateError;
use crate::money::{Currency, Money};
use crate::time::{MINUTE, Millis, SECOND};

/// Appends a state to a buffer. An actor's times lie close together: each is written as the difference to the one before.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    time: Millis,
    /// Where they lie in the buffer, and how long they are.
    words: Words<(usize, usize)>,
}

impl<'a> Writer<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, time: 0, words: Words::default() }
    }

    pub fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub fn flag(&mut self, flag: bool) {
        self.byte(flag.into());
    }

    /// An unsigned number, seven bits a byte, least first.
    pub fn uint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    /// A signed number, small magnitudes short.
    pub fn int(&mut self, value: i64) {
        self.uint(((value << 1) ^ (value >> 63)) as u64);
    }

    pub fn count(&mut self, count: usize) {
        self.uint(count as u64);
    }

    /// A number any of whose bits may be set, such as a hash.
    pub fn fixed64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A text that may well stand in this state already: then only which it was is written.
    pub fn word(&mut self, word: &str) {
        let bytes = word.as_bytes();
        let same = |(start, len): (usize, usize)| &self.out[start..start + len] == bytes;
        if let Some(place) = self.words.find(bytes, same) {
            return self.uint((place as u64) << 1 | 1);
        }
        self.uint((bytes.len() as u64) << 1);
        self.words.add(bytes, (self.out.len(), bytes.len()));
        self.out.extend_from_slice(bytes);
    }

    pub fn time(&mut self, time: Millis) {
        self.int(time.wrapping_sub(self.time));
        self.time = time;
    }

    /// A minute since the epoch: the time that comes next is written against its start.
    pub fn minute(&mut self, minute: i64) {
        self.int(minute);
        self.time = minute.wrapping_mul(MINUTE);
    }

    /// A length of time out of the settings, in the largest unit it is whole in: most take a byte or two.
    pub fn span(&mut self, span: Millis) {
        let (unit, length) = in_units(span);
        self.uint(length << 2 | unit);
        if unit == 3 {
            self.int(span);
        }
    }

    /// A value that may be absent: a byte that says so, then the value.
    pub fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            put(self, value);
        }
    }

    /// The letters of a currency, five bits each, never its place in a table.
    pub fn currency(&mut self, currency: Currency) {
        let letters = currency.code().bytes();
        let packed = letters.fold(0_u16, |packed, letter| (packed << 5) | u16::from(letter - b'A'));
        self.out.extend_from_slice(&packed.to_le_bytes());
    }

    pub fn money(&mut self, money: Money) {
        self.currency(money.currency);
        self.int(money.minor);
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    time: Millis,
    words: Words<&'a str>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, time: 0, words: Words::default() }
    }

    /// Reads the version byte a state begins with: 1 up to `newest`.
    pub fn version(&mut self, newest: u8) -> Result<u8, StateError> {
        match self.byte()? {
            0 => Err(damaged("format 0")),
            found if found > newest => Err(StateError::Newer { found, newest }),
            found => Ok(found),
        }
    }

    pub fn byte(&mut self) -> Result<u8, StateError> {
        Ok(self.take(1)?[0])
    }

    pub fn flag(&mut self) -> Result<bool, StateError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged("a flag is neither 0 nor 1")),
        }
    }

    pub fn fixed64(&mut self) -> Result<u64, StateError> {
        let mut word = [0; 8];
        word.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(word))
    }

    pub fn uint(&mut self) -> Result<u64, StateError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(damaged("a number is too large"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                let overlong = byte == 0 && shift > 0;
                return if overlong { Err(damaged("a number is written too long")) } else { Ok(value) };
            }
        }
        Err(damaged("a number has no end"))
    }

    pub fn int(&mut self) -> Result<i64, StateError> {
        let value = self.uint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub fn uint32(&mut self) -> Result<u32, StateError> {
        u32::try_from(self.uint()?).map_err(|_| damaged("a number is too large"))
    }

    /// Reads how many elements follow that take at least a byte each: at most `most`, and no more than there are bytes left for.
    pub fn count(&mut self, most: usize) -> Result<usize, StateError> {
        match usize::try_from(self.uint()?) {
            Ok(count) if count <= most && count <= self.rest.len() => Ok(count),
            _ => Err(damaged("more elements than there can be")),
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], StateError> {
        let length = self.count(usize::MAX)?;
        self.take(length)
    }

    pub fn text(&mut self) -> Result<&'a str, StateError> {
        as_text(self.bytes()?)
    }

    pub fn word(&mut self) -> Result<&'a str, StateError> {
        let head = self.uint()?;
        let number = usize::try_from(head >> 1).map_err(|_| damaged("a word is too long"))?;
        if head & 1 == 1 {
            return self.words.get(number).ok_or_else(|| damaged("a word that did not come before"));
        }
        let word = as_text(self.take(number)?)?;
        if self.words.find(word.as_bytes(), |known| known == word).is_some() {
            return Err(damaged("a word stands twice"));
        }
        self.words.add(word.as_bytes(), word);
        Ok(word)
    }

    pub fn time(&mut self) -> Result<Millis, StateError> {
        self.time = self.time.wrapping_add(self.int()?);
        Ok(self.time)
    }

    pub fn minute(&mut self) -> Result<i64, StateError> {
        let minute = self.int()?;
        self.time = minute.wrapping_mul(MINUTE);
        Ok(minute)
    }

    pub fn span(&mut self) -> Result<Millis, StateError> {
        let written = self.uint()?;
        let (unit, length) = (written & 3, written >> 2);
        let span = match unit {
            0 => (length as i64).checked_mul(MINUTE),
            1 => (length as i64).checked_mul(SECOND),
            2 => Some(length as i64),
            _ => self.int().ok().filter(|_| length == 0),
        };
        let known = span.filter(|span| in_units(*span) == (unit, length));
        known.ok_or_else(|| damaged("a length of time is written otherwise"))
    }

    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, StateError>,
    ) -> Result<Option<T>, StateError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub fn currency(&mut self) -> Result<Currency, StateError> {
        let packed = u16::from_le_bytes([self.byte()?, self.byte()?]);
        let letters = [10, 5, 0].map(|shift| b'A' + (packed >> shift & 31) as u8);
        let known =
            std::str::from_utf8(&letters).ok().and_then(Currency::parse).filter(|_| packed >> 15 == 0);
        known.ok_or_else(|| damaged("not a currency"))
    }

    pub fn money(&mut self) -> Result<Money, StateError> {
        Ok(Money { currency: self.currency()?, minor: self.int()? })
    }

    /// Takes what is still to be read.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Nothing may follow the last field.
    pub fn end(&self) -> Result<(), StateError> {
        if self.rest.is_empty() { Ok(()) } else { Err(damaged("bytes follow the end")) }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], StateError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Words that later ones may refer to: a person's cart, journey and orders are about the same few things.
const WORDS: usize = 32;
/// A shorter word is written again: that costs no more than a reference.
const WORTH_KNOWING: usize = 2;

/// The first words of a state.
#[derive(Debug, Clone, Default)]
struct Words<W> {
    /// All compared at once, before any word is.
    tags: [u32; WORDS],
    words: [W; WORDS],
    known: usize,
}

impl<W: Copy> Words<W> {
    /// Length and last bytes: ids of one kind begin alike.
    fn tag(word: &[u8]) -> u32 {
        let mut last = [0; 4];
        let end = word.len().min(last.len());
        last[..end].copy_from_slice(&word[word.len() - end..]);
        u32::from_le_bytes(last) ^ (word.len() as u32) << 8
    }

    fn find(&self, word: &[u8], same: impl Fn(W) -> bool) -> Option<usize> {
        if word.len() < WORTH_KNOWING {
            return None;
        }
        let tag = Self::tag(word);
        let mut alike = 0_u32;
        for (place, known) in self.tags.iter().enumerate() {
            alike |= u32::from(*known == tag) << place;
        }
        while alike != 0 {
            let place = alike.trailing_zeros() as usize;
            if place < self.known && same(self.words[place]) {
                return Some(place);
            }
            alike &= alike - 1;
        }
        None
    }

    fn add(&mut self, word: &[u8], as_known: W) {
        if word.len() >= WORTH_KNOWING && self.known < WORDS {
            self.tags[self.known] = Self::tag(word);
            self.words[self.known] = as_known;
            self.known += 1;
        }
    }

    fn get(&self, place: usize) -> Option<W> {
        self.words[..self.known].get(place).copied()
    }
}

/// A state whose bytes cannot be what an encoder wrote.
pub fn damaged(what: &str) -> StateError {
    StateError::Damaged(what.to_owned())
}

fn as_text(bytes: &[u8]) -> Result<&str, StateError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a text is not UTF-8"))
}

/// A length of time as minutes (0), seconds (1) or milliseconds (2); anything else stands behind a 3.
fn in_units(span: Millis) -> (u64, u64) {
    match u64::try_from(span) {
        Ok(span) if span % MINUTE as u64 == 0 => (0, span / MINUTE as u64),
        Ok(span) if span % SECOND as u64 == 0 => (1, span / SECOND as u64),
        Ok(span) if span < 1 << 61 => (2, span),
        _ => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out));
        out
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(unsigned: u64, signed: i64, text: String, times: [i64; 2], minutes in -3..300_i64) {
            let spans = [times[0], minutes * MINUTE, minutes * SECOND, minutes];
            let out = written(|w| {
                w.uint(unsigned);
                w.int(signed);
                w.text(&text);
                times.iter().for_each(|time| w.time(*time));
                w.minute(minutes);
                w.time(signed);
                spans.iter().for_each(|span| w.span(*span));
            });
            let mut r = Reader::new(&out);
            prop_assert_eq!((r.uint(), r.int(), r.text()), (Ok(unsigned), Ok(signed), Ok(text.as_str())));
            prop_assert_eq!([r.time(), r.time()], times.map(Ok));
            prop_assert_eq!((r.minute(), r.time()), (Ok(minutes), Ok(signed)));
            prop_assert_eq!([r.span(), r.span(), r.span(), r.span()], spans.map(Ok));
            prop_assert_eq!(r.end(), Ok(()));
        }

        #[test]
        fn what_is_read_is_what_was_written(bytes: Vec<u8>) {
            if let Ok(value) = Reader::new(&bytes).uint() {
                prop_assert!(bytes.starts_with(&written(|w| w.uint(value))));
            }
            if let Ok(span) = Reader::new(&bytes).span() {
                prop_assert!(bytes.starts_with(&written(|w| w.span(span))));
            }
            if let Ok(currency) = Reader::new(&bytes).currency() {
                prop_assert!(bytes.starts_with(&written(|w| w.currency(currency))));
            }
        }
    }

    #[test]
    fn a_word_is_written_once() {
        let words: Vec<String> = (0..2 * WORDS).map(|n| format!("word {}", n / 2)).collect();
        let out = written(|w| words.iter().chain(&words).for_each(|word| w.word(word)));
        let mut r = Reader::new(&out);
        assert!(words.iter().chain(&words).all(|word| r.word() == Ok(word)));
        assert_eq!(r.end(), Ok(()));
        assert_eq!(out.windows(7).filter(|bytes| bytes.ends_with(b"word 7")).count(), 1);
    }

    #[test]
    fn what_no_writer_wrote_is_damaged() {
        assert!(Reader::new(&[0x80, 0x00]).uint().is_err(), "overlong");
        assert!(Reader::new(&[0xff; 10]).uint().is_err(), "too large");
        assert!(Reader::new(&[0xff; 9]).uint().is_err(), "cut off");
        assert!(Reader::new(&[200, 1, b'a']).text().is_err(), "longer than the bytes");
        assert!(Reader::new(&[2]).flag().is_err());
        assert!(Reader::new(&[0b10]).span().is_err(), "no milliseconds are no minutes");
        assert!(Reader::new(&[1]).word().is_err(), "no word came before");
        let mut twice = Reader::new(b"\x04ab\x04ab");
        assert!(twice.word().is_ok() && twice.word().is_err(), "a word stands twice");
        assert_eq!(Reader::new(&[3]).version(2), Err(StateError::Newer { found: 3, newest: 2 }));
    }
}
