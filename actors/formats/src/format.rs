//! A format: what a declaration comes to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use souk_model::money::Currency;
use souk_model::verdict::{Reason, Refusal};
use souk_proto::v1;

use crate::declare::{self, Problem};
use crate::draft::{Draft, KIND_PARTS, Read};
use crate::field::{FIELDS, Field};
use crate::kind::Kind;
use crate::limits::MESSAGE_BYTES;
use crate::scan::Table;
use crate::time::Unit;

/// The built-in formats, by name.
pub const NAMES: [&str; 5] = ["cartpulse", "analytics-engine", "commerce", "streampulse", "kartshoppe"];

/// Their declarations.
const BUILT_IN: [&str; NAMES.len()] = [
    include_str!("../builtin/cartpulse.toml"),
    include_str!("../builtin/analytics-engine.toml"),
    include_str!("../builtin/commerce.toml"),
    include_str!("../builtin/streampulse.toml"),
    include_str!("../builtin/kartshoppe.toml"),
];

static BUILT: LazyLock<Vec<Arc<Format>>> = LazyLock::new(|| {
    let built = NAMES.iter().zip(BUILT_IN).map(|(name, text)| Format::parse(name, text).map(Arc::new));
    built.map(|format| format.expect("a test reads every built-in declaration")).collect()
});

/// How messages of one kind of topic are read and written.
#[derive(Debug, Clone, PartialEq)]
pub struct Format {
    pub(crate) name: String,
    /// Hash of the declaration's text.
    pub(crate) text_hash: u64,
    pub(crate) table: Table,
    /// Of one entry of a message's lines, where messages have lines.
    pub(crate) lines: Option<Table>,
    /// The first path of each field, for words and for writing; empty where there is none.
    pub(crate) paths: [String; FIELDS],
    pub(crate) line_paths: [String; FIELDS],
    /// Labels with the paths they come from.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) kinds: Kinds,
    pub(crate) needs: Vec<Field>,
    pub(crate) time: Unit,
    /// Times are written as texts.
    pub(crate) writes_iso: bool,
    pub(crate) currency: Currency,
    /// Amounts with more decimals than their currency are rounded, not refused.
    pub(crate) rounds: bool,
    pub(crate) in_kilometers: bool,
}

/// How a message says of what kind it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Kinds {
    /// The paths that say it together.
    pub(crate) paths: Vec<String>,
    /// What they may say, their values joined by `/`.
    pub(crate) values: BTreeMap<String, Kind>,
    /// What is written for each kind.
    pub(crate) written: BTreeMap<Kind, String>,
    /// Of what kind a message is that says nothing.
    pub(crate) unsaid: Option<Kind>,
    /// Of what kind a message is that says something else.
    pub(crate) other: Option<Kind>,
}

impl Format {
    /// A built-in format.
    pub fn named(name: &str) -> Option<Arc<Self>> {
        let place = NAMES.iter().position(|known| *known == name)?;
        Some(Arc::clone(&BUILT[place]))
    }

    /// Reads a declaration.
    pub fn parse(name: &str, declaration: &str) -> Result<Self, Vec<Problem>> {
        declare::read(name, declaration)
    }

    /// The same format with another currency for amounts that do not say theirs.
    #[must_use]
    pub fn with_currency(&self, currency: Currency) -> Self {
        Self { currency, ..self.clone() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells formats apart that may make different events of the same message.
    pub fn identity(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64_with_seed(self.currency.code().as_bytes(), self.text_hash)
    }

    /// The event a message tells. Its ranges and charsets are still to be judged, and where the message has no id it has none.
    pub fn decode(&self, message: &[u8]) -> Result<v1::Event, Refusal> {
        if message.len() > MESSAGE_BYTES {
            let words = format!("a message is at most {MESSAGE_BYTES} bytes");
            return Err(Refusal::new(Reason::MessageTooLarge, "", words));
        }
        let draft = Draft::read(self, &self.table, message)?;
        let kind = draft.kind()?;
        draft.event(kind)
    }

    /// Path of a field in messages; its own name where they have none.
    pub(crate) fn path(&self, field: Field) -> &str {
        named(&self.paths, field)
    }

    pub(crate) fn line_path(&self, field: Field) -> &str {
        named(&self.line_paths, field)
    }
}

fn named(paths: &[String; FIELDS], field: Field) -> &str {
    match paths[field.place()].as_str() {
        "" => field.name(),
        path => path,
    }
}

impl Draft<'_, '_> {
    /// What the message says it is.
    pub(crate) fn kind_said(&self) -> Read<Option<Cow<'_, str>>> {
        let mut said: Option<Cow<'_, str>> = None;
        for part in 0..self.format().kinds.paths.len().min(KIND_PARTS) {
            let Some(text) = self.text_at(FIELDS + part) else { break };
            let text = text.ok_or_else(|| self.not_a_kind("must be a text"))?;
            said = Some(match said {
                None => text,
                Some(before) => Cow::Owned(format!("{before}/{text}")),
            });
        }
        Ok(said)
    }

    fn kind(&self) -> Read<Kind> {
        let kinds = &self.format().kinds;
        let Some(said) = self.kind_said()? else {
            return kinds.unsaid.ok_or_else(|| Refusal::missing(kinds.paths.join(", "), "say what happened"));
        };
        let known = kinds.values.get(&*said).copied();
        known.or(kinds.other).ok_or_else(|| self.not_a_kind("is no kind of this format"))
    }

    #[cold]
    fn not_a_kind(&self, message: &'static str) -> Refusal {
        Refusal::new(Reason::FieldInvalid, self.format().kinds.paths.join(", "), message)
    }
}
