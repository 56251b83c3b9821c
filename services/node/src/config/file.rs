//! The file's layer: values with the line each stands on.

use std::path::Path;

use toml::de::DeTable;
use toml::{Table, Value};

/// A key of a file: `section.key`, its value and its line.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) line: usize,
}

/// Reads a file. Keys of more or fewer than two levels come as they are written: they are then unknown.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    entries(&text)
}

pub(super) fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let values: Table =
        text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let spans = DeTable::parse(text).map_err(|error| error.to_string())?;
    let line = |section: &str, key: Option<&str>| {
        let (name, value) = spans.get_ref().get_key_value(section)?;
        let inner = key.and_then(|key| value.get_ref().as_table()?.get_key_value(key));
        let start = inner.map_or(name, |(name, _)| name).span().start;
        Some(text[..start].matches('\n').count() + 1)
    };
    let mut found = Vec::new();
    for (section, value) in values {
        let Value::Table(keys) = value else {
            let line = line(&section, None).unwrap_or(1);
            found.push(Entry { key: section, value, line });
            continue;
        };
        for (key, value) in keys {
            let line = line(&section, Some(&key)).unwrap_or(1);
            found.push(Entry { key: format!("{section}.{key}"), value, line });
        }
    }
    Ok(found)
}
