//! Section 11: windows, measures, keys and each metric's book.

use souk_proto::v1::event::Kind;
use souk_proto::v1::{Money, Transaction, Trip, transaction};
use souk_sim::recount::compare::{Observed, differences};
use souk_sim::recount::{Recount, ShardName, Span, Value};

use super::journal::{DAY0, HOUR, MINUTE, SECOND, Shard, by, counted, eur, number, page};

fn span(start: i64, end: i64) -> Span {
    Span { start: DAY0 + start, end: DAY0 + end }
}

#[test]
fn distinct_users_of_tumbling_and_sliding_windows() {
    let mut users = Shard::users();
    users.event(DAY0 + 10 * SECOND, by("a", "1", page("/", "")));
    users.event(DAY0 + 20 * SECOND, by("a", "2", page("/", "")));
    users.event(DAY0 + 4 * MINUTE, by("b", "3", page("/", "")));
    let settings = r#"
        [metric.active]
        from = "page_view"
        windows = ["5m", "5m/1m"]
        measures = { users = { distinct = "user" }, views = { count = true } }
    "#;
    let result = counted(settings, &[&users]);
    let at = |window, span, measure| number(&result, "active", &[], window, span, measure);
    assert_eq!((at("5m", span(0, 5 * MINUTE), "users"), at("5m", span(0, 5 * MINUTE), "views")), (2, 3));
    assert_eq!(at("5m/1m", span(-4 * MINUTE, MINUTE), "users"), 1);
    assert_eq!(at("5m/1m", span(0, 5 * MINUTE), "users"), 2);
    let last = result.value("active", "main", &[], DAY0 + 4 * MINUTE, DAY0 + 9 * MINUTE).unwrap();
    assert_eq!(last["users"].value, Value::Integer(1));
}

#[test]
fn days_weeks_and_months_are_the_time_zones() {
    let mut users = Shard::users();
    users.event(DAY0 - 30 * MINUTE, by("a", "1", page("/", ""))); // 00:30 of 1 January in Berlin
    let settings = r#"
        defaults = { time_zone = "Europe/Berlin" }
        [metric.views]
        from = "page_view"
        windows = ["day", "week", "month"]
        measures = { views = { count = true } }
    "#;
    let result = counted(settings, &[&users]);
    let at = |window, span| number(&result, "views", &[], window, span, "views");
    assert_eq!(at("day", span(-HOUR, 23 * HOUR)), 1);
    assert_eq!(at("week", span(-HOUR - 72 * HOUR, -HOUR + 96 * HOUR)), 1); // from Monday, 29 December
    assert_eq!(at("month", span(-HOUR, -HOUR + 31 * 24 * HOUR)), 1);
}

fn trip(id: &str, fare: i64, seconds: i64) -> Kind {
    let duration = Some(prost_types::Duration { seconds, nanos: 0 });
    let fare = Some(eur(fare));
    Kind::Trip(Trip {
        trip_id: id.to_owned(),
        region_id: 7,
        fare,
        duration,
        distance_meters: 1_000,
        ..Trip::default()
    })
}

#[test]
fn quantiles_are_the_nearest_rank_and_means_are_fractions() {
    let mut users = Shard::users();
    for (id, fare, seconds) in [("1", 500, 100), ("2", 700, 300), ("3", 100, 200), ("4", 200, 400)] {
        users.event(DAY0, by("", id, trip(id, fare, seconds)));
    }
    let settings = r#"
        [metric.trips]
        from = "trip"
        keys = [["region"]]
        windows = ["total"]
        [metric.trips.measures]
        p50  = { quantile = "duration", q = 0.50 }
        p51  = { quantile = "duration", q = 0.51 }
        fare = { mean = "fare" }
        far  = { max = "distance" }
        users = { distinct = "user" }
    "#;
    let result = counted(settings, &[&users]);
    let values = result.value("trips", "main", &[("region", "7")], i64::MIN, i64::MAX).unwrap();
    assert_eq!(values["p50"].value, Value::Integer(200_000));
    assert_eq!(values["p51"].value, Value::Integer(300_000));
    assert_eq!(values["far"].value, Value::Integer(1_000));
    assert_eq!(values["users"].value, Value::Integer(0)); // of nobody
    assert_eq!(values["fare"].value, Value::MoneyFraction([("EUR".to_owned(), (1_500, 4))].into()));
}

fn sale(kind: transaction::Type, currency: &str, minor: i64, category: &str) -> Kind {
    let amount = Some(Money { currency_code: currency.to_owned(), minor_units: Some(minor) });
    Kind::Transaction(Transaction {
        r#type: kind.into(),
        amount,
        category: category.to_owned(),
        ..Transaction::default()
    })
}

