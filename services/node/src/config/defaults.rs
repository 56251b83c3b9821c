//! The lowest layer: `default.toml`, embedded. Its sections, keys and comments are also the reference.

use toml::{Table, Value};

/// The file itself.
pub(crate) const TEXT: &str = include_str!("../../default.toml");

/// The file's values. It is part of the binary, and a test reads it.
pub(super) fn table() -> Table {
    TEXT.parse().expect("default.toml is TOML")
}

/// Every key, as `section.key`, with its default, in alphabetical order.
pub(super) fn keys() -> Vec<(String, Value)> {
    let sections =
        table().into_iter().filter_map(|(section, keys)| Some((section, keys.as_table()?.clone())));
    sections
        .flat_map(|(section, keys)| {
            keys.into_iter().map(move |(key, value)| (format!("{section}.{key}"), value))
        })
        .collect()
}
