//! Buckets: where a shard keeps its actors, hot or encoded, and what a cut takes from them. DESIGN section 5.
//!
//! One [`Actors`] serves every kind of row a shard owns: users, products, tally rows, series rows.

mod actors;
mod arena;
mod cut;
pub mod entry;
mod idle;
mod index;
mod read;
mod slab;
mod store;
mod timers;
mod warm;

pub use actors::{Actors, Hint, Spot};
pub use warm::WARMED;

use xxhash_rust::xxh3::xxh3_64;

use crate::key::{ActorKey, BucketId, bucket_of};

/// A key as a lookup wants it: its text, and the hash somebody already computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRef<'a> {
    pub text: &'a str,
    /// xxh3-64 of the text, always.
    pub hash: u64,
}

impl<'a> KeyRef<'a> {
    /// Of a text nobody has hashed yet.
    #[inline]
    pub fn of(text: &'a str) -> Self {
        Self { text, hash: xxh3_64(text.as_bytes()) }
    }

    pub fn bucket(self) -> BucketId {
        bucket_of(self.hash)
    }
}

impl<'a> From<&'a ActorKey> for KeyRef<'a> {
    fn from(key: &'a ActorKey) -> Self {
        Self { text: key.as_str(), hash: key.hash() }
    }
}

#[cfg(test)]
mod tests;
