use std::sync::Arc;

use super::*;
use crate::metric::aggregate::part::Total;
use crate::metric::{Metric, Window};
use crate::money::Currency;
use crate::series::{AnswerRow, Figure, Measured, PublishedRow};
use crate::settings::Settings;
use crate::tally::text_of;
use crate::time::{HOUR, MINUTE};

/// 2026-02-01T00:00:00Z, when it is one in the morning in Berlin.
const FEBRUARY: Millis = 1_769_904_000_000;

fn eur() -> Currency {
    Currency::parse("EUR").unwrap()
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn entries<'c>(catalogue: &'c Catalogue, metric: &str) -> Vec<&'c Entry> {
    catalogue.entries().iter().filter(|entry| entry.metric.name == metric).collect()
}

fn table_of(entry: &Entry) -> &Arc<TableShape> {
    let Shape::Table(shape) = &entry.shape else { panic!("{} is not a table's", entry.metric.name) };
    shape
}

fn names(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(|column| column.name.as_str()).collect()
}

/// A row by the measures' names; what is not named counted nothing.
fn row(
    metric: &Metric,
    key_set: u16,
    key: &[&str],
    window: Window,
    at: Millis,
    values: &[(&str, Figure)],
) -> PublishedRow {
    let key: Vec<String> = key.iter().map(|value| (*value).to_owned()).collect();
    let figure = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name);
        Measured { figure: found.map_or(Figure::None, |(_, figure)| figure.clone()), sketched: false }
    };
    let row = AnswerRow {
        key: text_of("main", &metric.name, key_set, &key),
        window,
        range: window.instance_of(&metric.time_zone, at),
        values: metric.measures.iter().map(|measure| figure(&measure.name)).collect(),
        provisional: true,
    };
    PublishedRow { row, revision: 7, settled: true }
}

fn text(value: &str) -> Datum {
    Datum::Text(value.to_owned())
}

/// (table, partition, clustering, values) as the built-in settings have them.
#[test]
fn every_table_of_the_catalogue_has_the_columns_its_readers_know() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let tables = catalogue.tables();
    let shown: Vec<_> = tables
        .iter()
        .map(|shape| {
            let table = &shape.table;
            let columns =
                [&table.partition, &table.clustering, &table.values].map(|columns| names(columns).join(" "));
            format!("{}: {}", table.name, columns.join(" | "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "active_users_minute: minute_ts | shop | users",
            "sales_per_category: category | shop | total_sales",
            "sales_per_day: sale_day | shop | total_sales",
            "sales_per_month: month_num year_num | shop | total_sales",
            "top_products_hourly: hour_ts | shop product_id currency | amount",
            "products_hourly: shop window_start | product category currency | adds purchases revenue units views",
            "region_windows: window_start | shop region_id currency | \
             avg_duration avg_fare p50_duration p95_duration p99_duration total_distance total_fare trips",
            "sales: shop | category currency | gross net records",
        ]
    );
}

#[test]
fn a_view_shows_the_key_sets_its_names_tell_apart() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let shown = |metric| -> Vec<(u16, String)> {
        let place = |entry: &&Entry| match &entry.shape {
            Shape::Table(shape) => (entry.key_set, shape.table.name.clone()),
            Shape::Cache(_) => (entry.key_set, "cache".to_owned()),
        };
        entries(&catalogue, metric).iter().map(place).collect()
    };
    let pair = |key_set, name: &str| (key_set, name.to_owned());
    assert_eq!(shown("products")[..3], [0, 1, 2].map(|key_set| pair(key_set, "products_hourly")));
    assert_eq!(shown("products")[3..], [0, 1, 2].map(|key_set| pair(key_set, "cache")));
    assert_eq!(
        shown("compat_sales"),
        [pair(0, "sales_per_category"), pair(1, "sales_per_day"), pair(1, "sales_per_month")]
    );
    assert_eq!(shown("abandoned_carts"), [pair(0, "cache")]);
    assert_eq!(shown("pages"), []);
    let of_row =
        |key: &str| catalogue.of_row(key).map(|(_, entry)| entry.window.to_string()).collect::<Vec<_>>();
    assert_eq!(of_row("main/products/1\u{1f}books"), ["1h", "1m"]);
    assert_eq!(of_row("main/compat_top_products/0\u{1f}p-1"), [""; 0], "a top list is replaced whole");
}

