//! Tallies: a user shard's own partial of each (metric, key, finest pane), absolute and mergeable, and the streams that carry them
//! to the products shards. A record's way ends here on the users side; [`crate::series`] joins them on the other.

use crate::metric::Metric;

/// Where one actor was counted as a distinct user. Kept inside the actor, encoded with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {}

/// Name of a cell's key: metric, key set and dimension values. The hash is stable and also keys [`Presence`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    pub metric: String,
    pub key_set: u16,
    /// The shop, then one value per dimension.
    pub values: Vec<String>,
}

#[allow(dead_code)]
fn _uses(_: &Metric) {}
