//! Rows of tables by heart, and rows that are wrong and noticed.

use super::*;
use crate::measure::clock::{HOUR, MINUTE};

/// 2026-11-21T10:00:00Z.
const TEN: Millis = 1_795_255_200_000;

fn rows(
    metric: &'static str,
    window: &'static str,
    start: Millis,
    key: &[(&str, &str)],
    values: &[(&str, Value)],
) -> Rows {
    let key = key.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Rows(BTreeMap::from([(RowKey { metric, window, start, key }, values)]))
}

fn money(amounts: &[(&str, i64)]) -> Value {
    Value::Money(amounts.iter().map(|(code, amount)| ((*code).to_owned(), *amount)).collect())
}

fn row(columns: &[(&str, Datum)]) -> Row {
    columns.iter().map(|(name, datum)| ((*name).to_owned(), datum.clone())).collect()
}

fn text(text: &str) -> Datum {
    Datum::Text(text.to_owned())
}

fn found(table: &str, rows: Vec<Row>) -> Published {
    let mut published = Published::default();
    published.read(table, rows);
    published
}

/// A region's minute with trips paid in two currencies.
fn region() -> Published {
    let measures = [
        ("trips", Value::Number(3)),
        ("total_fare", money(&[("EUR", 500), ("USD", 70)])),
        ("avg_duration", Value::Fraction(1_000, 3)),
    ];
    Published::recounted(&rows("region_trips", "1m", TEN, &[("region", "101")], &measures))
}

fn region_row(currency: &str, columns: &[(&str, Datum)]) -> Row {
    let key = [
        ("window_start", Datum::Whole(TEN)),
        ("shop", text("main")),
        ("region_id", text("101")),
        ("currency", text(currency)),
    ];
    row(&[key.as_slice(), columns].concat())
}

fn region_read() -> Vec<Row> {
    let in_euro = [
        ("trips", Datum::Whole(3)),
        ("total_fare", Datum::Whole(500)),
        ("total_distance", Datum::Whole(0)),
        ("avg_duration", Datum::Double(1_000.0 / 3.0)),
    ];
    vec![region_row("EUR", &in_euro), region_row("USD", &[("total_fare", Datum::Whole(70))])]
}

#[test]
fn rows_as_they_must_be_are_found_right() {
    assert_eq!(region().differences(&found("region_windows", region_read()), TEN), [""; 0]);
}

#[test]
fn a_planted_wrong_row_is_noticed() {
    let mut read = region_read();
    read[1].insert("total_fare".to_owned(), Datum::Whole(71));
    let told = region().differences(&found("region_windows", read), TEN);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("table region_windows window_start=1795255200000"), "{told:?}");
    assert!(told[0].ends_with("currency=\"USD\": total_fare is 71, 70 is right"), "{told:?}");
}

#[test]
fn a_row_that_is_missing_and_one_too_many_are_noticed() {
    let mut read = region_read();
    read.pop();
    read.push(region_row("GBP", &[("total_fare", Datum::Whole(1))]));
    let told = region().differences(&found("region_windows", read), TEN);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("total_fare is 1, nothing is right"), "{told:?}");
    assert!(told[1].ends_with("total_fare is nothing, 70 is right"), "{told:?}");
    assert_eq!(Published::default().differences(&region(), TEN).len(), 2);
}

#[test]
fn every_key_set_stands_in_a_table_that_tells_them_apart() {
    let views = [("views", Value::Number(2))];
    let mut all = rows("products", "1h", TEN, &[("product", "p-1")], &views);
    for key in [&[("category", "mugs")][..], &[]] {
        all.0.extend(rows("products", "1h", TEN, key, &views).0);
    }
    let read = |product: &str, category: &str| {
        row(&[
            ("shop", text("main")),
            ("window_start", Datum::Whole(TEN)),
            ("product", text(product)),
            ("category", text(category)),
            ("currency", text("EUR")),
            ("views", Datum::Whole(2)),
        ])
    };
    let found = found("products_hourly", vec![read("p-1", ""), read("", "mugs"), read("", "")]);
    assert_eq!(Published::recounted(&all).differences(&found, TEN), [""; 0]);
}

#[test]
fn other_tables_show_one_key_set() {
    let sold = [("total_sales", Value::Number(9))];
    let mut all = rows("compat_sales", "month", 1_793_491_200_000, &[], &sold);
    all.0.extend(rows("compat_sales", "month", 1_793_491_200_000, &[("category", "mugs")], &sold).0);
    let month = row(&[
        ("year_num", Datum::Whole(2026)),
        ("month_num", Datum::Whole(11)),
        ("shop", text("main")),
        ("total_sales", Datum::Whole(9)),
    ]);
    assert_eq!(Published::recounted(&all).differences(&found("sales_per_month", vec![month]), TEN), [""; 0]);
}

#[test]
fn a_list_has_the_first_rows_of_each_window() {
    let mut all = Rows::default();
    for (hour, product, amounts) in [
        (0, "p-a", vec![("EUR", 1)]),
        (0, "p-b", vec![("USD", 900)]),
        (1, "p-a", vec![("EUR", 4), ("USD", 5)]),
        (1, "p-b", vec![("EUR", 4)]),
        (1, "p-c", vec![("EUR", 6)]),
    ] {
        let values = [("amount", money(&amounts))];
        let start = TEN + hour * HOUR;
        all.0.extend(rows("compat_top_products", "1h", start, &[("product", product)], &values).0);
    }
    let shown: Vec<_> = all.0.iter().collect();
    let named = |most| -> Vec<_> {
        let firsts = first(shown.clone(), "amount", most);
        firsts.into_iter().map(|(row, _)| ((row.start - TEN) / HOUR, row.key["product"].clone())).collect()
    };
    let place = |hour, product: &str| (hour, product.to_owned());
    assert_eq!(named(1), [place(0, "p-a"), place(1, "p-c")]);
    assert_eq!(named(2), [place(0, "p-a"), place(0, "p-b"), place(1, "p-c"), place(1, "p-a")]);
}

#[test]
fn windows_that_begin_to_end_later_may_come_later() {
    let must = Published::recounted(&rows("active_users", "5m/1m", TEN, &[], &[("users", Value::Number(4))]));
    let end = TEN + 5 * MINUTE;
    let none = Published::default();
    assert_eq!(must.differences(&none, end - MINUTE - 1), [""; 0]);
    assert_eq!(must.differences(&none, end - MINUTE).len(), 1);
    let columns = [("minute_ts", Datum::Whole(end)), ("shop", text("main")), ("users", Datum::Whole(5))];
    let wrong = found("active_users_minute", vec![row(&columns)]);
    assert_eq!(must.differences(&wrong, TEN).len(), 1, "what is there must be right");
}
