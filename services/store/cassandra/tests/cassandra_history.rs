//! The history on a real server keeps the port's contract, and what somebody deletes stays deleted.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod real;

use std::sync::Arc;

use scylla::value::{CqlValue, Row};
use souk_model::view::{Column, Datum, Kind, Table};
use souk_runtime::conformance;
use souk_runtime::ports::{History as _, HistoryRow};
use souk_store_cassandra::{CassandraHistory, Options, migrate, migrate_history};

async fn rows(options: &Options, table: &Table) -> Vec<Vec<Datum>> {
    let columns = table.partition.iter().chain(&table.clustering).chain(&table.values);
    let names: Vec<_> = columns.map(|column| format!("\"{}\"", column.name)).collect();
    let text = format!("SELECT {} FROM {}.{}", names.join(", "), options.keyspace, table.name);
    let answer = real::operator().await.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap();
    let rows = answer.rows::<Row>().unwrap().map(|row| row.unwrap().columns.into_iter().map(datum).collect());
    rows.collect()
}

fn datum(value: Option<CqlValue>) -> Datum {
    match value {
        Some(CqlValue::Text(text)) => Datum::Text(text),
        Some(CqlValue::BigInt(number)) => Datum::Integer(number),
        Some(CqlValue::Timestamp(time)) => Datum::Time(time.0),
        other => panic!("{other:?}"),
    }
}

async fn open(options: &Options) -> CassandraHistory {
    migrate(options).await.expect("the store's tables are made");
    CassandraHistory::open(options.clone()).await.expect("it opens")
}

fn told(name: &str) -> Arc<Table> {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    Arc::new(Table {
        name: name.to_owned(),
        partition: vec![column("event_id", Kind::Text)],
        clustering: vec![column("shop", Kind::Text)],
        values: vec![column("amount", Kind::Integer)],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_keeps_the_contract() {
    let options = real::options();
    let history = open(&options).await;
    conformance::history::suite(&history, async |table| rows(&options, table).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_does_not_come_back() {
    let options = real::options();
    let history = open(&options).await;
    let table = told("told");
    migrate_history(options.clone(), vec![Arc::clone(&table)]).await.expect("it is made");
    history.declare(vec![Arc::clone(&table)]).await.expect("it answers");
    let values = ["e-1", "main"].map(|text| Datum::Text(text.to_owned()));
    let values = values.into_iter().chain([Datum::Integer(5)]).collect();
    let row = HistoryRow { table: Arc::clone(&table), values, offset: 7 };
    history.write(vec![row.clone()]).await.expect("it answers");
    assert_eq!(rows(&options, &table).await.len(), 1);
    let delete = format!("DELETE FROM {}.told WHERE event_id = 'e-1'", options.keyspace);
    real::operator().await.query_unpaged(delete, ()).await.unwrap();
    history.write(vec![row]).await.expect("it answers");
    assert_eq!(rows(&options, &table).await, Vec::<Vec<Datum>>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_another_kind_is_left_alone() {
    let options = real::options();
    let history = open(&options).await;
    let other = Table {
        partition: told("told").clustering.clone(),
        clustering: Vec::new(),
        ..(*told("told")).clone()
    };
    history.declare(vec![Arc::new(other)]).await.expect("it answers");
    let may = history.declare(vec![told("told"), told("manifests"), told("more")]).await.expect("it answers");
    assert_eq!(may, ["more".to_owned()].into());
}
