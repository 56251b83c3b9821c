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
/// The longest a unary call may wait, whatever its caller says: it holds one of [`CALLS`].
pub const MOST_UNARY_DEADLINE: Duration = Duration::from_secs(300);
/// A handler ends by itself at its deadline and says best why; after this long beyond it the call is ended for it.
pub const DEADLINE_SLACK: Duration = Duration::from_millis(250);

/// Connections one server accepts: a socket and some tens of kilobytes each.
pub const CONNECTIONS: usize = 4_096;
/// Connections from one address: a proxy or a load generator has some hundred, an attacker must not have them all.
pub const CONNECTIONS_PER_ADDRESS: usize = 1_024;
/// Streams one connection may have open. One connection is one lock in h2: 10,000 watchers do better over a hundred of them.
pub const STREAMS_PER_CONNECTION: u32 = 256;
/// Unary calls under way on one server: each may hold a message of [`MESSAGE_BYTES`], so half a gigabyte at the very worst.
pub const CALLS: usize = 2_048;
/// Streams open on one server: 10,000 watchers and as many again of everything else.
pub const STREAMS: usize = 20_480;
/// How long a new connection may take to its first request: handshakes that never end hold sockets.
pub const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// How often a silent connection is asked whether it lives, and how long it may take to answer.
pub const KEEPALIVE: Duration = Duration::from_secs(20);
pub const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);
/// Bytes of all headers of a request: metadata of ours is some hundred.
pub const HEADER_BYTES: u32 = 8_192;
/// Headers of an HTTP/1.1 request.
pub const HTTP1_HEADERS: usize = 64;
/// Bytes read ahead of an HTTP/1.1 request.
pub const HTTP1_BUFFER_BYTES: usize = 65_536;
/// Bytes of one request message: 1,000 events, or a settings text with its surroundings.
pub const MESSAGE_BYTES: usize = 262_144;
/// Bytes of one response message: what clients take unless told otherwise.
pub const RESPONSE_BYTES: usize = 4 << 20;
/// Bytes a stream, and a connection, may send ahead of being read: two messages, so that a stream of batches never waits for credit.
pub const STREAM_WINDOW_BYTES: u32 = 512 << 10;
pub const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;
/// Bytes of responses buffered for one stream before its handler waits.
pub const SEND_BUFFER_BYTES: usize = 256 << 10;
/// Streams reset by the peer before they were looked at, and by us for errors of the peer, before the connection ends: the rapid-reset
/// attack sends nothing else.
pub const RESET_STREAMS: usize = 20;
pub const LOCAL_RESET_STREAMS: usize = 256;
/// Rest after a failed accept: mostly there is no file descriptor left, and one will be in a moment.
pub const ACCEPT_REST: Duration = Duration::from_millis(50);
/// How often health looks at the shards.
pub const HEALTH_EVERY: Duration = Duration::from_millis(200);
/// Between the first NOT_SERVING and the first refusal when a node leaves: none, unless a load balancer is in front.
pub const DRAIN_NOTICE: Duration = Duration::ZERO;
/// How long calls and streams may take to end after that: well inside the 30 s orchestrators give.
pub const DRAIN_GRACE: Duration = Duration::from_secs(10);
/// Web origins that may be allowed.
pub const ORIGINS: usize = 64;

/// Events of one message; the runtime's own bound, said here with the field at fault.
pub const EVENTS_PER_MESSAGE: usize = souk_runtime::limits::EVENTS_PER_BATCH;
/// Batches of one stream under way at once: enough to keep group commit busy, little enough to resend.
pub const BATCHES_IN_FLIGHT: usize = 16;
/// Longest silence of a stream before it says that it lives.
pub const BOOKMARK_EVERY: Duration = Duration::from_secs(5);
/// How long a stream of a leaving node waits for what is under way: a shard that has stopped judges nothing any more.
pub const DRAIN_ANSWERS: Duration = Duration::from_secs(2);
/// How long a batch of a stream waits for room before the stream ends OVERLOADED.
pub const SHED_PATIENCE: Duration = Duration::from_secs(30);

/// Bytes read of a journal to find one record again: one record, with what stands around it.
pub const RECORD_READ_BYTES: usize = 2 * MESSAGE_BYTES;

/// Frames between a stream's writer and its connection: enough to fill a packet. What a slow reader misses is merged in the hub.
pub const STREAM_FRAMES: usize = 4;
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
/// Bytes of the answers of one batch: a response holds them with some to spare. Queries beyond are told to come in a batch of their own.
pub const BATCH_ANSWER_BYTES: usize = 3 << 20;
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
