//! History: records kept as rows under their ids, as they came, for others to read with their own tools.
//!
//! Contract, checked by `conformance::history`: a row is written any number of times, by any number of nodes, and stands once per key; of
//! two records of one key the one with the lower offset stands. How far a shard is kept never goes back. A write that fails may have been
//! done in part: the caller writes those rows again. Nothing here waits longer than a server may take to answer.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use souk_model::journal::ShardId;
use souk_model::owner::Unavailable;
use souk_model::view::{Datum, Table};

use super::Journal;

/// A record, as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    pub table: Arc<Table>,
    /// By column: of the partition, of the clustering, then the others. None is left out.
    pub values: Vec<Datum>,
    /// Where the record stands in its partition.
    pub offset: u64,
}

/// A table and the shard whose records it keeps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryPlace {
    pub table: String,
    pub shard: ShardId,
    /// Identity of the journal: offsets of another say nothing.
    pub topic_id: u64,
}

#[async_trait]
pub trait History: Send + Sync + Debug {
    /// Makes those that are not there, and answers which may be written: one that stands otherwise is left alone and said.
    async fn declare(&self, tables: Vec<Arc<Table>>) -> Result<BTreeSet<String>, Unavailable>;

    /// Writes to declared tables.
    async fn write(&self, rows: Vec<HistoryRow>) -> Result<(), Unavailable>;

    /// The offset up to which all is kept; 0: nothing is.
    async fn kept(&self, place: &HistoryPlace) -> Result<u64, Unavailable>;

    /// All up to this offset is written.
    async fn keep(&self, place: &HistoryPlace, upto: u64) -> Result<(), Unavailable>;
}

/// A history, and what is kept in it.
#[derive(Debug, Clone)]
pub struct HistoryAt {
    pub history: Arc<dyn History>,
    /// A way of its own to the journal: reading behind the fold moves nobody who reads along with it.
    pub journal: Arc<dyn Journal>,
    /// Names of the settings' `[history]` entries that are kept.
    pub tables: Vec<String>,
}
