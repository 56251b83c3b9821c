//! One resource as lines of `path  value`: every field of the answer, greppable.

use serde_json::Value;

use super::cell;

/// All fields of a message, nested ones by their path.
pub(crate) fn of_message(value: &Value) -> String {
    let mut lines = Vec::new();
    collect(String::new(), value, &mut lines);
    let width = lines.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
    lines.into_iter().map(|(path, text)| format!("{path:width$}  {text}\n")).collect()
}

fn collect(path: String, value: &Value, lines: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) if fields.contains_key("currencyCode") => {
            lines.push((path, cell::money(value)))
        }
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| *name != "@type") {
                collect(below(name), value, lines);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (n, item) in items.iter().enumerate() {
                collect(below(&n.to_string()), item, lines);
            }
        }
        other => lines.push((path, cell::text(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_fields_stand_under_their_path() {
        let cart = json!({"name": "users/a/cart", "items": [{"quantity": 2, "subtotal": {"currencyCode": "EUR", "minorUnits": "5"}}]});
        assert_eq!(
            of_message(&cart),
            "items.0.quantity  2\nitems.0.subtotal  0.05 EUR\nname              users/a/cart\n"
        );
    }
}
