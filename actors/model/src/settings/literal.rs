//! Values the settings write as text: `"90s"`, `"5m/1m"`, `"8.25%"`, `"5.99 EUR"`. Read exactly, without floats.

use crate::limits::WINDOW_STEPS;
use crate::metric::Window;
use crate::money::{Currency, MAX_AMOUNT, Money};
use crate::time::{DAY, HOUR, MINUTE, Millis, SECOND};

/// A year in a duration: 365 days.
const YEAR: Millis = 365 * DAY;
const SHORTEST_WINDOW: Millis = SECOND;
const LONGEST_WINDOW: Millis = 400 * DAY;

/// A whole number and a unit: `s m h d y`.
pub(super) fn duration(text: &str) -> Result<Millis, String> {
    let wrong = || "write a whole number and s, m, h, d or y, such as \"30m\"".to_owned();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "y" => YEAR,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(|| "is too long".to_owned())
}

/// A duration as the settings write it, in the largest unit that divides it.
pub(super) fn duration_text(length: Millis) -> String {
    let units = [(YEAR, "y"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m")];
    let (unit, name) =
        units.into_iter().find(|(unit, _)| length % unit == 0 && length > 0).unwrap_or((SECOND, "s"));
    format!("{}{name}", length / unit)
}

/// `total`, `day`, `week`, `month`, `SIZE` or `SIZE/STEP`.
pub(super) fn window(text: &str) -> Result<Window, String> {
    match text {
        "total" => return Ok(Window::Total),
        "day" => return Ok(Window::Day),
        "week" => return Ok(Window::Week),
        "month" => return Ok(Window::Month),
        _ => {}
    }
    let (size, step) = match text.split_once('/') {
        None => (window_span(text)?, None),
        Some((size, step)) => (window_span(size)?, Some(window_span(step)?)),
    };
    match step {
        None => Ok(Window::Tumbling { size }),
        Some(step) if step == size => {
            Err("a step as long as the window is the window without a step".to_owned())
        }
        Some(step) if size % step != 0 => Err("the step must divide the size".to_owned()),
        Some(step) if size / step > WINDOW_STEPS => {
            Err(format!("at most {WINDOW_STEPS} steps fit in a window"))
        }
        Some(step) => Ok(Window::Sliding { size, step }),
    }
}

fn window_span(text: &str) -> Result<Millis, String> {
    let wrong =
        |_| "write total, day, week, month, a size such as \"5m\", or size/step such as \"5m/1m\"".to_owned();
    let span = duration(text).map_err(wrong)?;
    if (SHORTEST_WINDOW..=LONGEST_WINDOW).contains(&span) {
        Ok(span)
    } else {
        Err("sizes and steps are 1s to 400d".to_owned())
    }
}

/// `"8.25%"` as basis points, at most two decimals.
pub(super) fn basis_points(text: &str) -> Result<i64, String> {
    let wrong = || "write a percentage with at most two decimals, such as \"8.25%\"".to_owned();
    let number = text.strip_suffix('%').ok_or_else(wrong)?;
    match decimal(number, 2).ok_or_else(wrong)? {
        points @ 0..=10_000 => Ok(points),
        _ => Err("must be 0% to 100%".to_owned()),
    }
}

/// `"5.99 EUR"` as minor units, at most as many decimals as the currency has.
pub(super) fn money(text: &str) -> Result<Money, String> {
    let wrong = || "write an amount and a currency, such as \"5.99 EUR\"".to_owned();
    let (number, code) = text.split_once(' ').ok_or_else(wrong)?;
    let currency = Currency::parse(code).ok_or_else(|| "use an ISO 4217 code, such as EUR".to_owned())?;
    let digits = currency.exponent();
    let minor =
        decimal(number, digits).ok_or_else(|| format!("write an amount with at most {digits} decimals"))?;
    if minor > MAX_AMOUNT {
        return Err(format!("must be 0 to {MAX_AMOUNT} minor units"));
    }
    Ok(Money { currency, minor })
}

/// `12.3` scaled by ten to the power of `digits`; none when it has more decimals, a sign or no digit before the point.
fn decimal(text: &str, digits: u32) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let decimals_given = u32::try_from(decimals.len()).ok()?;
    let has_point = text.contains('.');
    if !plain(whole) || !plain(decimals) || (has_point && decimals_given > digits) {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(10_i64.checked_pow(digits)?)?;
    let missing = digits.saturating_sub(decimals_given);
    whole.checked_add(decimals.parse::<i64>().ok()?.checked_mul(10_i64.checked_pow(missing)?)?)
}
