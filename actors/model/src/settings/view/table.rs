//! `table`: what of a metric stands in a table that people read with cqlsh.

use crate::limits::{DIMENSIONS, MEASURES};
use crate::metric::{Dimension, Window};
use crate::settings::node::{Node, check_name};
use crate::settings::problem::Problems;
use crate::settings::view::Subject;
use crate::settings::view::redis::top;
use crate::settings::view::template::{Edge, edge};

const KEYS: [&str; 5] = ["window", "name", "key", "columns", "top"];

/// What of a metric stands in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableView {
    pub window: Window,
    pub name: String,
    pub key: TableKey,
    pub columns: Columns,
    /// Only the first so many rows by the one measure shown.
    pub top: Option<u32>,
}

/// The columns of a table's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKey {
    /// The window's start and every dimension, under their own names.
    All,
    /// By name of the column.
    Named(Vec<(String, Column)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// A window's start or end; a number by `format` (as `%Y`), or a time when it is empty.
    Time {
        edge: Edge,
        format: String,
    },
    Dimension(Dimension),
}

/// The columns that hold measures, by their place in the metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// Every measure under its own name.
    All,
    Named(Vec<(String, usize)>),
}

pub(super) fn table(node: &Node<'_>, subject: &Subject<'_>, problems: &mut Problems) -> Option<TableView> {
    let section = node.section(problems)?;
    section.only(&KEYS, problems);
    let window = subject.window(&section, problems);
    let name = section.need("name", problems).and_then(|node| {
        let name = node.text(problems)?;
        check_name(&node.path, name, problems);
        Some(name.to_owned())
    });
    let key = match section.get("key") {
        Some(node) => key(&node, subject, problems),
        None => Some(TableKey::All),
    };
    let top = match section.get("top") {
        Some(node) => Some(top(&node, problems)?),
        None => None,
    };
    let columns =
        section.need("columns", problems).and_then(|node| columns(&node, subject, top.is_some(), problems));
    Some(TableView { window: window?, name: name?, key: key?, columns: columns?, top })
}

fn key(node: &Node<'_>, subject: &Subject<'_>, problems: &mut Problems) -> Option<TableKey> {
    let section = node.section(problems)?;
    let most = DIMENSIONS + 2; // both edges of the window
    if section.table.is_empty() || section.table.len() > most {
        problems.add(&node.path, format!("name 1 to {most} columns"));
        return None;
    }
    let mut columns = Vec::with_capacity(section.table.len());
    for (name, node) in section.entries() {
        check_name(&node.path, name, problems);
        let source = node.text(problems)?;
        let column = match edge(&node.path, source, problems) {
            Some(edge) => edge.ok().map(|(edge, format)| Column::Time { edge, format }),
            None => subject.dimension(&node.path, source, problems).map(Column::Dimension),
        };
        columns.push((name.to_owned(), column?));
    }
    Some(TableKey::Named(columns))
}

fn columns(
    node: &Node<'_>,
    subject: &Subject<'_>,
    in_order: bool,
    problems: &mut Problems,
) -> Option<Columns> {
    if node.value.as_str() == Some("all") && !in_order {
        return Some(Columns::All);
    }
    let Some(table) = node.value.as_table() else {
        let what =
            if in_order { "a table of one column: the measure the top is by" } else { "\"all\" or a table" };
        problems.add(&node.path, format!("must be {what}"));
        return None;
    };
    let most = if in_order { 1 } else { MEASURES };
    if table.is_empty() || table.len() > most {
        problems.add(&node.path, format!("name 1 to {most} columns"));
        return None;
    }
    let section = node.section(problems)?;
    let mut columns = Vec::with_capacity(table.len());
    for (name, node) in section.entries() {
        check_name(&node.path, name, problems);
        columns.push((name.to_owned(), subject.measure(&node, in_order, problems)?));
    }
    Some(Columns::Named(columns))
}
