//! The layers laid over each other: flags over environment over file over defaults. Each value is tried by itself over the defaults,
//! so that every problem is found in one go and each is laid at the door it came through.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use souk_model::settings::nearest;
use toml::{Table, Value};

use super::{Config, check, defaults, env, file};

/// What the layers above the defaults are made from.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) file: Option<PathBuf>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) flags: Vec<Flag>,
}

/// A value given on the command line.
#[derive(Debug)]
pub(crate) struct Flag {
    /// `--listen`.
    pub(crate) name: &'static str,
    /// `listen.grpc`.
    pub(crate) key: &'static str,
    pub(crate) text: String,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Env(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(variable) => write!(f, "env {variable}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Something that keeps the node from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) origin: Origin,
    /// `listen.grpc`; empty for a whole file.
    pub(crate) key: String,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.key.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}  ({})", self.key, self.message, self.origin)
    }
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problems(pub(crate) Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.len();
        write!(f, "the configuration has {n} problem{}", if n == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// A configuration, where each of its values came from, and what is worth a word.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// By key, defaults included.
    pub(crate) values: BTreeMap<String, (Value, Origin)>,
    pub(crate) warnings: Vec<String>,
}

impl Loaded {
    pub(crate) fn origin(&self, key: &str) -> &Origin {
        self.values.get(key).map_or(&Origin::Default, |(_, origin)| origin)
    }
}

/// One value of a layer.
struct Given {
    key: String,
    value: Value,
    origin: Origin,
}

/// Lays the layers.
pub(crate) fn load(sources: Sources) -> Result<Loaded, Problems> {
    let known = BTreeMap::from_iter(defaults::keys());
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let given = [
        from_file(sources.file, &known, &mut problems),
        from_env(sources.env, &known, &mut warnings),
        from_flags(sources.flags, &known),
    ];

    let defaults = defaults::table();
    let mut table = defaults.clone();
    let mut values: BTreeMap<_, _> =
        known.into_iter().map(|(key, value)| (key, (value, Origin::Default))).collect();
    for Given { key, value, origin } in given.into_iter().flatten() {
        let mut alone = defaults.clone();
        set(&mut alone, &key, value.clone());
        match Config::deserialize(alone) {
            Ok(_) => {
                set(&mut table, &key, value.clone());
                values.insert(key, (value, origin));
            }
            Err(error) => problems.push(Problem { origin, key, message: error.message().trim().to_owned() }),
        }
    }
    let config = Config::deserialize(table).expect("each value was read by itself, and default.toml reads");
    problems.extend(check::problems(&config).into_iter().map(|(key, message)| {
        let origin = values.get(key).map_or(Origin::Default, |(_, origin)| origin.clone());
        Problem { origin, key: key.to_owned(), message }
    }));
    if problems.is_empty() { Ok(Loaded { config, values, warnings }) } else { Err(Problems(problems)) }
}

fn from_file(
    path: Option<PathBuf>,
    known: &BTreeMap<String, Value>,
    problems: &mut Vec<Problem>,
) -> Vec<Given> {
    let Some(path) = path else { return Vec::new() };
    let entries = match file::read(&path) {
        Ok(entries) => entries,
        Err(message) => {
            problems.push(Problem { origin: Origin::File { path, line: 1 }, key: String::new(), message });
            return Vec::new();
        }
    };
    let mut given = Vec::new();
    for file::Entry { key, value, line } in entries {
        let origin = Origin::File { path: path.clone(), line };
        if known.contains_key(&key) {
            given.push(Given { key, value, origin });
        } else {
            let message = format!("is no key of the configuration{}", suggestion(&key, known));
            problems.push(Problem { origin, key, message });
        }
    }
    given
}

fn from_env(
    variables: Vec<(String, String)>,
    known: &BTreeMap<String, Value>,
    warnings: &mut Vec<String>,
) -> Vec<Given> {
    let mut given = Vec::new();
    for (variable, text) in variables {
        let Some(key) = env::key(&variable) else { continue };
        match known.get(&key) {
            Some(like) => {
                let value = env::value(&text, like);
                given.push(Given { key, value, origin: Origin::Env(variable) });
            }
            None => {
                let near = nearest(&key, known.keys().map(String::as_str));
                let near =
                    near.map_or_else(String::new, |key| format!("; did you mean {}?", env::variable(key)));
                warnings.push(format!("{variable} names no key of the configuration and is ignored{near}"));
            }
        }
    }
    given
}

fn from_flags(flags: Vec<Flag>, known: &BTreeMap<String, Value>) -> Vec<Given> {
    let given = |Flag { name, key, text }: Flag| {
        let like = known.get(key).expect("flags stand for keys of default.toml");
        Given { key: key.to_owned(), value: env::value(&text, like), origin: Origin::Flag(name) }
    };
    flags.into_iter().map(given).collect()
}

/// A word on the key that may have been meant: one near as a whole, or of the same name in another section.
fn suggestion(key: &str, known: &BTreeMap<String, Value>) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let same = known.keys().find(|known| known.rsplit('.').next() == Some(last));
    let near = same.map(String::as_str).or_else(|| nearest(key, known.keys().map(String::as_str)));
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// Puts a value where its key says. Keys are known ones: two levels, and the section is there.
fn set(table: &mut Table, key: &str, value: Value) {
    let (section, name) = key.split_once('.').expect("known keys have two levels");
    let section = table.get_mut(section).and_then(Value::as_table_mut).expect("known keys have a section");
    section.insert(name.to_owned(), value);
}
