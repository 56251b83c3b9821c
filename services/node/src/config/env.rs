//! The environment's layer: `SOUK__SECTION__KEY`. Two underscores between levels, because keys have single ones. Whatever else an
//! orchestrator puts there (`SOUK_PORT=tcp://…` for a service named souk) is none of ours.

use std::ffi::OsString;

use toml::Value;

const PREFIX: &str = "SOUK__";

/// The process's environment, as far as it is text.
pub(crate) fn environment() -> Vec<(String, String)> {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// Key that a variable names: `listen.grpc` for `SOUK__LISTEN__GRPC`. Not ours: none.
pub(super) fn key(variable: &str) -> Option<String> {
    Some(variable.strip_prefix(PREFIX)?.to_lowercase().replace("__", "."))
}

/// Variable that names a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// The value a text stands for, by the kind of the key's default. One that does not read as such stays text, and the key then says
/// what it wants.
pub(super) fn value(text: &str, like: &Value) -> Value {
    let own = || Value::String(text.to_owned());
    match like {
        Value::Integer(_) => text.parse().map_or_else(|_| own(), Value::Integer),
        Value::Float(_) => text.parse().map_or_else(|_| own(), Value::Float),
        Value::Boolean(_) => text.parse().map_or_else(|_| own(), Value::Boolean),
        Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        _ => own(),
    }
}
