//! Tallies: a user shard's own partial of each (metric, key, finest pane), absolute and mergeable, and the streams that carry them
//! to the products shards. A record's way ends here on the users side; [`crate::series`] joins them on the other.

mod admission;
mod book;
pub mod cells;
pub(crate) mod codec;
mod count;
mod counter;
mod key_set;
mod late;
pub(crate) mod plan;
mod presence;
mod recent;
mod row;
pub mod runs;
mod stream;
#[cfg(test)]
mod tests;

pub use book::TallyBook;
pub use key_set::OTHER;
pub use late::Ledger;

pub use presence::{Presence, Reach, Visit};
pub use row::Row;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::metric::aggregate::Values;
use crate::time::Millis;

/// Name of a cell's key: shop, metric, key set and dimension values. The hash of its text is stable and also keys [`Presence`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    pub shop: String,
    pub metric: String,
    pub key_set: u16,
    /// One per dimension.
    pub values: Vec<String>,
}

impl SeriesKey {
    /// The text rows are stored, spread over partitions and hashed by.
    pub fn to_text(&self) -> String {
        text_of(&self.shop, &self.metric, self.key_set, &self.values)
    }

    /// Reads back what [`SeriesKey::to_text`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        let (shop, metric, key_set) = split_head(text)?;
        let values = values_of(text).map(Cow::into_owned).collect();
        Some(Self { shop: shop.to_owned(), metric: metric.to_owned(), key_set, values })
    }
}

/// Text of the key with these parts; with no values also the head of all keys of its key set.
pub fn text_of(shop: &str, metric: &str, key_set: u16, values: &[String]) -> String {
    let mut number = itoa::Buffer::new();
    let number = number.format(key_set);
    let head = shop.len() + metric.len() + number.len() + 2;
    let mut text = String::with_capacity(head + values.iter().map(|value| value.len() + 1).sum::<usize>());
    for part in [shop, "/", metric, "/", number] {
        text.push_str(part);
    }
    for value in values {
        text.push('\u{1f}');
        key_set::push_value(&mut text, value);
    }
    text
}

/// The values of a key's text, one per dimension.
pub(crate) fn values_of(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    key_set::read_values(text)
}

/// Shop, metric and key set of a key's text, without copying.
pub(crate) fn split_head(text: &str) -> Option<(&str, &str, u16)> {
    let head = text.split('\u{1f}').next()?;
    let (shop, rest) = head.split_once('/')?;
    let (metric, key_set) = rest.rsplit_once('/')?;
    Some((shop, metric, key_set.parse().ok()?))
}

/// What one users shard tells one products shard: cells as they stand, every one changed in `(from, to]` among them.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyBatch {
    pub epoch: u64,
    pub from: u64,
    pub to: u64,
    /// The `since` this batch belongs to the answer of. An answer's parts are told apart by offset, and only with its last is nothing
    /// up to `to` missing: a cell changed twice is in the part of its newest change.
    pub answer: Option<Answering>,
    /// High water of the source: watermarks follow from it. Smallest integer: unknown.
    pub high_water: Millis,
    pub settings_hash: u64,
    /// What the source counts at `to`, by name.
    pub metrics: Arc<BTreeMap<String, CountedMetric>>,
    /// By (offset, key, pane).
    pub cells: Vec<TallyCell>,
}

/// How a source counts a metric. Partitions meet a Settings record at different times, so the source says it with what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedMetric {
    /// [`crate::metric::Metric::meaning`].
    pub meaning: u64,
    /// Offset it is counted from. A metric forgotten and declared again starts over: cells from before are another's.
    pub since: u64,
}

/// Which answer a batch is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answering {
    pub since: u64,
    pub last: bool,
}

/// One cell of a tally, absolute.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyCell {
    /// Text of a [`SeriesKey`].
    pub key: String,
    /// Start of the pane; [`cells::TOTAL`] for the total.
    pub pane: Millis,
    /// Offset of the record that changed it last: beyond `to` when that was after the batch's range.
    pub offset: u64,
    /// Whether a fact was counted in this very pane: difference counts reach others.
    pub counted: bool,
    pub values: Values,
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
