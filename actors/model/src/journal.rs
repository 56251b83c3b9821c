//! Journals and shards by name, and one entry as a journal gives it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::record;
use crate::time::Millis;
use crate::verdict::Refusal;

/// One of the two logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Journal {
    Users,
    Products,
}

impl Journal {
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Products => "products",
        }
    }
}

/// One partition of one journal. Written `users-17`, `products-3`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    pub journal: Journal,
    pub partition: u16,
}

impl ShardId {
    pub const fn users(partition: u16) -> Self {
        Self { journal: Journal::Users, partition }
    }

    pub const fn products(partition: u16) -> Self {
        Self { journal: Journal::Products, partition }
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.journal.name(), self.partition)
    }
}

/// The text names no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shard is written users-17 or products-3")]
pub struct NoShard;

impl FromStr for ShardId {
    type Err = NoShard;

    /// Reads a shard as it is written: `users-17`.
    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (journal, partition) = text.rsplit_once('-').ok_or(NoShard)?;
        let journal = match journal {
            "users" => Journal::Users,
            "products" => Journal::Products,
            _ => return Err(NoShard),
        };
        Ok(Self { journal, partition: partition.parse().map_err(|_| NoShard)? })
    }
}

impl fmt::Debug for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many partitions each journal has: fixed for the life of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions {
    pub users: u16,
    pub products: u16,
}

impl Partitions {
    /// All shards: those of users, then those of products.
    pub fn shards(self) -> impl Iterator<Item = ShardId> {
        (0..self.users).map(ShardId::users).chain((0..self.products).map(ShardId::products))
    }
}

/// One entry of a journal. Offsets start at 1 and rise; 0 means "before the first".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub offset: u64,
    pub append_time: Millis,
    /// Shared with whoever read it: an entry is never changed.
    pub bytes: Bytes,
    pub form: Form,
}

/// Whose form the bytes of an entry have.
#[derive(Debug, Clone, Default)]
pub enum Form {
    /// A record of ours.
    #[default]
    Own,
    /// A message others wrote into a topic that was adopted: folded as it is.
    Foreign(Arc<dyn Foreign>),
}

/// Reads messages that others wrote. Pure: an entry is the same event on every node and for ever, for shards are folded from it.
pub trait Foreign: fmt::Debug + Send + Sync {
    /// The event a message tells, ready for the fold.
    fn read(&self, entry: &Entry) -> Result<record::Event, Refusal>;
}

/// Two readers are compared by what they are: entries of one partition share one.
impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own, Self::Own) => true,
            (Self::Foreign(one), Self::Foreign(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Form {}

impl Entry {
    /// A record of ours.
    pub fn new(offset: u64, append_time: Millis, bytes: Bytes) -> Self {
        Self { offset, append_time, bytes, form: Form::Own }
    }

    /// Checksum of the entry, kept in the manifest to notice a journal that changed under us.
    pub fn checksum(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.offset.to_le_bytes()), &self.bytes)
    }
}