#[test]
fn amounts_of_two_currencies_are_two_rows_and_counts_stand_in_one() {
    let settings = Settings::builtin();
    let catalogue = Catalogue::of(&settings);
    let entry = entries(&catalogue, "products")[0];
    let values = [
        ("views", Figure::Integer(9)),
        ("revenue", Figure::Amounts(vec![(Some(eur()), 500), (Some(usd()), 700)])),
    ];
    let row = row(&entry.metric, 0, &["p-1"], entry.window, FEBRUARY + 5, &values);
    let rows = table_of(entry).rows(&entry.metric, &row);
    let at = |currency| vec![text("p-1"), text(""), text(currency)];
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].partition, [text("main"), Datum::Time(FEBRUARY)]);
    assert_eq!((&rows[0].clustering, &rows[1].clustering), (&at("EUR"), &at("USD")));
    assert_eq!(
        rows[0].values,
        [Datum::Absent, Datum::Absent, Datum::Integer(500), Datum::Absent, Datum::Integer(9)]
    );
    assert_eq!(
        rows[1].values,
        [Datum::Absent, Datum::Absent, Datum::Integer(700), Datum::Absent, Datum::Absent]
    );
    assert!(rows.iter().all(|row| row.revision == 7));
}

#[test]
fn what_follows_a_calendar_is_named_by_that_calendar() {
    let settings = Settings::layered("[metric.compat_sales]\ntime_zone = \"Europe/Berlin\"").unwrap();
    let catalogue = Catalogue::of(&settings);
    let month = entries(&catalogue, "compat_sales")[2];
    let values = [("total_sales", Figure::Integer(12))];
    let row = row(&month.metric, 1, &[], month.window, FEBRUARY, &values);
    let rows = table_of(month).rows(&month.metric, &row);
    assert_eq!(
        rows[0].partition,
        [Datum::Integer(2), Datum::Integer(2026)],
        "not the month it began in on UTC"
    );
    assert_eq!(rows[0].values, [Datum::Integer(12)]);
}

fn only(commands: Vec<Command>) -> Command {
    let [command] = <[Command; 1]>::try_from(commands).unwrap();
    command
}

fn commands(
    catalogue: &Catalogue,
    metric: &str,
    key: &[&str],
    at: Millis,
    values: &[(&str, Figure)],
) -> Vec<Command> {
    let caches =
        entries(catalogue, metric).into_iter().filter(|entry| matches!(entry.shape, Shape::Cache(_)));
    let entry =
        caches.clone().find(|entry| entry.metric.key_sets[usize::from(entry.key_set)].len() == key.len());
    let entry = entry.expect("the metric is shown in the cache");
    let Shape::Cache(shape) = &entry.shape else { unreachable!("only caches were looked at") };
    shape.commands(&entry.metric, &row(&entry.metric, entry.key_set, key, entry.window, at, values))
}

