//! Every bound of the binary, by name, with its reason.

use std::time::Duration;

use crate::config::Size;

/// Partitions of one journal: beyond it a node spends its time switching between shards.
pub(crate) const PARTITIONS: u16 = 1_024;
/// Least memory budget: below it the hot actors of the built-in catalogue alone do not fit.
pub(crate) const LEAST_MEMORY: Size = Size(32 << 20);
/// Least size of a kept journal: some segment files.
pub(crate) const LEAST_JOURNAL: Size = Size(64 << 20);
/// Events a second of synthetic shoppers: what one process makes beside serving.
pub(crate) const TRAFFIC_RATE: u32 = 100_000;

/// How often a starting node looks whether its shards serve.
pub(crate) const READY_POLL: Duration = Duration::from_millis(10);
/// How often a starting node says what it still waits for.
pub(crate) const READY_WORD: Duration = Duration::from_secs(5);

/// How often a leaving node looks whether anybody still uses its journal and store.
pub(crate) const CLOSE_POLL: Duration = Duration::from_millis(5);

/// Connections of the HTTP port at once: a few scrapers and probes.
pub(crate) const HTTP_CONNECTIONS: usize = 64;
/// How long the HTTP port waits for the head of a request.
pub(crate) const HTTP_HEADER_WAIT: Duration = Duration::from_secs(5);

/// How long a connection attempt of a client command may take.
pub(crate) const CONNECT_WAIT: Duration = Duration::from_secs(3);
/// First and longest pause before a watch is begun again.
pub(crate) const RESUME_FIRST: Duration = Duration::from_millis(200);
pub(crate) const RESUME_LONGEST: Duration = Duration::from_secs(5);
/// Attempts to begin a watch again without a frame in between: about five minutes.
pub(crate) const RESUME_ATTEMPTS: u32 = 60;
/// Pause between two looks of `souk health --exit-when-healthy`.
pub(crate) const HEALTH_POLL: Duration = Duration::from_millis(200);
/// Largest message a client command takes: a page of a thousand rows.
pub(crate) const MESSAGE_BYTES: usize = 64 << 20;
/// Rows of a page, as the API's upper bound has it.
pub(crate) const PAGE_ROWS: i32 = 1_000;
/// Bytes of a file or of standard input read as one request.
pub(crate) const REQUEST_BYTES: u64 = 64 << 20;

/// Rows a node may be told to write to tables each second: about what a small server takes in batches.
pub(crate) const TABLE_ROWS: usize = 100_000;
/// Bridges of one node: each is a thread and two clients of Kafka.
pub(crate) const BRIDGES: usize = 64;
