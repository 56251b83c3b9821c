//! The simulator's store keeps the contract of the store port while nothing disturbs it.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};
use souk_runtime::conformance;
use souk_runtime::ports::Store;
use souk_sim::faults::{Chaos, FaultSet};
use souk_sim::store::SimStore;

/// Operations that the world carries out after a delay, carried out at once.
#[derive(Debug)]
struct AtOnce(Mutex<(SimStore, Chaos)>);

impl AtOnce {
    fn new() -> Self {
        Self(Mutex::new((SimStore::default(), Chaos::new(1, FaultSet::default()))))
    }

    fn lock(&self) -> MutexGuard<'_, (SimStore, Chaos)> {
        self.0.lock().expect("nobody panicked while holding it")
    }
}

#[async_trait]
impl Store for AtOnce {
    async fn manifest(&self, shard: ShardId) -> Result<Option<Manifest>, Unavailable> {
        Ok(self.lock().0.manifest(shard).cloned())
    }

    async fn write_manifest(&self, condition: Condition, manifest: Manifest) -> CasOutcome {
        let (store, chaos) = &mut *self.lock();
        let fate = store.cas_fate(0, chaos);
        assert!(fate.told && fate.apply_after.is_some(), "nothing disturbs it");
        store.cas_sent(manifest.shard);
        store.compare_and_set(manifest.shard, condition, manifest)
    }

    async fn write_segments(&self, shard: ShardId, segments: Vec<Segment>) -> WriteOutcome {
        let (store, chaos) = &mut *self.lock();
        let fate = store.write_fate(0, chaos);
        store.write(shard, &segments, fate.replicas);
        fate.outcome
    }

    async fn load_sections(&self, shard: ShardId, sections: Vec<u16>) -> Result<Vec<Segment>, Unavailable> {
        let (store, chaos) = &mut *self.lock();
        Ok(store.load(shard, &sections, chaos))
    }

    async fn delete_segments(&self, shard: ShardId, segments: Vec<SegmentId>) {
        let (store, chaos) = &mut *self.lock();
        store.delete(shard, &segments, chaos);
    }
}

#[tokio::test]
async fn the_simulated_store_conforms() {
    conformance::store::suite(async |store: Option<AtOnce>| store.unwrap_or_else(AtOnce::new)).await;
}
