//! What a recount starts from: the journals as they stand, the first settings, and what was skipped.

use std::collections::BTreeSet;
use std::fmt;

/// Which of the two journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Journal {
    /// Events and commands of people.
    Users,
    /// Price, stock and holds.
    Products,
}

/// One shard, written as everywhere else: `users-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShardName {
    /// The journal it folds.
    pub journal: Journal,
    /// The partition it folds.
    pub partition: u32,
}

impl ShardName {
    /// Shard of a partition of the users journal.
    #[must_use]
    pub fn users(partition: u32) -> Self {
        Self { journal: Journal::Users, partition }
    }

    /// Shard of a partition of the products journal.
    #[must_use]
    pub fn products(partition: u32) -> Self {
        Self { journal: Journal::Products, partition }
    }
}

impl fmt::Display for ShardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let journal = match self.journal {
            Journal::Users => "users",
            Journal::Products => "products",
        };
        write!(f, "{journal}-{}", self.partition)
    }
}

/// One record as the journal holds it.
#[derive(Debug, Clone)]
pub struct JournalRecord {
    /// Its offset.
    pub offset: u64,
    /// Its append time, milliseconds since the epoch.
    pub append_ms: i64,
    /// An encoded `souk.journal.v1.Record`, or whatever was appended instead.
    pub bytes: Vec<u8>,
}

/// One partition from its first record to its last.
#[derive(Debug, Clone)]
pub struct Partition {
    /// Whose records these are.
    pub shard: ShardName,
    /// In offset order.
    pub records: Vec<JournalRecord>,
    /// Offsets on the shard's skip list.
    pub skipped: BTreeSet<u64>,
}

/// Everything a recount reads.
#[derive(Debug, Clone)]
pub struct Input {
    /// The settings in force before the first record, as canonical TOML.
    pub settings: String,
    /// Every partition of both journals, in any order.
    pub partitions: Vec<Partition>,
}
