//! Tables on a real server keep the port's contract, and take columns that settings add.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod real;

use scylla::value::{CqlValue, Row};
use souk_model::settings::Settings;
use souk_model::view::{Catalogue, Datum, TableShape};
use souk_runtime::conformance;
use souk_runtime::ports::Tables as _;
use souk_store_cassandra::{CassandraTables, Options, migrate, migrate_tables};

async fn rows(options: &Options, shape: &TableShape) -> Vec<Vec<Datum>> {
    let table = &shape.table;
    let columns = table.partition.iter().chain(&table.clustering).chain(&table.values);
    let names: Vec<_> = columns.map(|column| format!("\"{}\"", column.name)).collect();
    let text = format!("SELECT {} FROM {}.\"{}\"", names.join(", "), options.keyspace, table.name);
    let answer = real::operator().await.query_unpaged(text, ()).await.unwrap().into_rows_result().unwrap();
    let rows = answer.rows::<Row>().unwrap().map(|row| row.unwrap().columns.into_iter().map(datum).collect());
    rows.collect()
}

fn datum(value: Option<CqlValue>) -> Datum {
    match value {
        None => Datum::Null,
        Some(CqlValue::Text(text)) => Datum::Text(text),
        Some(CqlValue::BigInt(number)) => Datum::Integer(number),
        Some(CqlValue::Double(number)) => Datum::Double(number),
        Some(CqlValue::Timestamp(time)) => Datum::Time(time.0),
        Some(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_keep_the_contract() {
    let options = real::options();
    migrate(&options).await.expect("the store's tables are made");
    let tables = CassandraTables::open(options.clone()).await.expect("it opens");
    conformance::tables::suite(&tables, async |shape| rows(&options, shape).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_add_columns_and_a_table_of_another_kind_is_left_alone() {
    let options = real::options();
    migrate(&options).await.expect("the store's tables are made");
    let shapes = |settings: &str| Catalogue::of(&Settings::layered(settings).unwrap()).tables();
    migrate_tables(options.clone(), shapes("")).await.expect("they are made");
    let more = "[metric.active_users]\ntable = { window = \"5m/1m\", name = \"active_users_minute\", key = { minute_ts = \"end\" }, \
                columns = { users = \"users\", people = \"users\" } }\n\
                [metric.pages]\ntable = { name = \"segments\", columns = \"all\" }";
    let shapes = shapes(more);
    let tables = CassandraTables::open(options.clone()).await.expect("it opens");
    tables.declare(shapes.clone()).await.expect("columns are added");
    let users = shapes.iter().find(|shape| shape.table.name == "active_users_minute").unwrap();
    assert_eq!(users.table.values.len(), 2);
    assert_eq!(rows(&options, users).await, Vec::<Vec<Datum>>::new(), "it can be asked for");
}
