//! Bounds of the publisher, by name, with their reasons.

use std::time::Duration;

/// Batches under way at once: enough to cover a sync of the journal, few enough to send again after a break.
pub(super) const IN_FLIGHT: usize = 16;
/// Bytes of events in one message: a node takes 256 KiB, and what stands around the events is small.
pub(crate) const BATCH_BYTES: usize = 192 << 10;
/// Events in one message: half of what a node takes, so that a verdict does not wait for many others.
pub(crate) const BATCH_EVENTS: usize = 500;
/// First and longest pause before a stream that broke is begun again.
pub(super) const AGAIN_FIRST: Duration = Duration::from_millis(200);
pub(super) const AGAIN_LONGEST: Duration = Duration::from_secs(5);
/// Streams begun in a row without an answer: about five minutes.
pub(super) const ATTEMPTS: u32 = 60;
