//! A store asked as an owner asks it: a real one may time out under load, and then says so. An outcome that is unknown is looked up by a
//! serial read, and the question put again while its condition still holds; reads, plain
//! writes and deletes are put again as they are.

use async_trait::async_trait;
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};

use crate::ports::Store;

/// Times one question is put: a store that gives no definite answer for so long is not one that nothing disturbs.
const ASKED_AT_MOST: usize = 8;

#[derive(Debug)]
pub(super) struct Patient<S>(pub S);

#[async_trait]
impl<S: Store> Store for Patient<S> {
    async fn manifest(&self, shard: ShardId) -> Result<Option<Manifest>, Unavailable> {
        for _ in 1..ASKED_AT_MOST {
            if let Ok(found) = self.0.manifest(shard).await {
                return Ok(found);
            }
        }
        self.0.manifest(shard).await
    }

    /// No two manifests of the suite that contend are equal: the one that stands says whose write was applied.
    async fn write_manifest(&self, condition: Condition, manifest: Manifest) -> CasOutcome {
        for _ in 0..ASKED_AT_MOST {
            let outcome = self.0.write_manifest(condition, manifest.clone()).await;
            if outcome != CasOutcome::Unknown {
                return outcome;
            }
            let Ok(stands) = self.manifest(manifest.shard).await else { continue };
            if stands.as_ref() == Some(&manifest) {
                return CasOutcome::Applied;
            }
            if !condition.holds(stands.as_ref()) {
                return CasOutcome::NotApplied { current: stands.map(Box::new) };
            }
        }
        CasOutcome::Unknown
    }

    async fn write_segments(&self, shard: ShardId, segments: Vec<Segment>) -> WriteOutcome {
        for _ in 1..ASKED_AT_MOST {
            if self.0.write_segments(shard, segments.clone()).await == WriteOutcome::Written {
                return WriteOutcome::Written;
            }
        }
        self.0.write_segments(shard, segments).await
    }

    async fn load_sections(&self, shard: ShardId, sections: Vec<u16>) -> Result<Vec<Segment>, Unavailable> {
        for _ in 1..ASKED_AT_MOST {
            if let Ok(found) = self.0.load_sections(shard, sections.clone()).await {
                return Ok(found);
            }
        }
        self.0.load_sections(shard, sections).await
    }

    async fn delete_segments(&self, shard: ShardId, segments: Vec<SegmentId>) {
        let mut sections: Vec<u16> = segments.iter().map(|id| id.section).collect();
        sections.dedup();
        for _ in 0..ASKED_AT_MOST {
            self.0.delete_segments(shard, segments.clone()).await;
            let left = self.0.load_sections(shard, sections.clone()).await;
            if left.is_ok_and(|left| left.iter().all(|left| !segments.contains(&left.id))) {
                return;
            }
        }
    }
}
