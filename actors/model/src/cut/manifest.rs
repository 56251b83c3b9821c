//! The manifest: the one row per shard that says which cut counts, and which epoch may write the next. Written only by conditional
//! writes, read only serially.

use std::collections::BTreeMap;

use crate::journal::ShardId;
use crate::time::Millis;

#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub shard: ShardId,
    pub epoch: u64,
    /// Names one owner, once: node and incarnation. Two owners never share it, or neither could tell whose write was applied.
    pub owner: String,
    /// Where other nodes reach the owner's; empty: there are none.
    pub address: String,
    pub topic_id: u64,
    pub partitions: u16,
    pub fold_version: u32,
    pub settings_hash: u64,
    /// Number of the committed cut; 0 before the first.
    pub cut: u64,
    /// Offset of the last record the cut holds.
    pub position: u64,
    /// Append time of that record.
    pub position_time: Millis,
    /// Checksum of that record's entry.
    pub last_checksum: u32,
    /// The last committed cut of each epoch that committed one.
    pub lineage: BTreeMap<u64, u64>,
    /// Where each section of the cut lies.
    pub sections: BTreeMap<u16, SectionSummary>,
    /// Offsets the fold must not be given again, and why.
    pub skips: BTreeMap<u64, String>,
    /// How often the record at an offset panicked the fold.
    pub panics: BTreeMap<u64, u32>,
}

/// What the manifest knows of one section without loading it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SectionSummary {
    /// Cut and epoch of the newest base.
    pub base: (u64, u64),
    /// Cuts and epochs of the deltas after it, in order.
    pub deltas: Vec<(u64, u64)>,
    pub actors: u64,
    pub bytes: u64,
    pub earliest_watermark_timer: Option<Millis>,
    pub earliest_log_timer: Option<Millis>,
}

/// What must hold for a manifest write to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// No manifest exists yet.
    Absent,
    /// `IF epoch = e`. Nothing correct uses it: a manifest is written whole, so a late write could take back a committed cut.
    Epoch(u64),
    /// `IF epoch = e AND cut = n`: takeover, the flip, and the skip list.
    EpochAndCut { epoch: u64, cut: u64 },
}

impl Condition {
    /// What a store checks before it applies the write.
    pub fn holds(self, current: Option<&Manifest>) -> bool {
        match (self, current) {
            (Self::Absent, current) => current.is_none(),
            (Self::Epoch(epoch), Some(current)) => current.epoch == epoch,
            (Self::EpochAndCut { epoch, cut }, Some(current)) => current.epoch == epoch && current.cut == cut,
            (_, None) => false,
        }
    }
}
