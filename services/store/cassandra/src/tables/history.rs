//! The history: records as rows under their ids, and how far each shard's are kept.
//!
//! A row's write time is its offset's negative: of two records of one id the first stays, however often and late either is written; and what
//! somebody deletes, whose clock is above it, does not come back. A record is a partition, found by its id alone; a batch takes a few that
//! came one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, MaybeUnset};
use souk_model::owner::Unavailable;
use souk_model::view::Table;
use souk_runtime::ports::{History, HistoryPlace, HistoryRow};

use super::batches::{Bound, Building, Request, bytes, value};
use super::declared::{differs, lacks, make, stand};
use super::reach::Reach;
use super::statement;
use crate::Error;
use crate::client::connect;
use crate::cql::Agreement;
use crate::limits::{HISTORY_BATCH_ROWS, TABLE_REQUESTS};
use crate::options::Options;
use crate::schema;

/// A history in a keyspace that [`crate::migrate`] has made.
#[derive(Debug)]
pub struct CassandraHistory {
    session: Session,
    options: Options,
    declared: ArcSwap<Declared>,
    reach: Reach,
}

/// Statements known to the servers.
#[derive(Debug, Default)]
struct Declared {
    /// By table.
    inserts: BTreeMap<String, PreparedStatement>,
    places: Option<Places>,
}

#[derive(Debug, Clone)]
struct Places {
    read: PreparedStatement,
    write: PreparedStatement,
}

/// Makes these tables, and the one of places, as far as they are not there.
pub async fn migrate_history(options: Options, tables: Vec<Arc<Table>>) -> Result<(), Error> {
    let made = CassandraHistory::open(options).await?;
    made.make_and_prepare(tables).await.map(drop)
}

impl CassandraHistory {
    pub async fn open(options: Options) -> Result<Self, Error> {
        options.check()?;
        let session = connect(&options).await?;
        schema::check(&session, &options).await?;
        let reach = Reach::new(options.addresses());
        Ok(Self { session, options, declared: ArcSwap::default(), reach })
    }

    async fn make_and_prepare(&self, tables: Vec<Arc<Table>>) -> Result<Declared, Error> {
        let Self { session, options, .. } = self;
        let before = stand(session, options).await?;
        let mut lacking: Vec<String> =
            tables.iter().flat_map(|table| lacks(options, table, &before)).collect();
        if !before.contains_key(statement::PLACES) {
            lacking.push(statement::create_places(&options.keyspace));
        }
        if !lacking.is_empty() {
            make(session, options, lacking).await?;
        }
        let now = stand(session, options).await?;
        let mut declared = Declared { places: Some(self.places().await?), ..Declared::default() };
        for table in tables {
            if let Some(why) = differs(&table, now.get(&table.name)) {
                let table = &table.name;
                tracing::error!(table, why, "this table of the history is not written: give it another name");
                continue;
            }
            let insert = self.prepare(statement::insert(&options.keyspace, &table)).await?;
            declared.inserts.insert(table.name.clone(), insert);
        }
        Ok(declared)
    }

    async fn places(&self) -> Result<Places, Error> {
        let keyspace = &self.options.keyspace;
        Ok(Places {
            read: self.prepare(statement::read_place(keyspace)).await?,
            write: self.prepare(statement::write_place(keyspace)).await?,
        })
    }

    async fn prepare(&self, text: String) -> Result<PreparedStatement, Error> {
        let prepared = self.session.prepare(Agreement::of(&self.options).repeatable(text)).await;
        prepared.map_err(|error| Error::server("write to the tables of the history", error))
    }

    async fn send(&self, request: Request) -> Result<(), Unavailable> {
        let Request { batch, values } = request;
        self.reach.heard(self.session.batch(&batch, values).await.map(drop))
    }
}

#[async_trait]
impl History for CassandraHistory {
    async fn declare(&self, tables: Vec<Arc<Table>>) -> Result<BTreeSet<String>, Unavailable> {
        let declared = self.reach.heard(self.make_and_prepare(tables).await)?;
        let names = declared.inserts.keys().cloned().collect();
        self.declared.store(Arc::new(declared));
        Ok(names)
    }

    async fn write(&self, rows: Vec<HistoryRow>) -> Result<(), Unavailable> {
        let requests = requests(&self.declared.load(), rows);
        stream::iter(requests)
            .map(|request| self.send(request))
            .buffer_unordered(TABLE_REQUESTS)
            .try_collect()
            .await
    }

    async fn kept(&self, place: &HistoryPlace) -> Result<u64, Unavailable> {
        let places = self.declared.load().places.clone().ok_or(Unavailable)?;
        let HistoryPlace { table, shard, topic_id } = place;
        let asked = (table, shard.to_string(), topic_id.cast_signed());
        let answer = self.reach.heard(self.session.execute_unpaged(&places.read, asked).await)?;
        let rows = self.reach.heard(answer.into_rows_result())?;
        let row = self.reach.heard(rows.maybe_first_row::<(i64,)>())?;
        Ok(row.map_or(0, |(upto,)| upto.cast_unsigned()))
    }

    async fn keep(&self, place: &HistoryPlace, upto: u64) -> Result<(), Unavailable> {
        let places = self.declared.load().places.clone().ok_or(Unavailable)?;
        let HistoryPlace { table, shard, topic_id } = place;
        let upto = upto.cast_signed();
        // The furthest stays, whoever says so last.
        let told = (table, shard.to_string(), topic_id.cast_signed(), upto, upto);
        self.reach.heard(self.session.execute_unpaged(&places.write, told).await.map(drop))
    }
}

fn requests(declared: &Declared, rows: Vec<HistoryRow>) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut open: BTreeMap<String, Building> = BTreeMap::new();
    for row in rows {
        let Some(insert) = declared.inserts.get(&row.table.name) else { continue };
        if !open.contains_key(&row.table.name) {
            open.insert(row.table.name.clone(), Building::new(HISTORY_BATCH_ROWS));
        }
        let Some(building) = open.get_mut(&row.table.name) else { continue };
        let size = bytes(row.values.iter());
        let written = CqlValue::BigInt(row.offset.cast_signed().saturating_neg());
        let columns: Vec<Bound> =
            row.values.into_iter().map(value).chain([MaybeUnset::Set(Some(written))]).collect();
        requests.extend(building.add(insert, size, columns));
    }
    requests.extend(open.into_values().filter_map(Building::finish));
    requests
}
