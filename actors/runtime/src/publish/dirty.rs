//! Rows that wait to be published: each once, those that waited longest first, every view its share.
//!
//! Where more rows change than may be written, views with few rows have all of theirs written and those with many share the rest: the
//! total of a shop is not late because ten thousand products changed too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use souk_model::metric::TimeRange;
use tokio::time::Instant;

use crate::limits::DIRTY_ROWS;

/// A row in one window, for one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Partition of the products shard that has it.
    pub shard: u16,
    /// Place of the view in the catalogue.
    pub entry: usize,
    pub key: Arc<str>,
    pub range: TimeRange,
}

#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub row: Row,
    /// When it first changed.
    pub since: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Dirty {
    views: BTreeMap<usize, View>,
    count: usize,
}

/// Rows of one view.
#[derive(Debug, Default)]
struct View {
    /// Rows that were put back may stand here twice: the first place counts.
    order: VecDeque<Waiting>,
    waiting: BTreeSet<(Arc<str>, TimeRange)>,
}

impl Dirty {
    /// Notes that a row changed. Whether there was room for it.
    pub(super) fn mark(&mut self, row: Row, now: Instant) -> bool {
        if self.count >= DIRTY_ROWS {
            return false;
        }
        let view = self.views.entry(row.entry).or_default();
        if view.waiting.insert((Arc::clone(&row.key), row.range)) {
            view.order.push_back(Waiting { row, since: now });
            self.count += 1;
        }
        true
    }

    /// Takes up to `most` rows that have waited since then at least.
    pub(super) fn pick(&mut self, most: usize, ripe: Instant) -> Vec<Waiting> {
        let mut picked = Vec::new();
        let mut views: Vec<&mut View> = self.views.values_mut().collect();
        views.sort_by_key(|view| view.waiting.len());
        let count = views.len();
        for (at, view) in views.into_iter().enumerate() {
            let share = (most - picked.len()).div_ceil(count - at);
            let end = (picked.len() + share).min(most);
            while picked.len() < end {
                let Some(next) = view.order.pop_front_if(|next| next.since <= ripe) else { break };
                if view.waiting.remove(&(Arc::clone(&next.row.key), next.row.range)) {
                    self.count -= 1;
                    picked.push(next);
                }
            }
        }
        self.views.retain(|_, view| !view.order.is_empty());
        picked
    }

    /// Rows that were not written: before all others, as old as they are.
    pub(super) fn put_back(&mut self, rows: Vec<Waiting>) {
        for waiting in rows.into_iter().rev() {
            let view = self.views.entry(waiting.row.entry).or_default();
            let known = !view.waiting.insert((Arc::clone(&waiting.row.key), waiting.row.range));
            self.count += usize::from(!known);
            view.order.push_front(waiting);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        self.views.values().filter_map(|view| view.order.front()).map(|waiting| waiting.since).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(entry: usize, key: &str) -> Row {
        Row { shard: 0, entry, key: key.into(), range: TimeRange::ALL }
    }

    fn keys(picked: &[Waiting]) -> Vec<String> {
        picked.iter().map(|waiting| format!("{}/{}", waiting.row.entry, waiting.row.key)).collect()
    }

    #[tokio::test]
    async fn a_row_waits_once_however_often_it_changes() {
        let now = Instant::now();
        let mut dirty = Dirty::default();
        for _ in 0..3 {
            assert!(dirty.mark(row(0, "a"), now));
        }
        assert_eq!((dirty.len(), dirty.oldest()), (1, Some(now)));
        assert_eq!(keys(&dirty.pick(10, now)), ["0/a"]);
        assert_eq!((dirty.len(), dirty.oldest()), (0, None));
    }

    #[tokio::test]
    async fn small_views_are_served_whole_and_large_ones_share_the_rest() {
        let now = Instant::now();
        let mut dirty = Dirty::default();
        for n in 0..100 {
            dirty.mark(row(1, &format!("many-{n:02}")), now);
            dirty.mark(row(2, &format!("more-{n:02}")), now);
        }
        dirty.mark(row(3, "total"), now);
        let picked = keys(&dirty.pick(11, now));
        assert!(picked.contains(&"3/total".to_owned()));
        assert_eq!(picked.iter().filter(|key| key.starts_with("1/")).count(), 5);
        assert_eq!(picked.iter().filter(|key| key.starts_with("2/")).count(), 5);
        assert!(picked.contains(&"1/many-04".to_owned()) && !picked.contains(&"1/many-05".to_owned()));
        assert_eq!(dirty.len(), 190);
        assert_eq!(dirty.pick(1_000, now).len(), 190);
    }

    #[tokio::test]
    async fn what_was_not_written_keeps_its_age_and_comes_first() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut dirty = Dirty::default();
        dirty.mark(row(0, "a"), now);
        dirty.mark(row(0, "b"), now);
        let picked = dirty.pick(2, now);
        dirty.mark(row(0, "c"), later);
        assert_eq!(keys(&dirty.pick(10, now)), [""; 0], "it has not waited yet");
        dirty.mark(row(0, "a"), later);
        dirty.put_back(picked);
        assert_eq!((dirty.len(), dirty.oldest()), (3, Some(now)));
        let again = dirty.pick(10, later);
        assert_eq!(keys(&again), ["0/a", "0/b", "0/c"], "each once");
        assert_eq!(again[0].since, now);
        assert_eq!(dirty.len(), 0);
    }

    #[tokio::test]
    async fn there_is_an_end_to_it() {
        let now = Instant::now();
        let mut dirty = Dirty::default();
        for n in 0..DIRTY_ROWS {
            assert!(dirty.mark(row(0, &n.to_string()), now));
        }
        assert!(!dirty.mark(row(1, "one more"), now));
        dirty.pick(1, now);
        assert!(dirty.mark(row(1, "one more"), now));
    }
}
