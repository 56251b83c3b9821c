//! What an owner wants done. The shell does it in order; between two effects the process may die, which is what crash points name.

use souk_proto::journal::v1 as journal;

use crate::cut::manifest::{Condition, Manifest};
use crate::cut::segment::{Segment, SegmentId};
use crate::journal::{Journal, ShardId};
use crate::key::ActorKey;
use crate::output::Output;
use crate::tally::{TallyAck, TallyBatch, TallyRequest};
use crate::time::Millis;

/// Ties a reply to its request. Unique within one owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u64);

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the manifest serially: [`super::Input::Manifest`].
    ReadManifest { tag: Tag },
    /// One conditional write: [`super::Input::Flipped`].
    WriteManifest { tag: Tag, condition: Condition, manifest: Box<Manifest> },
    /// Write segments, each once, in any order: [`super::Input::SegmentsWritten`].
    WriteSegments { tag: Tag, segments: Vec<Segment> },
    /// Read every stored segment of these sections (visible or not), as `SegmentsWritten` left them: [`super::Input::Sections`].
    LoadSections { tag: Tag, sections: Vec<u16> },
    /// Delete segments a committed manifest supersedes. No reply: resurrection is harmless.
    DeleteSegments { segments: Vec<SegmentId> },
    /// Ends and identity of the shard's partition: [`super::Input::Ends`].
    ReadEnds { tag: Tag },
    /// Entries from this offset on, as many as the shell likes: [`super::Input::Entries`].
    ReadEntries { tag: Tag, from: u64 },
    /// Append a record. A saga step for another shard, or the owner's own tick: [`super::Input::Appended`].
    Append { tag: Tag, journal: Journal, key: AppendKey, record: Box<journal::Record> },
    /// To the owner of another shard, whoever that is; may be lost, repeated or reordered.
    Send { to: ShardId, message: PeerMessage },
    /// Outputs of folded records that nobody but this node needs: replies, watchers.
    Publish { outputs: Vec<Output> },
    /// Wake the owner with [`super::Input::Woken`] not before this time of the shell's clock. It takes the place of a
    /// later wake-up asked for before.
    WakeAt { at: Millis },
    /// Nothing is done: the owner passed a point worth crashing at.
    Passed(CrashPoint),
    /// The owner is done for: drop it with everything it holds.
    Stop(StopReason),
}

/// Whose record it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendKey {
    /// An actor's: the partition follows from the key.
    Actor(ActorKey),
    /// The shard's own (a tick): this partition.
    Shard(ShardId),
}

/// Owner to owner. Lossy by contract.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerMessage {
    /// Users shard to products shard.
    Tally(TallyBatch),
    /// Products shard to users shard: send again what came after this offset.
    TallySince(TallyRequest),
    /// Products shard to users shard: what it holds, and what its committed cut holds.
    TallyAck(TallyAck),
}

/// Places where a crash is most telling. The runtime's failpoints and the simulator's crashes use these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashPoint {
    EpochRaised,
    HeaderLoaded,
    ReplayDone,
    StepsAppended,
    CutFrozen,
    SegmentsWritten,
    ManifestFlipped,
    SupersededDeleted,
    TallySent,
    SkipListed,
}

/// Why an owner stops. Only [`StopReason::Refused`] needs a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    #[error("another owner holds epoch {epoch}")]
    Fenced { epoch: u64 },
    #[error("the outcome of a conditional write could not be learned")]
    OutcomeUnknown,
    #[error("the journal or the store does not match the manifest: {0}")]
    Refused(String),
    #[error("a record panicked the fold; start again from the last cut")]
    FoldPanicked { offset: u64 },
    #[error("{0} did not answer")]
    Unavailable(&'static str),
    #[error("handed over")]
    HandedOver,
}
