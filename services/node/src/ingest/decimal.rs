//! Decimal numbers as they stand in files, made whole without a float in between.

/// A number that was read, in units of the place asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    /// Rounded half away from zero.
    pub(super) value: i64,
    /// Nothing was rounded away.
    pub(super) is_exact: bool,
}

/// Reads `12`, `12.5`, `.5`, `-0.25` as so many units of the `places`-th decimal. None: no such number, or one too large.
pub(super) fn scaled(text: &str, places: u32) -> Option<Scaled> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !is_number(whole) || !is_number(part) {
        return None;
    }
    let places = places as usize;
    let (kept, rest) = part.split_at(part.len().min(places));
    let mut value: i64 = 0;
    let zeros = std::iter::repeat_n(b'0', places - kept.len());
    for digit in whole.bytes().chain(kept.bytes()).chain(zeros) {
        value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    if rest.bytes().next().is_some_and(|digit| digit >= b'5') {
        value = value.checked_add(1)?;
    }
    let is_exact = rest.bytes().all(|digit| digit == b'0');
    Some(Scaled { value: if negative { -value } else { value }, is_exact })
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
        ] {
            assert_eq!(scaled(text, places), Some(Scaled { value, is_exact }), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in ["", ".", "-", "1e3", "1,5", "0x10", "12 ", "NaN", "--1", "1.2.3", "92233720368547758.08"]
        {
            assert_eq!(scaled(text, 2), None, "{text}");
        }
    }
}
