//! The store: cuts and manifests. Segments are immutable and written before the one conditional write that makes them count.
//!
//! Contract, checked by `conformance::store`: a manifest is changed only where its condition holds, and reads of it are serial with
//! those changes; a segment that was written is loaded as it was written until it is deleted; repeating a write is harmless.

use std::fmt::Debug;

use async_trait::async_trait;
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};

#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// A serial read.
    async fn manifest(&self, shard: ShardId) -> Result<Option<Manifest>, Unavailable>;

    /// One conditional write. The manifest names its shard.
    async fn write_manifest(&self, condition: Condition, manifest: Manifest) -> CasOutcome;

    /// Writes each segment once, in any order; durable when it answers `Written`.
    async fn write_segments(&self, shard: ShardId, segments: Vec<Segment>) -> WriteOutcome;

    /// Every stored segment of these sections, visible or not.
    async fn load_sections(&self, shard: ShardId, sections: Vec<u16>) -> Result<Vec<Segment>, Unavailable>;

    /// Deletes what a committed manifest supersedes. May fail silently: resurrection is harmless.
    async fn delete_segments(&self, shard: ShardId, segments: Vec<SegmentId>);
}
