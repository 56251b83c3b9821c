//! What an embedded journal is told when it is opened.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use souk_model::journal::Partitions;

use crate::limits::{LEAST_SEGMENT_BYTES, MOST_SEGMENT_BYTES, PARTITIONS};
use crate::{Error, limits};

#[derive(Debug)]
pub struct Options {
    /// The journal's own directory; made if it is not there.
    pub dir: PathBuf,
    /// Fixed when the directory is made.
    pub partitions: Partitions,
    /// Identity a new directory gets, drawn at random by the caller. An existing one keeps its own.
    pub new_topic_id: u64,
    /// Fixed when the directory is made.
    pub clock_kind: ClockKind,
    pub durability: Durability,
    /// Size at which a segment file is sealed and the next begun.
    pub segment_bytes: u64,
    pub retention: Retention,
    /// Memory for the newest entries of all partitions together.
    pub tail_bytes: usize,
    pub check: Check,
    pub on_fatal: OnFatal,
}

impl Options {
    /// The defaults: synced before an answer, 64 MiB segments, kept for a day and at most 64 GiB, 64 MiB of newest entries in memory.
    pub fn new(
        dir: impl Into<PathBuf>,
        partitions: Partitions,
        new_topic_id: u64,
        on_fatal: OnFatal,
    ) -> Self {
        Self {
            dir: dir.into(),
            partitions,
            new_topic_id,
            clock_kind: ClockKind::Live,
            durability: Durability::Fsync,
            segment_bytes: 64 << 20,
            retention: Retention { keep: Duration::from_secs(24 * 3_600), most_bytes: 64 << 30 },
            tail_bytes: 64 << 20,
            check: Check::Newest,
            on_fatal,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let partitions = 1..=PARTITIONS;
        if !partitions.contains(&self.partitions.users) || !partitions.contains(&self.partitions.products) {
            return Err(Error::Option {
                option: "partitions",
                why: format!("must be 1 to {PARTITIONS} each"),
            });
        }
        if !(LEAST_SEGMENT_BYTES..=MOST_SEGMENT_BYTES).contains(&self.segment_bytes) {
            let why = format!("must be {LEAST_SEGMENT_BYTES} to {MOST_SEGMENT_BYTES}");
            return Err(Error::Option { option: "segment_bytes", why });
        }
        if self.durability == Durability::Interval(Duration::ZERO) {
            return Err(Error::Option {
                option: "durability",
                why: "the interval must be above zero".to_owned(),
            });
        }
        Ok(())
    }

    /// Distance of two points of a segment's index.
    pub(crate) fn block_bytes(&self) -> u64 {
        let even = self.segment_bytes / limits::BLOCKS_PER_SEGMENT;
        even.clamp(limits::LEAST_BLOCK_BYTES, limits::BLOCK_BYTES)
    }
}

/// What an answered append has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Power loss: synced to the disk before it is answered and before a fold sees it.
    Fsync,
    /// The end of the process: handed to the operating system, synced this often. A power loss takes at most this much.
    Interval(Duration),
}

/// When a segment goes. One with an entry that its shard's committed cut does not hold never does; of the others the oldest goes once it
/// is older than `keep`, or while the log is larger than `most_bytes`: a full disk would stop everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub keep: Duration,
    pub most_bytes: u64,
}

/// Where log time comes from, for the life of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockKind {
    /// Events of now: ticks, and bounds on event times.
    Live,
    /// Old files and backfill: neither.
    History,
}

impl ClockKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::History => "history",
        }
    }
}

/// How much of the log is read when it opens. What is not is checked when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The newest segment, and of the others what they say of themselves.
    Newest,
    /// Every byte.
    Everything,
}

/// Called once, from the writer's thread, when a write or a sync failed and nobody knows what the disk holds: nothing is answered as
/// durable afterwards, and the process should end. The next start finds out.
pub struct OnFatal(Box<dyn FnOnce(&Error) + Send>);

impl OnFatal {
    pub fn new(call: impl FnOnce(&Error) + Send + 'static) -> Self {
        Self(Box::new(call))
    }

    pub(crate) fn call(self, error: &Error) {
        (self.0)(error);
    }
}

impl fmt::Debug for OnFatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnFatal")
    }
}
