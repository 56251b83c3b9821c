//! Every bound of the public face, by name, with its reason.

use std::time::Duration;

/// Rows on a page when the caller does not say.
pub const PAGE_SIZE: usize = 50;
/// Rows on a page at most: larger wishes are coerced.
pub const MOST_PAGE_SIZE: usize = 1_000;
/// A page token: a cursor of some ids, its checks, in base64.
pub const PAGE_TOKEN_BYTES: usize = 1_024;

/// A filter: what a person types.
pub const FILTER_BYTES: usize = 1_024;
/// Parentheses and NOTs inside each other: reading a filter recurses.
pub const FILTER_DEPTH: usize = 16;
/// Comparisons in a filter: each is made for every row looked at.
pub const FILTER_TERMS: usize = 64;

/// A position a caller hands back: 128 shards with their offsets take less.
pub const POSITION_BYTES: usize = 8_192;

/// Bad fields one answer names. Errors travel in trailers, and clients take 16 KiB of them at most.
pub const BAD_FIELDS: usize = 24;
/// Bytes of one description, or of one value in the metadata.
pub const ERROR_TEXT_BYTES: usize = 256;
/// Bytes of an error's message.
pub const ERROR_MESSAGE_BYTES: usize = 1_024;

/// How long a caller waits before it tries again, where the error does not know better: a shard moves in some seconds.
pub const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What a unary call may take when the caller does not say.
pub const UNARY_DEADLINE: Duration = Duration::from_secs(10);

/// Frames between a stream's writer and its connection: enough to fill a packet. What a slow reader misses is merged in the hub.
pub const STREAM_FRAMES: usize = 4;
/// Longest silence of a stream where its caller does not say.
pub const BOOKMARK_INTERVAL: Duration = Duration::from_secs(5);
/// No interval of a stream is longer: connections do not live that long.
pub const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);
/// A resume token: a revision for each of 32 queries, its checks, in base64.
pub const RESUME_TOKEN_BYTES: usize = 1_024;

/// Windows one query asks for.
pub const MOST_WINDOWS: usize = souk_model::limits::ANSWER_WINDOWS;
/// Rows of a top-N where the caller does not say, and at most: larger wishes are coerced.
pub const TOP: usize = 10;
pub const TOP_MOST: usize = 1_000;
/// Products of a list where the caller does not say: what a person reads.
pub const TOP_PRODUCTS: usize = 10;
/// Queries of one batch.
pub const QUERIES_PER_BATCH: usize = 1_000;

/// Records a page of a user's events looks at, in runs of so many: some tens of milliseconds of decoding.
pub const SCAN_RECORDS: u64 = 32_768;
pub const SCAN_CHUNK: u64 = 2_048;
/// Bytes of one read while looking back.
pub const SCAN_BYTES: usize = 1 << 20;
/// Bytes of one read of a feed: its events are held until its reader took them.
pub const FEED_BYTES: usize = 256 << 10;
/// How often a feed at the journal's end looks for more.
pub const FEED_POLL: Duration = Duration::from_millis(100);
/// Records a reader of every event may fall behind: minutes of a busy shard.
pub const EVENTS_BEHIND: u64 = 100_000;
