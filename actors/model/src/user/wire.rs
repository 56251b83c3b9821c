//! The bytes of a user's encoding: varints, times as differences, texts. Reading takes any bytes and never allocates more than they are.

use crate::actor::StateError;
use crate::money::Currency;
use crate::time::{MINUTE, Millis};

/// Stands before a length of time that is not a few whole minutes.
const ODD_SPAN: u8 = u8::MAX;

/// Writes a state. Times are written as the difference to the time before: an actor's times lie close together.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    time: Millis,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, time: 0 }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub(super) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.unsigned(count as u64);
    }

    pub(super) fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(super) fn fixed(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn time(&mut self, time: Millis) {
        self.signed(time.wrapping_sub(self.time));
        self.time = time;
    }

    pub(super) fn minute(&mut self, minute: i64) {
        self.signed(minute);
        self.time = minute.wrapping_mul(MINUTE);
    }

    /// A length of time out of the settings: up to four hours of whole minutes, as most are, take a byte.
    pub(super) fn span(&mut self, span: Millis) {
        match u8::try_from(span / MINUTE) {
            Ok(minutes) if span % MINUTE == 0 && minutes < ODD_SPAN => self.byte(minutes),
            _ => {
                self.byte(ODD_SPAN);
                self.signed(span);
            }
        }
    }

    /// The letters of a currency, five bits each.
    pub(super) fn currency(&mut self, currency: Currency) {
        let packed =
            currency.code().bytes().fold(0u16, |packed, letter| (packed << 5) | u16::from(letter - b'A'));
        self.out.extend_from_slice(&packed.to_le_bytes());
    }
}

/// Reads what [`Writer`] wrote.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    time: Millis,
}

pub(super) fn damaged<T>(what: &str) -> Result<T, StateError> {
    Err(StateError::Damaged(what.to_owned()))
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, time: 0 }
    }

    pub(super) fn rest(&mut self) -> &mut &'a [u8] {
        &mut self.rest
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, StateError> {
        let Some((first, rest)) = self.rest.split_first() else { return damaged("it ends early") };
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, StateError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        damaged("a number is too long")
    }

    /// A number of things that take at least a byte each: never more than `most`, nor than there are bytes.
    pub(super) fn count(&mut self, most: usize) -> Result<usize, StateError> {
        match usize::try_from(self.unsigned()?) {
            Ok(count) if count <= most && count <= self.rest.len() => Ok(count),
            _ => damaged("it says to hold more than it may"),
        }
    }

    pub(super) fn small(&mut self) -> Result<u32, StateError> {
        u32::try_from(self.unsigned()?).or_else(|_| damaged("a number is too large"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, StateError> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn fixed(&mut self) -> Result<u64, StateError> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<8>() else { return damaged("it ends early") };
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], StateError> {
        let len = self.count(usize::MAX)?;
        let (bytes, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<Box<str>, StateError> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text.into()),
            Err(_) => damaged("a text is not UTF-8"),
        }
    }

    pub(super) fn time(&mut self) -> Result<Millis, StateError> {
        self.time = self.time.wrapping_add(self.signed()?);
        Ok(self.time)
    }

    pub(super) fn minute(&mut self) -> Result<i64, StateError> {
        let minute = self.signed()?;
        self.time = minute.wrapping_mul(MINUTE);
        Ok(minute)
    }

    pub(super) fn span(&mut self) -> Result<Millis, StateError> {
        match self.byte()? {
            ODD_SPAN => self.signed(),
            minutes => Ok(i64::from(minutes) * MINUTE),
        }
    }

    pub(super) fn currency(&mut self) -> Result<Currency, StateError> {
        let packed = u16::from_le_bytes([self.byte()?, self.byte()?]);
        let letters = [10, 5, 0].map(|shift| b'A' + (packed >> shift & 31) as u8);
        match std::str::from_utf8(&letters).ok().and_then(Currency::parse) {
            Some(currency) => Ok(currency),
            None => damaged("a currency is unknown"),
        }
    }
}
