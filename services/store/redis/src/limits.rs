//! Every bound of the view in Redis, by name, with its reason.

use std::time::Duration;

/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a request may take: Redis answers one of five hundred commands in some milliseconds.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long who asks for an answer waits: a few times what Redis takes while it carries out a full request of writes.
pub const READ_TIMEOUT: Duration = Duration::from_millis(100);
/// Commands of one request: Redis does nothing else meanwhile.
pub const PIPELINE_COMMANDS: usize = 500;
/// Failures in a row after which no request is made for a while.
pub const FAILURES_TO_OPEN: u32 = 3;
/// How long at first; twice as long after each further failure, up to the most.
pub const OPEN_AT_FIRST: Duration = Duration::from_millis(500);
pub const OPEN_AT_MOST: Duration = Duration::from_secs(8);
/// How long it is remembered how new a value is that itself stays for good: longer than anybody may still write an old one.
pub const ORDER_KEPT: Duration = Duration::from_secs(2 * 86_400);
/// How long the key stays by which a node knows that Redis was not emptied.
pub const ALIVE_KEPT: Duration = Duration::from_secs(86_400);
