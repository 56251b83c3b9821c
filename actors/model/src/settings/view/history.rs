//! `[history]`: records kept as rows under their id, without any aggregate.

use crate::fact::FactKind;
use crate::limits::HISTORIES;
use crate::settings::node::{Section, check_name};
use crate::settings::problem::Problems;

/// A table of records as they came. `[history.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The table's name.
    pub name: String,
    /// Which events: of one kind, or all of them (`event`).
    pub from: FactKind,
    /// `event_id`, or the record's own id where it has one.
    pub id: &'static str,
}

/// The facts that are a record as it came, and the ids it may be kept under.
const KEPT: [(FactKind, &[&str]); 7] = [
    (FactKind::Event, &["event_id"]),
    (FactKind::PageView, &["event_id"]),
    (FactKind::ProductView, &["event_id"]),
    (FactKind::Search, &["event_id"]),
    (FactKind::Review, &["event_id"]),
    (FactKind::Transaction, &["transaction_id", "event_id"]),
    (FactKind::Trip, &["trip_id", "event_id"]),
];

pub(in crate::settings) fn history(section: &Section<'_>, problems: &mut Problems) -> Vec<History> {
    if section.table.len() > HISTORIES {
        problems.add(&section.path, format!("at most {HISTORIES} tables"));
        return Vec::new();
    }
    let mut tables = Vec::with_capacity(section.table.len());
    for (name, node) in section.entries() {
        check_name(&node.path, name, problems);
        tables.extend(node.section(problems).and_then(|section| entry(name, &section, problems)));
    }
    tables
}

fn entry(name: &str, section: &Section<'_>, problems: &mut Problems) -> Option<History> {
    section.only(&["from", "id"], problems);
    let from = section.need("from", problems);
    let id = section.need("id", problems);
    let (from, id) = (from?, id?);
    let fact = from.text(problems)?;
    let Some((kind, ids)) = KEPT.iter().find(|(kind, _)| kind.name() == fact) else {
        problems.unknown(from.path, "kind of record", fact, KEPT.iter().map(|(kind, _)| kind.name()));
        return None;
    };
    let wanted = id.text(problems)?;
    let Some(id) = ids.iter().find(|known| **known == wanted) else {
        problems.unknown(id.path, "id of such records", wanted, ids.iter().copied());
        return None;
    };
    Some(History { name: name.to_owned(), from: *kind, id })
}
