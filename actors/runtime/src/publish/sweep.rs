//! Going round all rows of a shard, a few at a time: where it is not known which have changed since they were published.

use souk_model::series::{Again, Listener, SeriesBook};
use souk_model::time::Millis;
use souk_model::view::{Catalogue, Entry, Shape};

use super::dirty::Row;
use crate::limits::{PUBLISHED_AGAIN, PUBLISHED_AGAIN_RECORDS, SWEEP_KEYS};

const EVERYTHING: Again = Again { ended_after: Millis::MIN, from: Millis::MIN, records: 0 };

/// Where a shard's round stands: the last key looked at. None: all changes are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sweep(Option<String>);

impl Sweep {
    pub(super) fn begin(&mut self) {
        self.0 = Some(String::new());
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Rows of views that the next keys have in windows that are open or closed not long ago, or that changed of late.
    pub(super) fn step(&mut self, shard: u16, series: &mut SeriesBook, catalogue: &Catalogue) -> Vec<Row> {
        let Some(last) = &self.0 else { return Vec::new() };
        let keys = series.keys_after(last, SWEEP_KEYS).unwrap_or_default();
        self.0 = keys.last().cloned();
        let high_water = series.high_water();
        let mut rows = Vec::new();
        for key in keys {
            for (place, entry) in catalogue.of_row(&key).filter(|(_, entry)| is_kept(entry)) {
                let again = high_water.map_or(EVERYTHING, |high_water| {
                    let watermark = high_water - entry.metric.lateness;
                    Again {
                        ended_after: watermark - PUBLISHED_AGAIN,
                        // What is older changes no more.
                        from: watermark - entry.metric.correct_for.max(PUBLISHED_AGAIN),
                        records: PUBLISHED_AGAIN_RECORDS,
                    }
                });
                let ranges = series.instances(&key, entry.window, again).unwrap_or_default();
                let row = |range| Row { shard, entry: place, key: key.as_str().into(), range };
                rows.extend(ranges.into_iter().map(row));
            }
        }
        rows
    }
}

/// What was told to who listened is told.
fn is_kept(entry: &Entry) -> bool {
    match &entry.shape {
        Shape::Table(_) => true,
        Shape::Cache(shape) => shape.is_kept(),
    }
}

/// Rows of views that changed since the last look. None: any may have.
pub(super) fn changed(shard: u16, series: &mut SeriesBook, catalogue: &Catalogue) -> Option<Vec<Row>> {
    series.listen(Listener::Publish, true);
    let changes = series.take_changed(Listener::Publish)?;
    let mut rows = Vec::new();
    for change in changes {
        for (entry, view) in catalogue.of_row(&change.key) {
            let row = |range| Row { shard, entry, key: change.key.clone(), range };
            rows.extend(view.instances_of(change.pane).map(row));
        }
    }
    Some(rows)
}