#[test]
fn money_is_never_added_up_across_currencies() {
    use transaction::Type;
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", sale(Type::Purchase, "EUR", 500, "")));
    users.event(DAY0, by("a", "2", sale(Type::Refund, "EUR", 200, "")));
    users.event(DAY0, by("a", "3", sale(Type::Purchase, "JPY", 90, "")));
    users.event(DAY0, by("a", "4", sale(Type::Transfer, "EUR", 1_000, "")));
    let settings = r#"
        [metric.sales]
        from = "transaction"
        where = { type = ["purchase", "refund"] }
        keys = [["category"]]
        windows = ["total"]
        measures = { net = { sum = "amount" }, gross = { sum = "amount", where = { type = "purchase" } }, n = { count = true } }
    "#;
    let result = counted(settings, &[&users]);
    let values = result.value("sales", "main", &[("category", "unknown")], i64::MIN, i64::MAX).unwrap();
    let money = |eur, jpy| Value::Money([("EUR".to_owned(), eur), ("JPY".to_owned(), jpy)].into());
    assert_eq!((&values["net"].value, &values["gross"].value), (&money(300, 90), &money(500, 90)));
    assert_eq!(values["n"].value, Value::Integer(3));
}

#[test]
fn keys_beyond_the_limit_count_under_other() {
    let mut users = Shard::users();
    for (id, name) in [("1", "/a"), ("2", "/b"), ("3", "/c"), ("4", "/a")] {
        users.event(DAY0, by("u", id, page(name, "")));
    }
    let two_hours_on = DAY0 + 2 * HOUR;
    users.event(two_hours_on, by("u", "5", page("/c", ""))); // the others are no longer live
    let settings = r#"
        defaults = { lateness = "0s", correct_for = "1h", max_keys = 2 }
        [metric.pages]
        from = "page_view"
        keys = [["page"]]
        windows = ["1m", "1h"]
        measures = { views = { count = true } }
    "#;
    let result = counted(settings, &[&users]);
    let at = |page, span| number(&result, "pages", &[("page", page)], "1h", span, "views");
    let first = span(0, HOUR);
    assert_eq!((at("/a", first), at("/b", first), at("/c", first), at("other", first)), (2, 1, 0, 1));
    assert_eq!(at("/c", span(2 * HOUR, 3 * HOUR)), 1);
}

fn late_book() -> (Shard, &'static str) {
    let mut users = Shard::users();
    users.event(DAY0 + 2 * HOUR, by("a", "1", page("/", "")));
    users.late(DAY0 + 2 * HOUR, DAY0 + HOUR - 5 * SECOND, by("a", "2", page("/", ""))); // at the edge
    users.late(DAY0 + 2 * HOUR, DAY0 + HOUR - 5 * SECOND - 1, by("a", "3", page("/", "")));
    let settings = r#"
        defaults = { lateness = "5s", correct_for = "1h", windows = ["total"] }
        [metric.short]
        from = "page_view"
        measures = { views = { count = true } }
        [metric.long]
        from = "page_view"
        correct_for = "24h"
        measures = { views = { count = true } }
    "#;
    (users, settings)
}

#[test]
fn a_fact_is_late_for_one_metric_and_not_for_another() {
    let (users, settings) = late_book();
    let result = counted(settings, &[&users]);
    let book = |name: &str| {
        let ledger = result.ledgers[&(ShardName::users(0), name.to_owned())];
        (ledger.facts, ledger.counted, ledger.late)
    };
    assert_eq!((book("short"), book("long")), ((3, 2, 1), (3, 3, 0)));
}

#[test]
fn a_metric_counts_from_where_its_settings_stand() {
    let mut users = Shard::users();
    let (_, settings) = late_book();
    let added = format!(
        "{settings}\n[metric.more]\nfrom = \"page_view\"\nmeasures = {{ views = {{ count = true }} }}"
    );
    users.event(DAY0, by("a", "1", page("/", "")));
    users.settings(DAY0, &added);
    users.settings(DAY0, "no TOML at all"); // changes nothing
    users.event(DAY0, by("a", "2", page("/", "")));
    let result = counted(settings, &[&users]);
    let views = |metric| {
        let total = Span { start: i64::MIN, end: i64::MAX };
        number(&result, metric, &[], "total", total, "views")
    };
    assert_eq!((views("long"), views("more")), (2, 1));
}

fn observed(result: &Recount) -> Observed {
    Observed {
        verdicts: Some(result.verdicts.clone()),
        totals: Some(result.totals.clone()),
        ledgers: Some(result.ledgers.clone()),
        users: Some(result.users.clone()),
        products: Some(result.products.clone()),
        alerts: Some(result.alerts.clone()),
        metrics: Some(result.instances()),
    }
}

#[test]
fn a_difference_names_its_invariant_and_both_sides() {
    let (users, settings) = late_book();
    let result = counted(settings, &[&users]);
    let mut fold = observed(&result);
    assert_eq!(differences(&result, &fold), []);
    let (instance, values) = fold.metrics.as_mut().unwrap().iter_mut().next().unwrap();
    assert_eq!(instance.metric, "long");
    values.get_mut("views").unwrap().value = Value::Integer(4);
    fold.users.as_mut().unwrap().clear();
    fold.alerts = None; // not looked at
    let lines: Vec<_> = differences(&result, &fold).iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("state users main/a: expected Some(UserView"), "{}", lines[0]);
    assert!(lines[1].starts_with("I1 long main[] total"), "{}", lines[1]);
    assert!(lines[1].contains("Integer(3)") && lines[1].contains("Integer(4)"));
}
