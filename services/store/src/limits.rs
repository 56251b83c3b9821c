//! Every bound of the store, by name, with its reason.

use std::time::Duration;

/// Bytes redb keeps in memory: a transaction of all shards cutting at once fits half of it, and what is read is read once.
pub const CACHE_BYTES: usize = 64 << 20;
/// Changes that wait for the writer. Each shard has a few under way at most, so this is never full with 64 of them.
pub const QUEUED_WORKS: usize = 256;
/// Changes that share one transaction: bounds how long the first of them waits.
pub const WORKS_PER_COMMIT: usize = 64;
/// A file that failed is opened anew this often at most: a full disk stays full for a while.
pub const REOPEN_EVERY: Duration = Duration::from_secs(1);
