//! Segments: the immutable pieces a cut is written in. One blob each, compressed and checksummed.

/// Sections of a shard's stored state: 0..64 are the actors' buckets, then the shard's own.
pub const HEADER: u16 = 64;
/// First section of the tally book (users) or of the series (products); as many as [`crate::key::BUCKETS`].
pub const ROWS: u16 = 128;

/// Name of a segment within its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId {
    pub section: u16,
    pub cut: u64,
    pub epoch: u64,
}

/// A stored segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub id: SegmentId,
    /// A base holds its section whole; a delta what changed since the segment before.
    pub base: bool,
    /// `souk.state.v1.Segment`, compressed, with checksum: written and read by this module alone.
    pub blob: Vec<u8>,
}
