//! Every bound that is any client's, by name, with its reason.

use std::time::Duration;

/// A line of the client library's log is not said again within this time, as far back as so many different lines.
pub const QUIET: Duration = Duration::from_secs(10);
pub const SAID_LINES: usize = 32;

/// Messages taken from librdkafka at a time.
pub const BATCH_MESSAGES: usize = 4_096;

/// How often whoever owns a client knocks, and how long a broker that is there may take to answer.
pub const KNOCK_EVERY: Duration = Duration::from_secs(5);
pub const KNOCK: Duration = Duration::from_millis(500);
/// After so many knocks without an answer a client is reminded of its addresses at every so manyth alone, once a minute.
pub const KNOCKS: u32 = 12;
pub const LATER_KNOCKS: u32 = 12;

/// How long a client that nobody polls otherwise is listened to, and how many of its failures are heard at most at a time. What it says while brokers
/// are away would gather without an end; without a wait it says one thing a call.
pub const LISTEN: Duration = Duration::from_millis(10);
pub const HEARD: usize = 1_000;
