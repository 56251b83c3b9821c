//! What an owner is told. Every reply can also be lost: the owner asks again when woken.

use crate::cut::manifest::Manifest;
use crate::cut::segment::Segment;
use crate::journal::{Entry, ShardId};
use crate::owner::effect::{PeerMessage, Tag};
use crate::time::Millis;

#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Begin the takeover. `now` is the shell's clock (used for waiting only, never by the fold).
    Start {
        now: Millis,
    },
    Manifest {
        tag: Tag,
        result: Result<Option<Box<Manifest>>, Unavailable>,
    },
    Flipped {
        tag: Tag,
        outcome: CasOutcome,
    },
    SegmentsWritten {
        tag: Tag,
        outcome: WriteOutcome,
    },
    Sections {
        tag: Tag,
        result: Result<Vec<Segment>, Unavailable>,
    },
    Ends {
        tag: Tag,
        result: Result<Ends, Unavailable>,
    },
    Entries {
        tag: Tag,
        result: Result<Entries, Unavailable>,
    },
    Appended {
        tag: Tag,
        outcome: AppendOutcome,
    },
    Peer {
        from: ShardId,
        message: PeerMessage,
    },
    /// Somebody wants to read actors of sections that are not loaded ([`crate::owner::Fold::lacks`]). Of no effect before the shard
    /// is carried: whoever asks looks after each input whether they are there, and asks again.
    Load {
        sections: Vec<u16>,
    },
    /// The time asked for has come, on the shell's clock.
    Woken {
        now: Millis,
    },
    /// Hand over: cut, then stop.
    HandOver {
        now: Millis,
    },
}

/// Outcome of a conditional write. `Unknown` may still be applied, now or later: only a serial read tells.
#[derive(Debug, Clone, PartialEq)]
pub enum CasOutcome {
    Applied,
    NotApplied { current: Option<Box<Manifest>> },
    Unknown,
}

/// Outcome of plain writes of immutable segments: repeating an `Unknown` one is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    Written,
    Unknown,
}

/// Outcome of an append. `Unknown` may be in the journal: repeat it with the same business id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendOutcome {
    At { shard: ShardId, offset: u64 },
    Refused,
    Unknown,
}

/// The service did not answer: nothing is known to have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unavailable")]
pub struct Unavailable;

/// Where a partition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// Identity of the partition's topic: a recreated one has another.
    pub topic_id: u64,
    pub partitions: u16,
    /// Offset of the first entry still retained; `end + 1` when empty.
    pub start: u64,
    /// Offset of the last entry; 0 when none was ever appended.
    pub end: u64,
    /// Of a topic that was adopted: the offset after which a shard that has no manifest yet begins to fold. None: it folds from the first.
    pub origin: Option<u64>,
}

/// Entries read, in order, and the end of the partition at that moment. At the end of a partition the shell may hold the read back until
/// something arrives, but for no longer than a few seconds. An offset that is no longer retained gives no entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    pub entries: Vec<Entry>,
    pub end: u64,
}
