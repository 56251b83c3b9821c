//! Times as they stand in files.

use std::str::FromStr as _;

use prost_types::Timestamp;

/// Reads `2024-05-01T10:00:00Z`, with an offset, without one (UTC), or seconds or milliseconds since 1970; as milliseconds.
pub(super) fn millis(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        // Up to the year 5138 seconds have eleven digits, and milliseconds have more since 1973.
        return Some(if text.len() <= 11 { number * 1_000 } else { number });
    }
    of(&Timestamp::from_str(text).ok()?)
}

/// A timestamp of the API in milliseconds, rounded down as the node does.
pub(super) fn of(time: &Timestamp) -> Option<i64> {
    time.seconds.checked_mul(1_000)?.checked_add(i64::from(time.nanos).div_euclid(1_000_000))
}

/// Milliseconds since 1970 as the API has them.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp { seconds: millis.div_euclid(1_000), nanos: (millis.rem_euclid(1_000) * 1_000_000) as i32 }
}

/// A span of milliseconds in its two largest units: `12 d 4 h`.
pub(super) fn span(millis: i64) -> String {
    let seconds = millis.unsigned_abs() / 1_000;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(parts.len() - 1);
    let shown = parts[first..].iter().take(2).filter(|(count, unit)| *count > 0 || *unit == "s");
    shown.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
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
            ("2024-05-01T10:00:00", 1_714_557_600_000),
            ("2024-05-01 10:00:00", 1_714_557_600_000),
            ("2024-05-01T10:00:00.123456", 1_714_557_600_123),
            ("1714557600", 1_714_557_600_000),
            ("1714557600123", 1_714_557_600_123),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for text in ["yesterday", "2024-13-01T00:00:00Z", "10:00"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn spans_read_in_their_two_largest_units() {
        for (millis, text) in
            [(0, "0 s"), (61_000, "1 min 1 s"), (90_061_000, "1 d 1 h"), (86_400_000, "1 d")]
        {
            assert_eq!(span(millis), text);
        }
    }
}