#[test]
fn the_five_designs_find_their_names_in_the_cache() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let users = only(commands(&catalogue, "active_users", &[], FEBRUARY, &[("users", Figure::Integer(17))]));
    assert_eq!(users.name, "cartpulse:metrics");
    assert_eq!(users.what, What::Field { field: "active_users_5m".to_owned(), value: "17".to_owned() });
    assert_eq!(users.order, Order { start: FEBRUARY - 4 * MINUTE, revision: 7 });

    let fare = Total { sum: 2_501, count: 2 };
    let values = [
        ("trips", Figure::Integer(2)),
        ("avg_fare", Figure::Means(vec![(Some(eur()), fare)])),
        ("total_fare", Figure::Amounts(vec![(Some(eur()), 2_501), (Some(usd()), 3)])),
        ("avg_duration", Figure::Fraction { numerator: 5, denominator: 2 }),
    ];
    let region = only(commands(&catalogue, "region_trips", &["42"], FEBRUARY + 1, &values));
    assert_eq!(region.name, format!("region:42:window:{}", FEBRUARY / 1_000));
    assert_eq!(region.ttl, Some(HOUR));
    let fields = [
        ("avg_duration", "2.5"),
        ("avg_fare", "1251"),
        ("total_fare", "2501"),
        ("total_fare:USD", "3"),
        ("trips", "2"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert_eq!(region.what, What::Hash { fields });

    let carts = commands(&catalogue, "abandoned_carts", &[], FEBRUARY, &[("carts", Figure::Integer(3))]);
    assert_eq!(carts[0].what, What::Text { value: "3".to_owned() });
    assert_eq!(
        (carts[0].name.as_str(), carts[1].name.as_str()),
        ("cartpulse:abandoned_carts_count", "cartpulse:abandoned_carts")
    );
    assert!(matches!(&carts[1].what, What::Push { row, .. } if row.contains(r#""carts":3"#)));
}

#[test]
fn a_channel_is_told_rows_as_json() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let values = [("revenue", Figure::Amounts(vec![(Some(usd()), 250)])), ("units", Figure::Integer(1))];
    let told = only(commands(&catalogue, "products", &["\"p\"\u{1b}"], FEBRUARY, &values));
    assert_eq!(told.name, "analytics-updates");
    let What::Publish { row } = told.what else { panic!("{:?}", told.what) };
    let json: serde_json::Value = serde_json::from_str(&row).unwrap();
    assert_eq!(json["start"], "2026-02-01T00:00:00Z");
    assert_eq!(
        (&json["window"], &json["revision"], &json["metric"]),
        (&"1m".into(), &7.into(), &"products".into())
    );
    assert_eq!(json["values"]["revenue"]["USD"], 250);
    assert_eq!(json["values"]["views"], serde_json::Value::Null);
    assert_eq!(json["key"]["product"], "\"p\"\u{1b}", "whatever a value holds");
}

#[test]
fn a_top_list_is_replaced_whole() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let top = entries(&catalogue, "compat_top_products");
    assert!(top.iter().all(|entry| entry.top.is_some_and(|top| top.n == 10 && top.currency == eur())));
    let Shape::Cache(shape) = &top[1].shape else { panic!("the second is the cache's") };
    let rows: Vec<AnswerRow> = [("p-1", eur(), 900), ("p-2", eur(), 800), ("p-3", usd(), 700)]
        .map(|(product, currency, amount)| {
            let values = [("amount", Figure::Amounts(vec![(Some(currency), amount)]))];
            row(&top[1].metric, 0, &[product], top[1].window, FEBRUARY, &values).row
        })
        .into();
    let command = shape.replaced(&top[1].metric, &rows, 99).unwrap();
    assert_eq!(command.name, "cartpulse:top_products_hourly:2026020100");
    let members = vec![("p-1".to_owned(), 900.0), ("p-2".to_owned(), 800.0)];
    assert_eq!(command.what, What::SortedSet { members }, "other currencies have no place in the order");
    assert_eq!(command.order, Order { start: FEBRUARY, revision: 99 });
    let rows = table_of(top[0]).rows_of(&top[0].metric, &rows[2], 99);
    assert_eq!(rows[0].clustering, [text("main"), text("p-3"), text("USD")]);
}

#[test]
fn only_windows_whose_time_has_come_are_shown() {
    let catalogue = Catalogue::of(&Settings::builtin());
    let entry = entries(&catalogue, "active_users")[0];
    let ranges: Vec<_> = entry.instances_of(FEBRUARY).collect();
    assert_eq!(ranges.len(), 5);
    let begun = |reached| ranges.iter().filter(|range| entry.has_begun(**range, reached)).count();
    assert_eq!(
        (begun(FEBRUARY - 1), begun(FEBRUARY), begun(FEBRUARY + 2 * MINUTE), begun(FEBRUARY + HOUR)),
        (0, 1, 3, 5)
    );
    let total = crate::tally::cells::TOTAL;
    assert_eq!(entry.instances_of(total).count(), 0);
    assert_eq!(entries(&catalogue, "abandoned_carts")[0].instances_of(total).count(), 1);
    assert_eq!(entries(&catalogue, "abandoned_carts")[0].instances_of(FEBRUARY).count(), 0);
}
