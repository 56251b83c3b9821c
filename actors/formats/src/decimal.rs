//! Decimal numbers as they stand in messages and files, made whole without a float in between.

use crate::limits::EXPONENT;

/// A number that was read, in units of the place asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaled {
    /// Rounded half away from zero.
    pub value: i64,
    /// Nothing was rounded away.
    pub is_exact: bool,
}

/// Reads `12`, `12.5`, `.5`, `-0.25`, `1.5E7` as so many units of the `places`-th decimal. None: no such number, or one too large.
pub fn scaled(text: &str, places: u32) -> Option<Scaled> {
    let (mantissa, shift) = match text.find(['e', 'E']) {
        None => (text, 0),
        Some(at) => (&text[..at], exponent(&text[at + 1..])?),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !is_number(whole) || !is_number(part) {
        return None;
    }
    // So many digits, from the first on, stand before the unit's point.
    let kept = whole.len() as i64 + i64::from(places) + i64::from(shift);
    let mut value: i64 = 0;
    let mut is_exact = true;
    let mut next = None;
    for (place, digit) in whole.bytes().chain(part.bytes()).enumerate() {
        if (place as i64) < kept {
            value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        } else {
            if place as i64 == kept {
                next = Some(digit);
            }
            is_exact &= digit == b'0';
        }
    }
    for _ in (whole.len() + part.len()) as i64..kept {
        value = value.checked_mul(10)?;
    }
    if next.is_some_and(|digit| digit >= b'5') {
        value = value.checked_add(1)?;
    }
    Some(Scaled { value: if negative { -value } else { value }, is_exact })
}

fn exponent(text: &str) -> Option<i32> {
    let text = text.strip_prefix('+').unwrap_or(text);
    text.parse().ok().filter(|exponent| (-EXPONENT..=EXPONENT).contains(exponent))
}

/// Writes so many units of the `places`-th decimal as a plain number: `1234` of the second as `12.34`.
pub fn write(value: i64, places: u32, out: &mut Vec<u8>) {
    use std::io::Write as _;
    let unit = 10_u64.pow(places);
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let written = match places {
        0 => write!(out, "{sign}{size}"),
        _ => write!(out, "{sign}{}.{:0width$}", size / unit, size % unit, width = places as usize),
    };
    debug_assert!(written.is_ok(), "memory takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_whole_units_exactly() {
        for (text, places, value, is_exact) in [
            ("12.34", 2, 1_234, true),
            ("12.3", 2, 1_230, true),
            ("12", 2, 1_200, true),
            ("12.", 2, 1_200, true),
            (".5", 2, 50, true),
            ("-0.25", 2, -25, true),
            ("+7", 0, 7, true),
            ("0.1", 3, 100, true),
            ("12.3400", 2, 1_234, true),
            ("12.345", 2, 1_235, false),
            ("12.344", 2, 1_234, false),
            ("-12.345", 2, -1_235, false),
            ("1.29", 2, 129, true),
            ("4503599627370497.5", 2, 450_359_962_737_049_750, true),
            ("1.23456789E7", 2, 1_234_567_890, true),
            ("1e3", 0, 1_000, true),
            ("1.5e-1", 2, 15, true),
            ("59.970000000000006", 2, 5_997, false),
            ("4e-3", 2, 0, false),
            ("5e-3", 2, 1, false),
            ("5e-4", 2, 0, false),
            ("99e-4", 2, 1, false),
        ] {
            assert_eq!(scaled(text, places), Some(Scaled { value, is_exact }), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "1e",
            "e3",
            "1e99",
            "1e-99",
            "1,5",
            "0x10",
            "12 ",
            "NaN",
            "--1",
            "1.2.3",
            "1e1.5",
            "92233720368547758.08",
            "1e40",
        ] {
            assert_eq!(scaled(text, 2), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (value, places, text) in
            [(1_234, 2, "12.34"), (-5, 2, "-0.05"), (7, 0, "7"), (1_000, 3, "1.000"), (0, 2, "0.00")]
        {
            let mut out = Vec::new();
            write(value, places, &mut out);
            assert_eq!(out, text.as_bytes());
            assert_eq!(scaled(text, places), Some(Scaled { value, is_exact: true }));
        }
    }
}
