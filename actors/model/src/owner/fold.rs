//! What an owner carries: a shard's fold, seen from outside. [`crate::shard::Shard`] is the one there is; tests use a toy.

use souk_proto::journal::v1 as journal;

use crate::actor::StateError;
use crate::cut::manifest::SectionSummary;
use crate::cut::segment::Segment;
use crate::journal::{Entry, ShardId};
use crate::output::Outputs;
use crate::owner::effect::PeerMessage;
use crate::time::Millis;

/// Whether a record is folded, or more slices of it are to come (due timers first).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    More,
    Done,
}

/// What the sections of a finished cut came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionDraft {
    pub section: u16,
    pub base: bool,
    pub blob: Vec<u8>,
    pub summary: SectionTotals,
}

/// Totals of a section after the cut, for the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SectionTotals {
    pub actors: u64,
    pub bytes: u64,
    pub earliest_watermark_timer: Option<Millis>,
    pub earliest_log_timer: Option<Millis>,
}

pub trait Fold {
    fn id(&self) -> ShardId;
    /// Offset of the last record folded.
    fn position(&self) -> u64;
    fn fold_version(&self) -> u32;
    fn settings_hash(&self) -> u64;

    /// Sections that must be loaded before anything is folded: the header, the tally book or series.
    fn needed_at_start(&self) -> Vec<u16>;
    /// Sections not loaded yet that folding this entry touches: its actor's, and those with timers it makes due.
    fn missing(&mut self, entry: &Entry) -> Vec<u16>;
    /// Whether every actor is loaded, so that [`Fold::missing`] hardly ever finds any section. Asked often: cheap.
    fn is_whole(&self) -> bool {
        false
    }
    /// Brings what the next few of the entries looked at touch into the cache. Changes nothing.
    fn warm(&self) {}
    /// Whether a section of actors is not loaded, so that reading of it needs a load.
    fn lacks(&self, section: u16) -> bool;
    /// The same for an entry the skip list names: only the timers its append time makes due; its bytes are not looked at.
    fn missing_for_skip(&mut self, _entry: &Entry) -> Vec<u16> {
        Vec::new()
    }
    /// Takes a section as the committed cut holds it: its base and deltas in order; empty when it holds nothing.
    fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError>;
    /// Tells the fold of all sections' timers before they are loaded.
    fn announce(&mut self, section: u16, summary: &SectionSummary);

    /// Why this build may not fold the entry at all: a version barrier beyond it. The owner then stops for a newer build.
    fn refuses(&mut self, _entry: &Entry) -> Option<String> {
        None
    }

    /// Folds one slice of an entry; call again with the same entry until [`Progress::Done`].
    fn step(&mut self, entry: &Entry, out: &mut Outputs) -> Progress;
    /// Passes over an entry the skip list names: a dead letter, deterministically. Moves the position and log time, fires no timers
    /// and reads no section but those needed at the start.
    fn skip(&mut self, entry: &Entry, reason: &str, out: &mut Outputs);
    /// A deadline, an open window or an unsettled saga step waits: ticks are wanted. Never in a history journal.
    fn wants_ticks(&self) -> bool;

    /// Freezes the dirty set at the current position.
    fn freeze(&mut self);
    /// Encodes one slice of the frozen set; the drafts once it is all encoded. Folding goes on between slices.
    fn cut_slice(&mut self) -> Option<Vec<SectionDraft>>;
    /// The cut was committed: what it held may leave memory.
    fn cut_committed(&mut self);
    /// The cut was given up: what it held is dirty again.
    fn cut_abandoned(&mut self);

    /// About how many bytes it holds in memory.
    fn bytes(&self) -> u64;
    /// Encodes up to so many of the actors nobody asked for of late; gives how many.
    fn cool(&mut self, most: usize) -> usize;
    /// Lets go of the section that went unchanged longest, of those of which the committed cut holds everything: it is missing from then
    /// on, its timers announced as the manifest would. `false` when there is none to be spared. Never while an entry is half folded.
    fn unload(&mut self) -> bool;

    /// Sections to be loaded before [`Fold::resend`] may continue after this token.
    fn missing_to_resend(&self, _after: Option<u64>) -> Vec<u16> {
        Vec::new()
    }
    /// Pushes the saga steps its state implies, at most `budget` of them; the token continues where the call before stopped.
    /// The owner decides which of them leave: back-off is counted in log time.
    fn resend(&mut self, after: Option<u64>, budget: usize, out: &mut Outputs) -> Option<u64>;

    /// Messages for peers that are due: tallies not sent yet, requests for gaps, acks. A fold just loaded has sent nothing yet.
    fn peer_messages(&mut self, epoch: u64, budget: usize) -> Vec<(ShardId, PeerMessage)>;
    /// Whether [`Fold::peer_messages`] would give any. Asked often: cheap.
    fn owes_peers(&self) -> bool {
        false
    }
    /// Whether the last of them left some behind that did not fit.
    fn has_more_for_peers(&self) -> bool {
        false
    }
    fn receive(&mut self, from: ShardId, message: PeerMessage);

    /// Digest of the folded state: equal for any two folds of the same prefix.
    fn digest(&self) -> u64;
    /// The tick record.
    fn tick(&self) -> journal::Record {
        journal::Record { body: Some(journal::record::Body::Tick(journal::Tick {})) }
    }
}
