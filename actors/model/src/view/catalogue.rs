//! What of which rows is published where, worked out once per settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cache::CacheShape;
use super::table::TableShape;
use crate::metric::{Dimension, Metric, TimeRange, TimeZone, Window};
use crate::series::Top;
use crate::settings::Settings;
use crate::settings::view::{RedisTarget, RedisView, TableKey, TableView};
use crate::tally::cells::TOTAL;
use crate::tally::split_head;
use crate::time::Millis;

/// One view of one key set of a metric.
#[derive(Debug, Clone)]
pub struct Entry {
    pub metric: Arc<Metric>,
    pub key_set: u16,
    pub window: Window,
    /// Only the first rows, replaced as a whole; none: each row by itself.
    pub top: Option<Top>,
    pub shape: Shape,
}

/// Where it goes, and as what.
#[derive(Debug, Clone)]
pub enum Shape {
    Table(Arc<TableShape>),
    Cache(Arc<CacheShape>),
}

/// Every view of the settings.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    /// Places of the entries of rows, by metric.
    of_rows: BTreeMap<String, Vec<usize>>,
}

impl Catalogue {
    pub fn of(settings: &Settings) -> Self {
        let mut catalogue = Self::default();
        for (metric, views) in settings.metrics.iter().zip(&settings.views) {
            let metric = Arc::new(metric.clone());
            for view in &views.tables {
                catalogue.add_table(settings, &metric, view);
            }
            if let Some(view) = &views.redis {
                catalogue.add_cache(settings, &metric, view);
            }
        }
        for (place, entry) in catalogue.entries.iter().enumerate() {
            if entry.top.is_none() {
                catalogue.of_rows.entry(entry.metric.name.clone()).or_default().push(place);
            }
        }
        catalogue
    }

    fn add_table(&mut self, settings: &Settings, metric: &Arc<Metric>, view: &TableView) {
        let shape = Arc::new(TableShape::of(metric, view, settings.fold.currency));
        let top = view.top.zip(shape.first_measure()).map(|(n, measure)| top(settings, measure, n));
        for key_set in shown(metric, shape.dimensions()) {
            let shape = Shape::Table(Arc::clone(&shape));
            self.entries.push(Entry { metric: Arc::clone(metric), key_set, window: view.window, top, shape });
        }
    }

    fn add_cache(&mut self, settings: &Settings, metric: &Arc<Metric>, view: &RedisView) {
        let shape = Arc::new(CacheShape::of(view, settings.fold.currency));
        let top = match &view.target {
            RedisTarget::SortedSet { value, top: n, .. } => Some(top(settings, *value, *n)),
            _ => None,
        };
        for key_set in shown(metric, shape.dimensions()) {
            let shape = Shape::Cache(Arc::clone(&shape));
            self.entries.push(Entry { metric: Arc::clone(metric), key_set, window: view.window, top, shape });
        }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Entries that show the row of a key by itself, with their places.
    pub fn of_row(&self, key: &str) -> impl Iterator<Item = (usize, &Entry)> {
        let (metric, key_set) = split_head(key).map_or(("", 0), |(_, metric, key_set)| (metric, key_set));
        let places = self.of_rows.get(metric).map(Vec::as_slice).unwrap_or_default();
        let entries = places.iter().map(|place| (*place, &self.entries[*place]));
        entries.filter(move |(_, entry)| entry.key_set == key_set)
    }

    /// Tables to be there, none twice.
    pub fn tables(&self) -> Vec<Arc<TableShape>> {
        let mut tables: Vec<Arc<TableShape>> = Vec::new();
        for entry in &self.entries {
            if let Shape::Table(shape) = &entry.shape
                && !tables.iter().any(|known| Arc::ptr_eq(known, shape))
            {
                tables.push(Arc::clone(shape));
            }
        }
        tables
    }
}

impl Entry {
    /// Instances of the entry's window that a change in a pane may concern.
    pub fn instances_of(&self, pane: Millis) -> impl Iterator<Item = TimeRange> {
        let is_total = pane == TOTAL;
        let zone: &TimeZone = &self.metric.time_zone;
        let wanted = is_total == (self.window == Window::Total);
        wanted.then(|| self.window.instances_of(zone, pane)).into_iter().flatten()
    }

    /// Whether the time of an instance has come when events have come so far: of a sliding window the one that ends first, and those
    /// before it. Those that end later hold the same events and more to come.
    pub fn has_begun(&self, range: TimeRange, reached: Millis) -> bool {
        match self.window {
            Window::Sliding { step, .. } => range.end.saturating_sub(step) <= reached,
            _ => true,
        }
    }
}

fn top(settings: &Settings, measure: usize, n: u32) -> Top {
    Top { measure, n: n as usize, ascending: false, currency: settings.fold.currency }
}

/// Key sets with just these dimensions; all where a view tells any apart.
pub(super) fn shown(metric: &Metric, dimensions: Option<Vec<&Dimension>>) -> Vec<u16> {
    let is_shown = |set: &Vec<Dimension>| match &dimensions {
        None => true,
        Some(named) => {
            set.iter().all(|has| named.contains(&has)) && named.iter().all(|name| set.contains(name))
        }
    };
    let sets = (0_u16..).zip(&metric.key_sets).filter(|(_, set)| is_shown(set));
    sets.map(|(place, _)| place).collect()
}

impl TableShape {
    /// Dimensions of the key sets a table shows; none: all of them.
    fn dimensions(&self) -> Option<Vec<&Dimension>> {
        match &self.view().key {
            TableKey::All => None,
            TableKey::Named(columns) => {
                Some(columns.iter().filter_map(|(_, column)| column.dimension()).collect())
            }
        }
    }
}
