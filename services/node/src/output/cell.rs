//! One value of the API's JSON as a person reads it in a table.

use serde_json::Value;
use souk_model::money::Currency;

/// What stands where there is nothing.
pub(crate) const NOTHING: &str = "-";

/// A value on one line.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) => string(text),
        Value::Array(items) => {
            // Texts of a list are names, even where one looks like a duration: the window 1s.
            let item = |item: &Value| item.as_str().map_or_else(|| text(item), str::to_owned);
            let items: Vec<_> = items.iter().map(item).collect();
            if items.is_empty() { NOTHING.to_owned() } else { items.join(", ") }
        }
        Value::Object(fields) => object(value).unwrap_or_else(|| {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
            fields.join(" ")
        }),
        other => other.to_string(),
    }
}

/// Messages with a way of their own: money, key sets, and whatever is known by its name. A key set without dimensions is everything.
fn object(value: &Value) -> Option<String> {
    if value.as_object().is_some_and(serde_json::Map::is_empty) {
        return Some("all".to_owned());
    }
    if value.get("currencyCode").is_some() {
        return Some(money(value));
    }
    if let Some(dimensions) = value.get("dimensions") {
        return Some(format!("by {}", text(dimensions)));
    }
    value.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn string(text: &str) -> String {
    if is_time(text) {
        return format!("{} {}", date(text), clock(text));
    }
    if let Some((_, value)) = text.split_once('_').filter(|(prefix, _)| matches!(*prefix, "STATE" | "STAGE"))
    {
        return value.to_lowercase().replace('_', " ");
    }
    match seconds(text) {
        Some(seconds) => duration(seconds),
        None if is_number(text) => grouped(text),
        None => text.to_owned(),
    }
}

/// A duration as proto3 JSON has it: `0.500s`.
pub(crate) fn seconds(text: &str) -> Option<f64> {
    text.strip_suffix('s').filter(|number| is_decimal(number))?.parse().ok()
}

/// Three figures and a unit, for people.
fn duration(seconds: f64) -> String {
    match seconds {
        ..0.001 => format!("{:.0} µs", seconds * 1e6),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..120.0 => format!("{seconds:.1} s"),
        ..7_200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

/// Whether a cell stands at the right.
pub(crate) fn is_figure(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => is_number(text) || seconds(text).is_some(),
        Value::Object(fields) => fields.contains_key("currencyCode"),
        _ => false,
    }
}

/// 64-bit integers are strings in proto3 JSON.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() < 20 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// `12843` as `12,843`.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let mut grouped = sign.to_owned();
    for (n, digit) in digits.char_indices() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `{"currencyCode": "EUR", "minorUnits": "1284300"}` as `12,843.00 EUR`.
pub(crate) fn money(value: &Value) -> String {
    let code = value["currencyCode"].as_str().unwrap_or_default();
    let Some(minor) = value["minorUnits"].as_str().and_then(|text| text.parse::<i64>().ok()) else {
        return NOTHING.to_owned();
    };
    let exponent = Currency::parse(code).map_or(0, Currency::exponent);
    let one = 10_u64.pow(exponent);
    let sign = if minor < 0 { "-" } else { "" };
    let units = grouped(&(minor.unsigned_abs() / one).to_string());
    let rest = minor.unsigned_abs() % one;
    match exponent {
        0 => format!("{sign}{units} {code}"),
        _ => format!("{sign}{units}.{rest:0width$} {code}", width = exponent as usize),
    }
}

/// A timestamp as proto3 JSON has it.
pub(crate) fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.is_ascii() && bytes.len() >= 20 && bytes[10] == b'T' && bytes[13] == b':' && text.ends_with('Z')
}

/// The day of a timestamp.
pub(crate) fn date(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// The time of day, to the second.
pub(crate) fn clock(time: &str) -> &str {
    time.get(11..19).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_as_a_person_writes_them() {
        for (value, expected) in [
            (json!("1284300"), "1,284,300"),
            (json!("-1294"), "-1,294"),
            (json!("207"), "207"),
            (json!({"currencyCode": "EUR", "minorUnits": "1284305"}), "12,843.05 EUR"),
            (json!({"currencyCode": "JPY", "minorUnits": "-500"}), "-500 JPY"),
            (json!("2026-11-21T10:02:41.350Z"), "2026-11-21 10:02:41"),
            (json!("STATE_CATCHING_UP"), "catching up"),
            (json!("0.000004366s"), "4 µs"),
            (json!("14.813s"), "14.8 s"),
            (json!("5400s"), "90.0 min"),
            (json!("mugs"), "mugs"),
            (json!(null), "-"),
            (json!([]), "-"),
            (json!(["5m", "day"]), "5m, day"),
            (json!([{"dimensions": ["product"]}, {}]), "by product, all"),
            (json!(["1s", "1m"]), "1s, 1m"),
            (json!("shards/users-17"), "shards/users-17"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
