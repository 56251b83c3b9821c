//! Tallies: a user shard's own partial of each (metric, key, finest pane), absolute and mergeable, and the streams that carry them
//! to the products shards. A record's way ends here on the users side; [`crate::series`] joins them on the other.

use crate::actor::StateError;
use crate::metric::Metric;
use crate::time::Millis;

/// Where one actor was counted as a distinct user. Kept inside the actor, encoded with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {}

impl Presence {
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Forgets what no fact can meet any more.
    pub fn prune(&mut self, _high_water: Millis) {}

    /// Appends the canonical encoding: nothing for an empty one.
    pub fn encode(&self, _out: &mut Vec<u8>) {}

    /// Reads back what [`Presence::encode`] wrote.
    pub fn decode(_bytes: &[u8]) -> Result<Self, StateError> {
        Ok(Self::default())
    }
}

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

/// What one users shard tells one products shard: every cell changed in `(from, to]`, absolute.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyBatch {
    pub epoch: u64,
    pub from: u64,
    pub to: u64,
    /// High water of the source when it stood at `to`: watermarks follow from it.
    pub high_water: i64,
    pub settings_hash: u64,
    pub cells: Vec<TallyCell>,
}

/// One cell of a tally: placeholder for its values.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyCell {
    pub key: SeriesKey,
    /// Start of the pane; `i64::MIN` for the total.
    pub pane: i64,
    /// Offset of the record that changed it last.
    pub offset: u64,
}

/// A products shard's question after a gap, a restart or a takeover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyRequest {
    pub since: u64,
}

/// What a products shard holds of a source: up to where complete, and up to where its committed cut holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TallyAck {
    pub upto: u64,
    pub durable: u64,
}
