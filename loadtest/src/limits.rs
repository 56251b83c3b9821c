//! Every bound of the load test, by name, with its reason.

use std::time::Duration;

/// How long a started server may take to say that it serves: a million users are to be back in one second.
pub const READY: Duration = Duration::from_secs(60);
/// How often a starting server is asked: well below the 100 ms a cold start may take.
pub const READY_POLL: Duration = Duration::from_millis(2);
/// How long a drained server may take to be gone, and then some, to tell late from never.
pub const GONE: Duration = Duration::from_secs(30);
/// How long one call may take: the API's own default deadline.
pub const CALL: Duration = Duration::from_secs(10);
/// How long what was acknowledged may take to show in every answer.
pub const SETTLE: Duration = Duration::from_secs(60);
/// How long tables may take to show what answers show, and how often all of them are read meanwhile: rows are written within a second,
/// lists of windows that are over go out again once a minute.
pub const TABLES_SETTLE: Duration = Duration::from_secs(90);
pub const TABLES_POLL: Duration = Duration::from_secs(1);
/// Rows of one table that are read: more than any run makes.
pub const TABLE_ROWS: usize = 2_000_000;
/// How often a condition is looked at while waiting for it.
pub const POLL: Duration = Duration::from_millis(50);
/// How long a connection that failed waits before the next try: a crashed server is back in tens of milliseconds.
pub const RECONNECT: Duration = Duration::from_millis(20);
/// How long one node may take for one call before a caller of several nodes asks another: one that was stopped never answers.
pub const TRY: Duration = Duration::from_secs(5);
/// Longest wait between two tries: what a server asks for is kept, up to this.
pub const RETRY: Duration = Duration::from_millis(250);
/// How long a caller goes on asking: past it whatever it asks for is not coming back.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// How long servers that were at fault may take until every shard serves again: a restart of Cassandra beside a full load among it.
pub const RECOVER: Duration = Duration::from_secs(180);
/// How often the nodes are asked who owns what while shards move.
pub const LOOK: Duration = Duration::from_millis(200);
/// Users tried until each shard has one of its own: many times what chance needs for a thousand shards.
pub const CANDIDATES: u32 = 20_000;
/// Tries for one batch before the run gives up: every one of them a refused or broken call.
pub const TRIES: u32 = 5_000;

/// Events of one message: the API's limit is 1,000.
pub const BATCH: usize = 1_000;
/// Bytes of a page of the HTTP port: the metrics of a node with a thousand shards are less.
pub const PAGE_BYTES: u64 = 16 << 20;
/// Rows asked for at once: the API's limit.
pub const PAGE: i32 = 1_000;
/// Pages of one answer: more rows than any run counts.
pub const PAGES: usize = 10_000;
/// Ticks a pacer may be ahead of the senders it paces. Beyond it the pacer waits, and what waits is late from its due time.
pub const TICKS_AHEAD: usize = 65_536;
/// Calls under way of one open-loop run, below what a node takes at once by default (2,048): past it a send waits, and its latency
/// still counts from its due time.
pub const IN_FLIGHT: usize = 1_024;
/// Violations and differences a report prints; all of them are counted.
pub const SHOWN: usize = 20;
/// Events a generator remembers to send again as duplicates: some seconds of traffic.
pub const REPEATABLE: usize = 1_024;
/// Acknowledged events whose ids are looked up again at rest: some seconds of traffic, and far less than a server remembers.
pub const LEDGER: usize = 5_000;
/// Latencies kept with their moment: an hour of a hundred pulses a second.
pub const SAMPLES: usize = 500_000;
/// Streams one connection carries: below what servers commonly allow.
pub const STREAMS_PER_CONNECTION: usize = 200;
/// Probes that may be without an answer on one key: minutes of probing.
pub const PROBES: usize = 100_000;
/// Longest time a histogram tells apart.
pub const LONGEST: Duration = Duration::from_secs(120);
