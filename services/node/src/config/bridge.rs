//! Bridges: a file each, named by `bridge.files`. Everything that is wrong with any of them is said at once, by file, line and field.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use souk_formats::Format;
use souk_journal_kafka::Start;
use souk_model::settings::nearest;
use toml::Value;

use super::check::{TOPIC, is_address, is_topic};
use super::{Config, adopt, file};
use crate::form;
use crate::limits::BRIDGES;

/// What is put behind a topic's name for the topic of its dead letters, unless that is named.
const DEAD_LETTERS: &str = "_dlq";
/// What a file may say.
const FIELDS: [&str; 6] = ["topic", "format", "currency", "start", "dead_letters", "brokers"];

/// A bridge as its file declares it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared {
    pub(crate) file: PathBuf,
    /// Where its topic is; unless the file says so, where the journals are.
    pub(crate) brokers: Vec<String>,
    pub(crate) topic: String,
    pub(crate) format: Arc<Format>,
    pub(crate) start: Start,
    pub(crate) dead_letters: String,
}

/// Something wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("names {named} files: a node runs {} bridges at most", BRIDGES)]
    TooMany { named: usize },
    #[error("{}: {why}", .file.display())]
    Unreadable { file: PathBuf, why: String },
    #[error("{}: {field}: is wanted: {wanted}", .file.display())]
    Missing { file: PathBuf, field: &'static str, wanted: &'static str },
    #[error("{}:{line}: {field}: {why}", .file.display())]
    Wrong { file: PathBuf, line: usize, field: String, why: String },
}

