//! Every bound of ingestion, by name, with its reason.

/// Longest line: an event is a few hundred bytes, and a node takes no message above 256 KiB.
pub(super) const LINE_BYTES: usize = 64 << 10;
/// Bytes read at once.
pub(super) const READ_BYTES: usize = 256 << 10;
/// Bytes of a line that was too long, or is no text, kept in the file of rejects.
pub(super) const ORIGINAL_BYTES: usize = 256;
/// Columns of a table: above every format's own.
pub(super) const COLUMNS: usize = 64;
/// Chunks of lines read ahead of what is sent.
pub(super) const CHUNKS_AHEAD: usize = 4;
/// How far back a live node takes events, in milliseconds: 7 days.
pub(super) const LIVE_PAST_MILLIS: i64 = 7 * 24 * 3_600 * 1_000;
