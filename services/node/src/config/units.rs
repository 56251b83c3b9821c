//! Durations and sizes with units: `5s`, `64MiB`. A number without a unit is refused: nobody should have to guess.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration as it is written in configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) Duration);

/// A number of bytes as it is written in configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

const DURATIONS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const SIZES: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A whole number and one of the units.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

/// The largest unit that says it without a fraction.
fn shortest(value: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let fits = units.iter().find(|(_, scale)| value >= *scale && value.is_multiple_of(*scale));
    let (unit, scale) = fits.or_else(|| units.last()).copied().unwrap_or(("", 1));
    write!(f, "{}{unit}", value / scale)
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let millis =
            scaled(text, &DURATIONS).ok_or("wants a duration with its unit, as 250ms, 5s, 30m, 24h or 7d")?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        scaled(text, &SIZES).map(Self).ok_or("wants a size with its unit, as 512B, 64KiB, 256MiB or 16GiB")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shortest(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &DURATIONS, f)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shortest(self.0, &SIZES, f)
    }
}

/// Reads a value from its text, or says what was wanted whatever else stood there.
fn from_text<'de, D: Deserializer<'de>, T: FromStr<Err = &'static str>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().map_err(serde::de::Error::custom)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_written_alike() {
        for text in ["250ms", "5s", "90s", "30m", "24h", "7d", "0ms"] {
            let read: Span = text.parse().expect(text);
            assert_eq!(read.to_string().parse(), Ok(read), "{text}");
        }
        assert_eq!("24h".parse::<Span>().map(|span| span.to_string()), Ok("1d".to_owned()));
        assert_eq!("64MiB".parse(), Ok(Size(64 << 20)));
        assert_eq!(Size(1536).to_string(), "1536B");
        assert_eq!(Size(16 << 30).to_string(), "16GiB");
    }

    #[test]
    fn a_number_without_its_unit_is_refused() {
        for text in
            ["5", "", "s", "-5s", "5 parsecs", "1.5s", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in ["64", "64MB", "MiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
