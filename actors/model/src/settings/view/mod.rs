//! Views: where a metric's values are published for readers without gRPC. Kept as declared, read by the store's adapters;
//! the fold never looks at them, so they may change under a metric's name.

mod history;
mod redis;
mod table;
mod template;

pub use history::History;
pub(super) use history::history;
pub use redis::{RedisTarget, RedisView};
pub use table::{Column, Columns, TableKey, TableView};
pub use template::{Edge, Part, Template};

use crate::limits::TABLES;
use crate::metric::{Dimension, Window};
use crate::settings::literal;
use crate::settings::measure::place_of;
use crate::settings::node::{Node, Section};
use crate::settings::problem::Problems;

/// The views of one metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Views {
    pub redis: Option<RedisView>,
    pub tables: Vec<TableView>,
}

/// What a view may name of its metric.
pub(super) struct Subject<'m> {
    /// The measures' names, by place.
    pub(super) names: &'m [&'m str],
    pub(super) key_sets: &'m [Vec<Dimension>],
    pub(super) windows: &'m [Window],
    pub(super) ranked: &'m [usize],
}

/// Reads `redis` and `table` of a metric.
pub(super) fn views(section: &Section<'_>, subject: &Subject<'_>, problems: &mut Problems) -> Option<Views> {
    let redis = section.get("redis").map(|node| redis::redis(&node, subject, problems));
    let nodes = section.get("table").map(|node| node.one_or_more()).unwrap_or_default();
    if nodes.len() > TABLES {
        problems.add(section.path_of("table"), format!("a metric has at most {TABLES} tables"));
        return None;
    }
    let tables: Vec<_> = nodes.iter().filter_map(|node| table::table(node, subject, problems)).collect();
    let complete = tables.len() == nodes.len() && !matches!(redis, Some(None));
    complete.then(|| Views { redis: redis.flatten(), tables })
}

impl Subject<'_> {
    /// A dimension one of the key sets has.
    fn dimension(&self, path: &str, name: &str, problems: &mut Problems) -> Option<Dimension> {
        let kept = || self.key_sets.iter().flatten();
        let found = Dimension::parse(name).filter(|dimension| kept().any(|other| other == dimension));
        if found.is_none() {
            let names: Vec<_> = kept().map(Dimension::name).collect();
            problems.unknown(path, "dimension of this metric's keys", name, names.iter().map(AsRef::as_ref));
        }
        found
    }

    /// The window a view shows: its own `window`, else the metric's first.
    fn window(&self, section: &Section<'_>, problems: &mut Problems) -> Option<Window> {
        let Some(node) = section.get("window") else { return self.windows.first().copied() };
        let window = node.parsed(literal::window, problems)?;
        if !self.windows.contains(&window) {
            problems.add(&node.path, "is no window of this metric");
            return None;
        }
        Some(window)
    }

    /// A measure by name, and if a top list is made of it, one with a kept order.
    fn measure(&self, node: &Node<'_>, in_order: bool, problems: &mut Problems) -> Option<usize> {
        let place = place_of(node, self.names, problems)?;
        if in_order && !self.ranked.contains(&place) {
            problems.add(&node.path, "keeps no order: name it in rank");
            return None;
        }
        Some(place)
    }
}