impl Config {
    /// The bridges a node runs.
    pub(crate) fn bridges(&self) -> Result<Vec<Declared>, Vec<Problem>> {
        let files = &self.bridge.files;
        if files.len() > BRIDGES {
            return Err(vec![Problem::TooMany { named: files.len() }]);
        }
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for path in files {
            match Sheet::read(path) {
                Ok(mut sheet) => {
                    let declared = sheet.declared(self, &found);
                    problems.append(&mut sheet.problems);
                    found.extend(declared);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }
}

/// A file's fields with their lines, and what is wrong with them so far.
struct Sheet<'a> {
    file: &'a Path,
    fields: BTreeMap<&'static str, (Value, usize)>,
    problems: Vec<Problem>,
}

impl<'a> Sheet<'a> {
    fn read(path: &'a Path) -> Result<Self, Problem> {
        let entries = file::read(path).map_err(|why| Problem::Unreadable { file: path.to_owned(), why })?;
        let mut sheet = Self { file: path, fields: BTreeMap::new(), problems: Vec::new() };
        for file::Entry { key, value, line } in entries {
            match FIELDS.into_iter().find(|field| *field == key) {
                Some(field) => drop(sheet.fields.insert(field, (value, line))),
                None => {
                    let near = nearest(&key, FIELDS).map(|near| format!("; did you mean {near}?"));
                    let why = format!("is no field of a bridge{}", near.unwrap_or_default());
                    sheet.wrong(line, &key, why);
                }
            }
        }
        Ok(sheet)
    }

    fn wrong(&mut self, line: usize, field: &str, why: impl Into<String>) {
        let (file, field, why) = (self.file.to_owned(), field.to_owned(), why.into());
        self.problems.push(Problem::Wrong { file, line, field, why });
    }

    /// A field that is there, as `read` has it of its text.
    fn text<T>(&mut self, field: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let (value, line) = self.fields.remove(field)?;
        match value.as_str().ok_or_else(|| "wants a text".to_owned()).and_then(read) {
            Ok(value) => Some(value),
            Err(why) => {
                self.wrong(line, field, why);
                None
            }
        }
    }

    /// The same for one that must be there.
    fn wanted<T>(
        &mut self,
        field: &'static str,
        wanted: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.fields.contains_key(field) {
            self.problems.push(Problem::Missing { file: self.file.to_owned(), field, wanted });
        }
        self.text(field, read)
    }

    /// The bridge, if all of it is as it must be.
    fn declared(&mut self, config: &Config, others: &[Declared]) -> Option<Declared> {
        let brokers = self.brokers(config);
        let topic =
            self.wanted("topic", "the topic of others that is read", |name| source(name, config, others));
        let format = self.wanted("format", "a format's name, or a TOML file that declares one", form::format);
        let currency = self.text("currency", adopt::currency);
        let start = self.text("start", adopt::start);
        let letters = self.text("dead_letters", |name| letters(name, config, others, topic.as_deref()));
        let (brokers, topic, format) = (brokers?, topic?, format?);
        let format = match currency {
            Some(currency) => Arc::new(format.with_currency(currency)),
            None => format,
        };
        let dead_letters = letters.unwrap_or_else(|| format!("{topic}{DEAD_LETTERS}"));
        if others.iter().any(|other| other.topic == dead_letters) {
            let (file, wanted) = (self.file.to_owned(), "the topic they would go to is bridged itself");
            self.problems.push(Problem::Missing { file, field: "dead_letters", wanted });
        }
        let (file, start) = (self.file.to_owned(), start.unwrap_or_default());
        Some(Declared { file, brokers, topic, format, start, dead_letters })
    }

    fn brokers(&mut self, config: &Config) -> Option<Vec<String>> {
        let Some((value, line)) = self.fields.remove("brokers") else {
            let own = &config.kafka.brokers;
            if own.is_empty() {
                let (file, wanted) =
                    (self.file.to_owned(), "as [\"kafka-1:9092\"], for kafka.brokers are not set");
                self.problems.push(Problem::Missing { file, field: "brokers", wanted });
            }
            return Some(own.clone()).filter(|own| !own.is_empty());
        };
        let told: Option<Vec<String>> =
            value.as_array().and_then(|all| all.iter().map(|one| one.as_str().map(str::to_owned)).collect());
        let told = told.filter(|all| !all.is_empty() && all.iter().all(|one| is_address(one)));
        if told.is_none() {
            self.wrong(line, "brokers", "wants a list of host:port");
        }
        told
    }
}

/// The name of a topic that holds nothing of ours.
fn foreign(name: &str, config: &Config) -> Result<String, String> {
    let kafka = &config.kafka;
    let own = [&kafka.users_topic, &kafka.products_topic, &kafka.members_topic];
    if !is_topic(name) {
        return Err(TOPIC.to_owned());
    }
    match own.iter().any(|own| *own == name) {
        true => Err("is a topic of the nodes' own; it wants one of others".to_owned()),
        false => Ok(name.to_owned()),
    }
}

/// The name of a topic to read.
fn source(name: &str, config: &Config, others: &[Declared]) -> Result<String, String> {
    let other = |is: fn(&Declared) -> &str| {
        others.iter().find(|other| is(other) == name).map(|other| other.file.display())
    };
    if let Some(file) = other(|other| &other.topic) {
        return Err(format!("is bridged by {file} already; a topic is bridged once"));
    }
    if let Some(file) = other(|other| &other.dead_letters) {
        return Err(format!("takes the dead letters of {file}; they would come round and round"));
    }
    foreign(name, config)
}

/// The name of a topic for dead letters of another.
fn letters(name: &str, config: &Config, others: &[Declared], topic: Option<&str>) -> Result<String, String> {
    let is_read = topic == Some(name) || others.iter().any(|other| other.topic == name);
    match is_read {
        true => Err("is bridged itself; dead letters would come round and round".to_owned()),
        false => foreign(name, config),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Flag, Sources, load};

    /// Bridges of these files, in a node that has brokers or not.
    fn bridges(files: &[(&str, &str)], brokers: bool) -> Result<Vec<Declared>, Vec<String>> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut config = load(Sources::default()).expect("the defaults hold").config;
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::write(&path, text).expect("written");
            config.bridge.files.push(path);
        }
        if brokers {
            config.kafka.brokers = vec!["kafka-1:9092".to_owned()];
        }
        let place = format!("{}/", dir.path().display());
        let said = |problem: Problem| problem.to_string().replace(&place, "");
        config.bridges().map_err(|problems| problems.into_iter().map(said).collect())
    }

