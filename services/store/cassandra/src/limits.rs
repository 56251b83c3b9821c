//! Every bound of the store on Cassandra, by name, with its reason.

use std::time::Duration;

/// Bytes of one chunk: a quarter of the cell Scylla warns of, far below the largest write Cassandra takes (16 MiB).
pub const CHUNK_BYTES: usize = 256 << 10;
/// Chunks in one answer: 4 MiB.
pub const PAGE_CHUNKS: i32 = 16;

/// Requests about segments under way, over all shards: 8 MiB of writes or 128 MiB of pages, the most a small server has to hold for us.
pub const SEGMENT_REQUESTS: usize = 32;
/// Of these, one call's: a shard that cuts leaves room for others.
pub const REQUESTS_PER_CALL: usize = 8;
/// Requests about manifests under way. They do not wait behind segments: a takeover is short and urgent.
pub const MANIFEST_REQUESTS: usize = 16;
/// How long a request waits for its turn before its caller hears that the store is unavailable.
pub const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// How long a request may take unless told otherwise: longer than a server's own patience with its peers, shorter than a reader's.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Shortest and longest of it that can be asked for.
pub const LEAST_REQUEST_TIMEOUT: Duration = Duration::from_millis(100);
pub const MOST_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection is asked this often whether it lives, and given up after as long again.
pub const KEEPALIVE: Duration = Duration::from_secs(5);
/// Connections to each server (to each of its shards, where it has any).
pub const CONNECTIONS: usize = 2;

/// How long a store waits for a server when it opens, unless told otherwise.
pub const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// Rest between two looks for a server that may not be there yet.
pub const KNOCK_EVERY: Duration = Duration::from_millis(250);
/// How long one change of the schema may take, agreement of all servers included.
pub const SCHEMA_TIMEOUT: Duration = Duration::from_secs(30);

/// Copies of everything that can be asked for.
pub const MOST_REPLICAS: u32 = 16;
/// Longest name of a keyspace that servers take.
pub const KEYSPACE_NAME: usize = 48;
/// Seconds a delete is remembered. Short, since a segment that comes back is harmless; long enough for hints to be delivered.
pub const REMEMBERED_DELETE_SECONDS: u32 = 4 * 3_600;

/// Writes to tables that people read under way: rows of different partitions go side by side.
pub const TABLE_REQUESTS: usize = 16;
/// Rows and bytes of one batch, all of one partition: servers warn of batches from 5 KiB on.
pub const BATCH_ROWS: usize = 32;
pub const BATCH_BYTES: usize = 4 << 10;
/// Records of one batch of the history, each a partition of its own: servers warn of batches of more than 10.
pub const HISTORY_BATCH_ROWS: usize = 10;
/// How long another node may take to make tables before it is taken for dead.
pub const MAKING_TABLES_SECONDS: u32 = 60;
