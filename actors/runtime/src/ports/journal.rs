//! The journal: both logs, their partitions, their offsets. The durability of everything.
//!
//! Contract, checked by `conformance::journal`: offsets of a partition start at 1 and rise by one; entries are read in that order and
//! never change; append times never matter to the order. A record is visible to reads only when it is durable at the configured
//! level. An append of several records keeps their order within each partition, and so do the appends of one [`Line`].

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, ready};
use souk_model::journal::{Partitions, ShardId};
use souk_model::keying::Keying;
use souk_model::owner::{Ends, Entries, Unavailable};
use souk_model::time::Millis;

/// A record on its way into a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    pub shard: ShardId,
    pub bytes: Bytes,
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// Durable, at this offset of its partition.
    At { offset: u64, append_time: Millis },
    /// Not in the journal, and never will be.
    Refused(Refused),
    /// It may be in the journal: repeat it with the same id.
    Unknown,
}

/// Why a journal took nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is no room left on the journal's disk")]
    Full,
    #[error("the record is larger than the journal takes")]
    TooLarge,
    #[error("the journal does not answer")]
    Unavailable,
}

/// Appends that stand in the journal as they were made: none is taken behind one that was not. Whoever sends again what was refused, or
/// what nobody knows the outcome of, does so in a new line: then whatever comes first of each stands in the order it was sent.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<AtomicBool>);

impl Line {
    /// An append of it was not taken: nothing more is.
    pub fn end(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn has_ended(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// An append that stands in the queue: what becomes of each record, in order.
pub type Appending = BoxFuture<'static, Vec<Appended>>;

/// An append of so many records that no journal has taken: it ends its line.
pub fn unavailable(count: usize, line: Option<&Line>) -> Appending {
    line.into_iter().for_each(Line::end);
    Box::pin(ready(vec![Appended::Refused(Refused::Unavailable); count]))
}

#[async_trait]
pub trait Journal: Send + Sync + Debug {
    fn partitions(&self) -> Partitions;

    /// By what the users journal is partitioned.
    fn keying(&self) -> Keying {
        Keying::Own
    }

    /// Puts an append into the queue, behind those of its line. What it answers tells once all of it is durable or refused. Whatever is
    /// refused for a reason that may pass, or has an outcome nobody knows, ends the line before anybody hears of it; then nothing of the
    /// line that stands behind it is taken. Dropping either future does not take back what is in the queue.
    ///
    /// What is in a line may arrive long after its outcome was unknown. Without one it arrives soon or not at all.
    async fn enqueue(&self, records: Vec<NewRecord>, line: Option<&Line>) -> Appending;

    /// Appends what stands in no line, and waits for what becomes of it.
    async fn append(&self, records: Vec<NewRecord>) -> Vec<Appended> {
        self.enqueue(records, None).await.await
    }

    /// Where a partition stands, and who it is.
    async fn ends(&self, shard: ShardId) -> Result<Ends, Unavailable>;

    /// Entries from this offset on: at least one if there is one, then up to `most_bytes` of them. At the end of the partition it waits
    /// until something arrives, for `wait` at most. An offset that is no longer retained gives the entries after it.
    async fn read(
        &self,
        shard: ShardId,
        from: u64,
        most_bytes: usize,
        wait: Duration,
    ) -> Result<Entries, Unavailable>;

    /// The committed cut of the shard holds everything up to and including this offset: retention may take it.
    fn release(&self, shard: ShardId, upto: u64);
}
