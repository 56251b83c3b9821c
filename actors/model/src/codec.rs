//! Canonical bytes of stored states: one value, one encoding. What hand-written encodings of actors are made of.
//!
//! Writers append to the buffer they are given. [`Reader`] takes any bytes at all: it never panics, reads no number that could
//! have been written shorter, and allocates no more than the bytes it was given can fill.

use crate::actor::StateError;
use crate::money::{Currency, Money};

/// Appends an unsigned number, seven bits a byte, least first.
pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, small magnitudes short.
pub fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, ((value << 1) ^ (value >> 63)) as u64);
}

pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_uint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a value that may be absent: a byte that says so, then the value.
pub fn put_option<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

/// Appends the currency's three letters, never its place in a table, and the amount.
pub fn put_money(out: &mut Vec<u8>, money: Money) {
    out.extend_from_slice(money.currency.code().as_bytes());
    put_int(out, money.minor);
}

/// Reads what the writers above wrote.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
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

    /// Reads how many elements follow: at most `most`, and no more than there are bytes left for.
    pub fn count(&mut self, most: usize) -> Result<usize, StateError> {
        let count = self.uint()?;
        match usize::try_from(count) {
            Ok(count) if count <= most && count <= self.bytes.len() => Ok(count),
            _ => Err(damaged("more elements than there can be")),
        }
    }

    pub fn text(&mut self) -> Result<&'a str, StateError> {
        let length = self.count(usize::MAX)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| damaged("a text is not UTF-8"))
    }

    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, StateError>,
    ) -> Result<Option<T>, StateError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub fn money(&mut self) -> Result<Money, StateError> {
        let code = std::str::from_utf8(self.take(3)?).ok();
        let currency = code.and_then(Currency::parse).ok_or_else(|| damaged("not a currency"))?;
        Ok(Money { currency, minor: self.int()? })
    }

    /// What is still to be read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Nothing may follow the last field.
    pub fn end(&self) -> Result<(), StateError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(damaged("bytes follow the end")) }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], StateError> {
        let (taken, rest) =
            self.bytes.split_at_checked(length).ok_or_else(|| damaged("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// A state whose bytes cannot be what an encoder wrote.
pub fn damaged(what: &str) -> StateError {
    StateError::Damaged(what.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(unsigned: u64, signed: i64, text: String) {
            let mut out = Vec::new();
            put_uint(&mut out, unsigned);
            put_int(&mut out, signed);
            put_text(&mut out, &text);
            let mut reader = Reader::new(&out);
            prop_assert_eq!((reader.uint(), reader.int(), reader.text()), (Ok(unsigned), Ok(signed), Ok(text.as_str())));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn a_number_read_is_the_number_written(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.uint() {
                let mut again = Vec::new();
                put_uint(&mut again, value);
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }

    #[test]
    fn what_no_writer_wrote_is_damaged() {
        assert!(Reader::new(&[0x80, 0x00]).uint().is_err(), "overlong");
        assert!(Reader::new(&[0xff; 10]).uint().is_err(), "too large");
        assert!(Reader::new(&[0xff; 9]).uint().is_err(), "cut off");
        assert!(Reader::new(&[200, 1, b'a']).text().is_err(), "longer than the bytes");
        assert!(Reader::new(&[2]).flag().is_err());
        assert_eq!(Reader::new(&[3]).version(2), Err(StateError::Newer { found: 3, newest: 2 }));
    }
}
