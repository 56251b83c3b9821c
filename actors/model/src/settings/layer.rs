//! Layers: the built-in settings with a user's laid over them, as one canonical text. That text stands in the log, so it
//! says everything: what it means does not depend on the build that reads it.

use toml::{Table, Value};

use crate::limits::SETTINGS_BYTES;
use crate::settings::fold::{CLOCK, ORDER_TIMEOUT};
use crate::settings::problem::{Problem, SettingsErrors};

/// The built-in catalogue and defaults.
pub const BUILTIN: &str = include_str!("builtin.toml");

/// Sections whose entries are tables of their own: laid over entry by entry, and within an entry key by key.
const NESTED: [&str; 2] = ["metric", "history"];

/// The canonical text of the built-in settings with `user` laid over them.
pub(super) fn layered(user: &str) -> Result<String, SettingsErrors> {
    let mut settings = table(BUILTIN)?;
    for (key, value) in table(user)? {
        if NESTED.contains(&key.as_str())
            && let (Some(Value::Table(under)), Value::Table(over)) = (settings.get_mut(&key), &value)
        {
            for (name, entry) in over {
                lay(under, name, entry.clone());
            }
        } else {
            lay(&mut settings, &key, value);
        }
    }
    if let Some(Value::Table(fold)) = settings.get_mut("fold") {
        for (key, value) in [("order_timeout", ORDER_TIMEOUT), ("clock", CLOCK)] {
            fold.entry(key).or_insert_with(|| Value::String(value.to_owned()));
        }
    }
    toml::to_string(&settings).map_err(|error| whole(error.to_string()))
}

/// One metric's entry of a text, as a text of its own.
pub(super) fn metric_entry(text: &str, name: &str) -> Option<String> {
    let mut settings = table(text).ok()?;
    let Some(Value::Table(mut metrics)) = settings.remove("metric") else { return None };
    let entry = Table::from_iter([(name.to_owned(), metrics.remove(name)?)]);
    toml::to_string(&Table::from_iter([("metric".to_owned(), Value::Table(entry))])).ok()
}

/// Lays a value over a key: tables key by key, anything else in place of what was there.
fn lay(under: &mut Table, key: &str, over: Value) {
    match (under.get_mut(key), over) {
        (Some(Value::Table(under)), Value::Table(over)) => under.extend(over),
        (_, over) => {
            under.insert(key.to_owned(), over);
        }
    }
}

/// Reads a text as TOML.
pub(super) fn table(text: &str) -> Result<Table, SettingsErrors> {
    if text.len() > SETTINGS_BYTES {
        return Err(whole(format!("settings are at most {SETTINGS_BYTES} bytes")));
    }
    text.parse::<Table>().map_err(|error| {
        let line =
            error.span().map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
        let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        whole(format!("{at}{}", error.message()))
    })
}

fn whole(message: String) -> SettingsErrors {
    SettingsErrors(vec![Problem { path: String::new(), message, near: None }])
}
