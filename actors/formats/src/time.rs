//! Times as they stand in messages and files.

use std::str::FromStr as _;

use prost_types::Timestamp;

/// What a time that is a number counts since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Millis,
    Micros,
}

impl Unit {
    /// As a declaration has it: `s`, `ms`, `us`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "s" => Some(Self::Seconds),
            "ms" => Some(Self::Millis),
            "us" => Some(Self::Micros),
            _ => None,
        }
    }

    /// Digits after the point that a number of this unit may have down to the nanosecond.
    fn nanos(self) -> u32 {
        match self {
            Self::Seconds => 9,
            Self::Millis => 6,
            Self::Micros => 3,
        }
    }

    /// Reads a number of this unit, with decimals or without: `1714557600.123` seconds.
    pub fn read(self, number: &str) -> Option<Timestamp> {
        let nanos = crate::decimal::scaled(number, self.nanos())?.value;
        Some(Timestamp { seconds: nanos.div_euclid(NANOS), nanos: nanos.rem_euclid(NANOS) as i32 })
    }

    /// Writes a time as a whole number of this unit, rounded down.
    pub fn write(self, time: &Timestamp) -> i64 {
        let unit = 10_i64.pow(self.nanos());
        time.seconds.saturating_mul(NANOS / unit).saturating_add(i64::from(time.nanos) / unit)
    }
}

const NANOS: i64 = 1_000_000_000;

/// Reads `2024-05-01T10:00:00Z`, with an offset, or without one (UTC).
pub fn iso(text: &str) -> Option<Timestamp> {
    plain_iso(text.as_bytes()).or_else(|| Timestamp::from_str(text).ok())
}

/// The form nearly every tracker writes, `2024-05-01T10:00:00.123Z`, read without a look at any other.
fn plain_iso(text: &[u8]) -> Option<Timestamp> {
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T' | b' ',
        h0,
        h1,
        b':',
        i0,
        i1,
        b':',
        s0,
        s1,
        rest @ ..,
    ] = text
    else {
        return None;
    };
    let two = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let year = two(*y0, *y1)? * 100 + two(*y2, *y3)?;
    let (month, day) = (two(*m0, *m1)?, two(*d0, *d1)?);
    let (hour, minute, second) = (two(*h0, *h1)?, two(*i0, *i1)?, two(*s0, *s1)?);
    // What is left out here (leap seconds, days of short months) is the library's to judge.
    if year == 0
        || !(1..=12).contains(&month)
        || !(1..=28).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let (nanos, rest) = fraction(rest)?;
    let offset = match rest {
        b"" | b"Z" => 0,
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let (hours, minutes) = (two(*h0, *h1)?, two(*m0, *m1)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3_600 + minutes * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(Timestamp { seconds, nanos })
}

/// Nanoseconds after the point, if there is one, and what follows them.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let number = digits[..count].iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0'));
    Some((number * 10_i32.pow(9 - count as u32), &digits[count..]))
}

/// Days since 1970 of a date of the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Reads a time as files have them: ISO 8601, or seconds or milliseconds since 1970; as milliseconds.
pub fn millis(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        // Up to the year 5138 seconds have eleven digits, and milliseconds have more since 1973.
        return Some(if text.len() <= 11 { number * 1_000 } else { number });
    }
    of(&iso(text)?)
}

/// A timestamp of the API in milliseconds, rounded down as the node does.
pub fn of(time: &Timestamp) -> Option<i64> {
    time.seconds.checked_mul(1_000)?.checked_add(i64::from(time.nanos).div_euclid(1_000_000))
}

/// Milliseconds since 1970 as the API has them.
pub fn timestamp(millis: i64) -> Timestamp {
    Timestamp { seconds: millis.div_euclid(1_000), nanos: (millis.rem_euclid(1_000) * 1_000_000) as i32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_trackers_write_them() {
        for (text, expected) in [
            ("2024-05-01T10:00:00Z", 1_714_557_600_000),
            ("2024-05-01T10:00:00.123Z", 1_714_557_600_123),
            ("2024-05-01T12:00:00+02:00", 1_714_557_600_000),
            ("2024-05-01T04:30:00.5-05:30", 1_714_557_600_500),
            ("2024-05-01T10:00:00", 1_714_557_600_000),
            ("2024-05-01 10:00:00", 1_714_557_600_000),
            ("2024-05-01T10:00:00.123456", 1_714_557_600_123),
            ("2024-05-01T10:00:00.123456+00:00", 1_714_557_600_123),
            ("1714557600", 1_714_557_600_000),
            ("1714557600123", 1_714_557_600_123),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for text in [
            "yesterday",
            "2024-13-01T00:00:00Z",
            "10:00",
            "2024-02-30T00:00:00Z",
            "2024-05-01T10:00:00+99:00",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn the_fast_way_and_the_librarys_agree() {
        for (year, month) in
            [(1, 1), (1900, 3), (1969, 12), (1970, 1), (2000, 2), (2024, 2), (2100, 3), (9999, 12)]
        {
            for day in [1, 15, 28] {
                let text = format!("{year:04}-{month:02}-{day:02}T23:59:58.25Z");
                assert_eq!(plain_iso(text.as_bytes()), Timestamp::from_str(&text).ok(), "{text}");
            }
        }
        assert_eq!(iso("2024-02-29T00:00:00Z"), Timestamp::from_str("2024-02-29T00:00:00Z").ok());
    }

    #[test]
    fn numbers_are_times_by_their_unit() {
        let time = timestamp(1_714_557_600_123);
        for (unit, number, written) in [
            (Unit::Seconds, "1714557600.123", 1_714_557_600),
            (Unit::Millis, "1714557600123", 1_714_557_600_123),
            (Unit::Micros, "1714557600123000", 1_714_557_600_123_000),
        ] {
            assert_eq!(unit.read(number), Some(time), "{number}");
            assert_eq!(unit.write(&time), written);
        }
        assert_eq!(Unit::Micros.read("9999999999999999999"), None);
    }
}
