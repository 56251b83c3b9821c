//! Tallies: a user shard's own partial of each (metric, key, finest pane), absolute and mergeable, and the streams that carry them
//! to the products shards. A record's way ends here on the users side; [`crate::series`] joins them on the other.

mod admission;
mod batch;
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

pub use batch::{Answering, CountedMetric, TallyBatch, TallyRow, TallyRows};
pub use book::TallyBook;
pub use key_set::OTHER;
pub use late::Ledger;

pub use presence::{Presence, Reach, Visit};
pub use row::Row;

use std::borrow::Cow;

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
    // Asked of every row that leaves or arrives: over bytes it is a quarter of what the searches for characters take.
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|byte| *byte == 0x1f).unwrap_or(bytes.len());
    let shop = bytes[..end].iter().position(|byte| *byte == b'/')?;
    let metric = bytes[..end].iter().rposition(|byte| *byte == b'/').filter(|metric| *metric > shop)?;
    Some((&text[..shop], &text[shop + 1..metric], text[metric + 1..end].parse().ok()?))
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
