//! Every bound of the runtime, by name, with its reason.

use std::time::Duration;

/// Bytes of one read of a shard from the journal: a few thousand records, folded in some milliseconds.
pub const READ_BYTES: usize = 1 << 20;
/// How long a read at the journal's end waits for a record before it answers empty: the owner then looks after its timers.
pub const READ_WAIT: Duration = Duration::from_millis(500);
/// Records of a users shard that may wait unfolded before intake sheds: some seconds of folding.
pub const UNFOLDED_RECORDS: u64 = 1_000_000;
/// Bytes of appends under way on one node: what group commit can write in a few hundred milliseconds.
pub const APPENDING_BYTES: usize = 64 << 20;
/// How long a caller that was shed should wait.
pub const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Queries one watch may hold: a dashboard.
pub const QUERIES_PER_WATCH: usize = 32;
/// Rows one watched query sends.
pub const ROWS_PER_WATCH: usize = 1_000;
/// Events of one publication: the API's limit of a message.
pub const EVENTS_PER_BATCH: usize = 1_000;
