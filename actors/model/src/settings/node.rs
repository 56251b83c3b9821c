//! Walking a settings text: a value with the path it stands at. Each reader says what is wrong and goes on, so that one
//! pass finds every problem.

use toml::{Table, Value};

use crate::limits::{SETTINGS_NAME_BYTES, TEXT_BYTES};
use crate::settings::literal;
use crate::settings::problem::{Problems, shown};
use crate::time::Millis;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub(super) path: String,
    pub(super) value: &'t Value,
}

/// A table and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Section<'t> {
    pub(super) path: String,
    pub(super) table: &'t Table,
}

impl<'t> Section<'t> {
    pub(super) fn root(table: &'t Table) -> Self {
        Self { path: String::new(), table }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        let key = shown(key);
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn get(&self, key: &str) -> Option<Node<'t>> {
        self.table.get(key).map(|value| Node { path: self.path_of(key), value })
    }

    /// The value of a key that must be there.
    pub(super) fn need(&self, key: &str, problems: &mut Problems) -> Option<Node<'t>> {
        let found = self.get(key);
        if found.is_none() {
            problems.add(self.path_of(key), "is missing");
        }
        found
    }

    /// Every entry, by key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t str, Node<'t>)> + use<'t, '_> {
        self.table.iter().map(|(key, value)| (key.as_str(), Node { path: self.path_of(key), value }))
    }

    /// Reports every key that is not among `known`.
    pub(super) fn only(&self, known: &[&str], problems: &mut Problems) {
        for key in self.table.keys().filter(|key| !known.contains(&key.as_str())) {
            problems.unknown(self.path_of(key), "key", key, known.iter().copied());
        }
    }
}

impl<'t> Node<'t> {
    pub(super) fn section(&self, problems: &mut Problems) -> Option<Section<'t>> {
        match self.value {
            Value::Table(table) => Some(Section { path: self.path.clone(), table }),
            _ => self.expected("a table", problems),
        }
    }

    pub(super) fn list(&self, problems: &mut Problems) -> Option<Vec<Node<'t>>> {
        match self.value {
            Value::Array(values) => Some(self.items(values)),
            _ => self.expected("a list", problems),
        }
    }

    /// A list, or one value standing for a list of one.
    pub(super) fn one_or_more(&self) -> Vec<Node<'t>> {
        match self.value {
            Value::Array(values) => self.items(values),
            _ => vec![self.clone()],
        }
    }

    fn items(&self, values: &'t [Value]) -> Vec<Node<'t>> {
        let path = |place| format!("{}[{place}]", self.path);
        values.iter().enumerate().map(|(place, value)| Node { path: path(place), value }).collect()
    }

    /// A text of one line.
    pub(super) fn text(&self, problems: &mut Problems) -> Option<&'t str> {
        match self.value {
            Value::String(text) if text.len() > TEXT_BYTES => {
                problems.add(&self.path, format!("must be at most {TEXT_BYTES} bytes"));
                None
            }
            Value::String(text) if text.chars().any(char::is_control) => {
                problems.add(&self.path, "must not hold control characters");
                None
            }
            Value::String(text) => Some(text),
            _ => self.expected("a text", problems),
        }
    }

    pub(super) fn is_true(&self, problems: &mut Problems) -> Option<()> {
        match self.value {
            Value::Boolean(true) => Some(()),
            _ => self.expected("true", problems),
        }
    }

    pub(super) fn integer(&self, least: i64, most: i64, problems: &mut Problems) -> Option<i64> {
        match self.value {
            Value::Integer(number) if (least..=most).contains(number) => Some(*number),
            Value::Integer(_) => {
                problems.add(&self.path, format!("must be {least} to {most}"));
                None
            }
            _ => self.expected("a whole number", problems),
        }
    }

    pub(super) fn duration(&self, least: Millis, most: Millis, problems: &mut Problems) -> Option<Millis> {
        let length = self.parsed(literal::duration, problems)?;
        if !(least..=most).contains(&length) {
            let (least, most) = (literal::duration_text(least), literal::duration_text(most));
            problems.add(&self.path, format!("must be {least} to {most}"));
            return None;
        }
        Some(length)
    }

    /// A text read by `parse`.
    pub(super) fn parsed<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, String>,
        problems: &mut Problems,
    ) -> Option<T> {
        match parse(self.text(problems)?) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                problems.add(&self.path, message);
                None
            }
        }
    }

    fn expected<T>(&self, what: &str, problems: &mut Problems) -> Option<T> {
        problems.add(&self.path, format!("must be {what}"));
        None
    }
}

/// Whether a key may name a metric, a measure, a table or a column: `[a-z][a-z0-9_]{0,62}`.
pub(super) fn check_name(path: &str, name: &str, problems: &mut Problems) {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if !starts || !goes_on || name.len() > SETTINGS_NAME_BYTES {
        problems.add(path, "names are a lower-case letter, then at most 62 of a-z 0-9 _");
    }
}
