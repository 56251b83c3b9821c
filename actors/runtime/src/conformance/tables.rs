//! The port of tables, as questions to an implementation: `read` gives the rows of a table, columns in the order of its key and values.

use std::sync::Arc;

use souk_model::settings::Settings;
use souk_model::view::{Catalogue, Datum, TableRow, TableShape};

use crate::ports::{TableWrite, Tables};

/// Rows of one write far above what goes in one batch.
const MANY: i64 = 3_000;
const HOUR: i64 = 3_600_000;

pub async fn suite(tables: &impl Tables, read: impl AsyncFn(&TableShape) -> Vec<Vec<Datum>>) {
    let shapes = Catalogue::of(&Settings::builtin()).tables();
    tables.declare(shapes.clone()).await.expect("it answers");
    tables.declare(shapes.clone()).await.expect("and again");
    let shape = |name: &str| {
        Arc::clone(shapes.iter().find(|shape| shape.table.name == name).expect("it is declared"))
    };
    the_newest_stays(tables, &shape("products_hourly"), &read).await;
    values_come_back_as_they_are(tables, &shape("region_windows"), &read).await;
    a_list_is_replaced_whole(tables, &shape("top_products_hourly"), &read).await;
    many_rows_are_written(tables, &shape("sales_per_category"), &read).await;
    tables.write(vec![]).await.expect("nothing is soon written");
}

async fn the_newest_stays(
    tables: &impl Tables,
    shape: &Arc<TableShape>,
    read: &impl AsyncFn(&TableShape) -> Vec<Vec<Datum>>,
) {
    let row = |product: &str, revision: u64| {
        let values = [1, 2, 300, 4].map(|value| Datum::Integer(value * revision as i64));
        TableWrite::Row(TableRow {
            table: Arc::clone(shape),
            partition: vec![text("main"), Datum::Time(HOUR)],
            clustering: vec![text(product), text(""), text("EUR")],
            values: [values.as_slice(), &[Datum::Null]].concat(),
            revision,
        })
    };
    for order in [[3, 1, 2], [1, 2, 3], [2, 3, 3]] {
        let product = format!("p-{order:?}");
        for revision in order {
            tables.write(vec![row(&product, revision)]).await.expect("it answers");
        }
    }
    // Within one write too, and beside rows of other partitions.
    tables.write(vec![row("p-4", 3), row("p-4", 2), row("p-5", 3)]).await.expect("it answers");
    let rows = read(shape).await;
    assert_eq!(rows.len(), 5);
    for found in rows {
        assert_eq!(found[..2], [text("main"), Datum::Time(HOUR)]);
        let values = [3, 6, 900, 12].map(Datum::Integer);
        assert_eq!(found[5..9], values, "the third revision, whatever came last");
        assert_eq!(found[9], Datum::Null);
    }
}

async fn values_come_back_as_they_are(
    tables: &impl Tables,
    shape: &Arc<TableShape>,
    read: &impl AsyncFn(&TableShape) -> Vec<Vec<Datum>>,
) {
    let values = vec![
        Datum::Double(1.0 / 3.0),
        Datum::Integer(i64::MAX),
        Datum::Integer(-1),
        Datum::Null,
        Datum::Integer(0),
        Datum::Integer(7),
        Datum::Integer(8),
        Datum::Integer(9),
    ];
    let row = TableRow {
        table: Arc::clone(shape),
        partition: vec![Datum::Time(-HOUR)],
        clustering: vec![text("main"), text("it's \"quoted\" \u{1f} ü"), text("EUR")],
        values,
        revision: 1,
    };
    let expected = [row.partition.as_slice(), &row.clustering, &row.values].concat();
    tables.write(vec![TableWrite::Row(row)]).await.expect("it answers");
    assert_eq!(read(shape).await, [expected]);
}

async fn a_list_is_replaced_whole(
    tables: &impl Tables,
    shape: &Arc<TableShape>,
    read: &impl AsyncFn(&TableShape) -> Vec<Vec<Datum>>,
) {
    let list = |hour: i64, products: &[&str], revision: u64| {
        let row = |product: &&str| TableRow {
            table: Arc::clone(shape),
            partition: vec![Datum::Time(hour * HOUR)],
            clustering: vec![text("main"), text(product), text("EUR")],
            values: vec![Datum::Integer(revision as i64)],
            revision,
        };
        vec![TableWrite::List(products.iter().map(row).collect())]
    };
    for (hour, products, revision) in [
        (1, vec!["a", "b", "c"], 10),
        (2, vec!["a"], 11),
        (1, vec!["b", "d"], 20),
        (1, vec!["a", "c"], 15),
        (1, vec!["b", "d"], 20),
    ] {
        tables.write(list(hour, &products, revision)).await.expect("it answers");
    }
    let row = |hour: i64, product: &str, value| {
        vec![Datum::Time(hour * HOUR), text("main"), text(product), text("EUR"), Datum::Integer(value)]
    };
    let mut rows = read(shape).await;
    rows.sort_by_key(|row| format!("{row:?}"));
    let ours = rows.iter().filter(|row| row[4] == Datum::Integer(20)).count();
    assert_eq!(ours, 2, "the newest list stands: {rows:?}");
    assert!(rows.contains(&row(1, "b", 20)) && rows.contains(&row(1, "d", 20)));
    assert!(rows.contains(&row(2, "a", 11)), "another window's list is another");
    // One that comes after a newer one may leave rows the newer one has not; the next list takes them.
    tables.write(list(1, &["b", "e"], 30)).await.expect("it answers");
    let mut rows = read(shape).await;
    rows.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(rows, [row(1, "b", 30), row(1, "e", 30), row(2, "a", 11)]);
}

async fn many_rows_are_written(
    tables: &impl Tables,
    shape: &Arc<TableShape>,
    read: &impl AsyncFn(&TableShape) -> Vec<Vec<Datum>>,
) {
    let row = |n: i64| {
        TableWrite::Row(TableRow {
            table: Arc::clone(shape),
            partition: vec![text(&format!("c-{n}"))],
            clustering: vec![text("main")],
            values: vec![Datum::Integer(n)],
            revision: 5,
        })
    };
    tables.write((0..MANY).map(row).collect()).await.expect("it answers");
    let rows = read(shape).await;
    assert_eq!(rows.len(), MANY as usize);
    assert!(rows.iter().all(
        |row| matches!(&row[..], [Datum::Text(name), _, Datum::Integer(n)] if *name == format!("c-{n}"))
    ));
}

fn text(value: &str) -> Datum {
    Datum::Text(value.to_owned())
}
