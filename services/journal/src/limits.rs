//! Every bound of the embedded journal, by name, with its reason.

use std::time::Duration;

/// One record: what the model takes, and so every journal.
pub const RECORD_BYTES: usize = souk_model::limits::RECORD_BYTES;
/// Payload of one frame, and so of one group commit: large enough that a sync is paid once for thousands of records, small enough that
/// it takes milliseconds to write.
pub const FRAME_BYTES: usize = 4 << 20;
/// Appends admitted but not answered: a few hundred milliseconds of writing. Further callers wait.
pub const QUEUE_BYTES: usize = 64 << 20;
/// What a queued record counts beside its bytes: its place in two vectors.
pub const QUEUED_RECORD_BYTES: usize = 64;
/// How long a caller waits for room in the queue before it hears that the journal is unavailable.
pub const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Bytes of log between two points of a segment's index, and so of one read of old entries: large sequential reads.
pub const BLOCK_BYTES: u64 = 1 << 20;
/// Blocks of one segment, at most about: small segments have small blocks.
pub const BLOCKS_PER_SEGMENT: u64 = 64;
/// Smallest block: the index must stay small beside the log.
pub const LEAST_BLOCK_BYTES: u64 = 512;
/// Memory of blocks read lately. Shards that replay the same stretch of the log then share one read of it.
pub const BLOCK_CACHE_BYTES: usize = 32 << 20;

/// Sealed segments the system may keep in its memory: a replay after a restart begins among them. What older ones take is better used
/// again for new ones: on a virtual machine a page never used before costs several times what is written to it.
pub const CACHED_SEGMENTS: usize = 4;

/// Partitions of one journal: far above any sensible layout; a segment's header then takes 16 KiB.
pub const PARTITIONS: u16 = 1_024;
/// Smallest and largest segment. A recovery reads the newest one whole; offsets within one are kept in 32 bits.
pub const LEAST_SEGMENT_BYTES: u64 = 1 << 10;
pub const MOST_SEGMENT_BYTES: u64 = 1 << 30;
/// What a group of entries in memory counts beside its bytes: its handle and its allocation.
pub const TAIL_GROUP_BYTES: usize = 128;
/// How often an idle writer looks whether segments may go.
pub const RETENTION_EVERY: Duration = Duration::from_secs(1);
/// The meta file: a dozen short lines.
pub const META_BYTES: u64 = 4_096;
