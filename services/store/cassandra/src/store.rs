//! The store port on a keyspace.

use async_trait::async_trait;
use souk_model::cut::manifest::{Condition, Manifest};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};
use souk_runtime::ports::Store;

use crate::client::{Client, connect};
use crate::cql::Prepared;
use crate::options::Options;
use crate::{Error, manifests, schema, segments};

/// Cuts and manifests of all shards, shared by all nodes that open the same keyspace.
#[derive(Debug)]
pub struct CassandraStore {
    client: Client,
}

impl CassandraStore {
    /// Opens a keyspace that [`crate::migrate`] has made. Waits for a server that is just starting; refuses another schema than its own.
    pub async fn open(options: Options) -> Result<Self, Error> {
        options.check()?;
        let session = connect(&options).await?;
        schema::check(&session, &options).await?;
        let prepared = Prepared::on(&session, &options).await;
        let prepared = prepared.map_err(|error| Error::server("prepare the store's statements", error))?;
        Ok(Self { client: Client::new(session, prepared, &options) })
    }
}

#[async_trait]
impl Store for CassandraStore {
    async fn manifest(&self, shard: ShardId) -> Result<Option<Manifest>, Unavailable> {
        manifests::read(&self.client, shard).await
    }

    async fn write_manifest(&self, condition: Condition, manifest: Manifest) -> CasOutcome {
        manifests::write(&self.client, condition, &manifest).await
    }

    async fn write_segments(&self, shard: ShardId, segments: Vec<Segment>) -> WriteOutcome {
        match segments::write(&self.client, shard, segments).await {
            Ok(()) => WriteOutcome::Written,
            Err(Unavailable) => WriteOutcome::Unknown,
        }
    }

    async fn load_sections(&self, shard: ShardId, sections: Vec<u16>) -> Result<Vec<Segment>, Unavailable> {
        segments::load(&self.client, shard, sections).await
    }

    async fn delete_segments(&self, shard: ShardId, segments: Vec<SegmentId>) {
        let (Ok(()) | Err(Unavailable)) = segments::delete(&self.client, shard, segments).await;
    }
}
