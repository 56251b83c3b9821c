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