    #[test]
    fn a_file_is_a_bridge() {
        assert_eq!(bridges(&[], false), Ok(Vec::new()));
        let whole = "topic = \"payments\"\nformat = \"commerce\"\ncurrency = \"EUR\"\nstart = \"2026-11-21T09:00:00Z\"\n\
                     dead_letters = \"unpaid\"\nbrokers = [\"elsewhere:9092\"]\n";
        let least = "topic = \"trips\"\nformat = \"streampulse\"\n";
        let found = bridges(&[("payments.toml", whole), ("trips.toml", least)], true).expect("two");
        let [payments, trips] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (payments.start, payments.dead_letters.as_str()),
            (Start::At(1_795_251_600_000), "unpaid")
        );
        assert_eq!(payments.brokers, ["elsewhere:9092"]);
        assert_ne!(payments.format.identity(), form::format("commerce").expect("built in").identity());
        assert_eq!((trips.start, trips.dead_letters.as_str()), (Start::Earliest, "trips_dlq"));
        assert_eq!(trips.brokers, ["kafka-1:9092"]);
    }

    #[test]
    fn everything_wrong_with_all_files_is_said_at_once() {
        let first = "topik = \"payments\"\nformat = \"commerse\"\nstart = \"soon\"\ncurrency = \"euro\"\n";
        let second = "topic = \"a topic\"\nformat = 7\nbrokers = []\n";
        let said =
            bridges(&[("a.toml", first), ("b.toml", second), ("c.toml", "[")], false).expect_err("many");
        let expected = [
            "a.toml:1: topik: is no field of a bridge; did you mean topic?",
            "a.toml: brokers: is wanted: as [\"kafka-1:9092\"], for kafka.brokers are not set",
            "a.toml: topic: is wanted: the topic of others that is read",
            "a.toml:2: format: there are ",
            "a.toml:4: currency: wants an ISO 4217 code, as EUR",
            "a.toml:3: start: wants latest, earliest, or a time",
            "b.toml:3: brokers: wants a list of host:port",
            "b.toml:1: topic: wants 1 to 249 of A-Z a-z 0-9 . _ -",
            "b.toml:2: format: wants a text",
            "c.toml: ",
        ];
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (line, expected) in said.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}\nis not\n{expected}");
        }
    }

    #[test]
    fn nothing_is_bridged_twice_or_in_a_circle() {
        let file = |topic: &str, letters: &str| {
            format!("topic = \"{topic}\"\nformat = \"commerce\"\ndead_letters = \"{letters}\"\n")
        };
        let (one, same, letters, back, own, circle) = (
            file("payments", "dead"),
            file("payments", "others"),
            file("dead", "others"),
            file("trips", "payments"),
            file("souk-users", "others"),
            file("loop", "loop"),
        );
        let default = "topic = \"dead\"\nformat = \"commerce\"\n".to_owned();
        let problems = bridges(&[("a.toml", &file("dead_dlq", "others")), ("b.toml", &default)], true);
        let said = "b.toml: dead_letters: is wanted: the topic they would go to is bridged itself";
        assert_eq!(problems.expect_err(said), [said]);
        for (other, said) in [
            (&same, "b.toml:1: topic: is bridged by a.toml already; a topic is bridged once"),
            (&letters, "b.toml:1: topic: takes the dead letters of a.toml; they would come round and round"),
            (&back, "b.toml:3: dead_letters: is bridged itself; dead letters would come round and round"),
            (&own, "b.toml:1: topic: is a topic of the nodes' own; it wants one of others"),
            (&circle, "b.toml:3: dead_letters: is bridged itself; dead letters would come round and round"),
        ] {
            let problems = bridges(&[("a.toml", &one), ("b.toml", other)], true).expect_err(said);
            assert_eq!(problems, [said]);
        }
    }

    #[test]
    fn they_are_said_with_the_other_problems_of_a_configuration() {
        let text = "no/such/bridge.toml".to_owned();
        let flags = vec![
            Flag { name: "--bridge", key: "bridge.files", text },
            Flag { name: "--drain-timeout", key: "node.drain_timeout", text: "soon".to_owned() },
        ];
        let problems = load(Sources { flags, ..Sources::default() }).expect_err("two problems");
        let said = problems.to_string();
        assert!(said.contains("the configuration has 2 problems"), "{said}");
        assert!(said.contains("bridge.files: no/such/bridge.toml: No such file"), "{said}");
    }
}
