//! Tables that people read: made of the settings, written as absolute rows whose write time is their revision.
//!
//! `declared` makes tables and knows those that may be written, `statement` is every word said about them, `batches` puts rows of one
//! partition into one request. `history` keeps records as they came. Sessions of their own: what waits here holds no cut up.

mod batches;
mod declared;
mod history;
mod reach;
mod statement;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scylla::client::session::Session;
use souk_model::owner::Unavailable;
use souk_model::view::TableShape;
use souk_runtime::ports::{TableWrite, Tables};

use crate::Error;
use crate::client::connect;
use crate::limits::TABLE_REQUESTS;
use crate::options::Options;
use crate::schema;
use batches::{Request, requests};
use declared::Declared;
pub use history::{CassandraHistory, migrate_history};
use reach::Reach;

/// The tables of a keyspace that [`crate::migrate`] has made.
#[derive(Debug)]
pub struct CassandraTables {
    session: Session,
    options: Options,
    declared: ArcSwap<Declared>,
    reach: Reach,
}

/// Makes the tables of these shapes, as far as they are not there.
pub async fn migrate_tables(options: Options, tables: Vec<Arc<TableShape>>) -> Result<(), Error> {
    let made = CassandraTables::open(options).await?;
    declared::declare(&made.session, &made.options, tables).await.map(drop)
}

impl CassandraTables {
    pub async fn open(options: Options) -> Result<Self, Error> {
        options.check()?;
        let session = connect(&options).await?;
        schema::check(&session, &options).await?;
        let reach = Reach::new(options.addresses());
        Ok(Self { session, options, declared: ArcSwap::default(), reach })
    }

    async fn send(&self, request: Request) -> Result<(), Unavailable> {
        let Request { batch, values } = request;
        self.reach.heard(self.session.batch(&batch, values).await.map(drop))
    }
}

#[async_trait]
impl Tables for CassandraTables {
    async fn declare(&self, tables: Vec<Arc<TableShape>>) -> Result<(), Unavailable> {
        match declared::declare(&self.session, &self.options, tables).await {
            Ok(declared) => {
                self.declared.store(Arc::new(declared));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "the tables cannot be made now; it is tried again");
                Err(Unavailable)
            }
        }
    }

    async fn write(&self, writes: Vec<TableWrite>) -> Result<(), Unavailable> {
        let requests = requests(&self.declared.load(), writes);
        stream::iter(requests)
            .map(|request| self.send(request))
            .buffer_unordered(TABLE_REQUESTS)
            .try_collect()
            .await
    }
}
