//! Names with holes: `region:{region}:window:{start:%s}`.

use crate::metric::Dimension;
use crate::settings::node::Node;
use crate::settings::problem::{Problems, shown};
use crate::settings::view::Subject;

/// A name with holes, filled per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// A window's start or end in UTC, by a strftime format of `%Y %m %d %H %M %S %s`; empty is RFC 3339.
    Time {
        edge: Edge,
        format: String,
    },
    Dimension(Dimension),
}

/// Which end of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Start,
    End,
}

/// Reads a name with holes; every hole is a window's edge or a dimension of the metric's keys.
pub(super) fn template(node: &Node<'_>, subject: &Subject<'_>, problems: &mut Problems) -> Option<Template> {
    let mut rest = node.text(problems)?;
    if rest.is_empty() {
        problems.add(&node.path, "must not be empty");
        return None;
    }
    let mut parts = Vec::new();
    while let Some((text, after)) = rest.split_once('{') {
        let Some((hole, after)) = after.split_once('}') else {
            problems.add(&node.path, "a { has no }");
            return None;
        };
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        parts.push(part(&node.path, hole, subject, problems)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(Template(parts))
}

fn part(path: &str, hole: &str, subject: &Subject<'_>, problems: &mut Problems) -> Option<Part> {
    match edge(path, hole, problems) {
        Some(Ok((edge, format))) => Some(Part::Time { edge, format }),
        Some(Err(())) => None,
        None => subject.dimension(path, hole, problems).map(Part::Dimension),
    }
}

/// `start`, `end`, `start:%Y`: none when `text` names no edge, an error when its format is wrong.
pub(super) fn edge(path: &str, text: &str, problems: &mut Problems) -> Option<Result<(Edge, String), ()>> {
    let (name, format) = text.split_once(':').unwrap_or((text, ""));
    let edge = match name {
        "start" => Edge::Start,
        "end" => Edge::End,
        _ => return None,
    };
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c == '%' && !chars.next().is_some_and(|letter| "YmdHMSs".contains(letter)) {
            problems.add(path, format!("`{}` is no format of %Y %m %d %H %M %S %s", shown(format)));
            return Some(Err(()));
        }
    }
    Some(Ok((edge, format.to_owned())))
}
