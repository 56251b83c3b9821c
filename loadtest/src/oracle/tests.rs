//! Hand-made cases: few enough events that the right answer can be told by heart.

use std::collections::BTreeMap;

use prost_types::Duration;
use souk_proto::v1;
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::event::Kind;
use souk_proto::v1::order_step::Stage;
use souk_proto::v1::transaction::Type;

use super::rows::{RowKey, Rows};
use super::value::Value;
use super::{Oracle, compare};
use crate::measure::clock::{self, HOUR, MINUTE, Millis, SECOND};
use crate::traffic::{Meant, SETTLED_BETWEEN, Scenario, Sent, Shop};

/// 2026-11-21T10:00:00Z.
const TEN: Millis = 1_795_255_200_000;

fn sent(at: Millis, user: &str, kind: Kind) -> Sent {
    let event = v1::Event {
        event_id: format!("{user}-{at}"),
        event_time: Some(clock::timestamp(at)),
        user_id: user.to_owned(),
        kind: Some(kind),
        ..Default::default()
    };
    Sent { event, meant: Meant::Counted }
}

fn page(page: &str, referrer: &str) -> Kind {
    Kind::PageView(v1::PageView {
        page: page.to_owned(),
        referrer: referrer.to_owned(),
        ..Default::default()
    })
}

fn money(minor_units: i64) -> v1::Money {
    v1::Money { currency_code: "EUR".to_owned(), minor_units: Some(minor_units) }
}

fn line(product: &str, quantity: i32, price: i64) -> v1::Line {
    v1::Line {
        product_id: product.to_owned(),
        quantity: Some(quantity),
        unit_price: Some(money(price)),
        category: "mugs".to_owned(),
        ..Default::default()
    }
}

fn cart(action: Action, line: v1::Line) -> Kind {
    Kind::CartStep(v1::CartStep { action: action.into(), line: Some(line), ..Default::default() })
}

fn order(stage: Stage, lines: Vec<v1::Line>) -> Kind {
    let order_id = "o-1".to_owned();
    Kind::OrderStep(v1::OrderStep { stage: stage.into(), order_id, lines, ..Default::default() })
}

fn recount(events: impl IntoIterator<Item = Sent>) -> Rows {
    let mut oracle = Oracle::default();
    events.into_iter().for_each(|event| oracle.take(&event));
    oracle.settle();
    oracle.rows()
}

/// The value of a measure, or nothing.
fn value(
    rows: &Rows,
    metric: &'static str,
    window: &'static str,
    start: Millis,
    key: &[(&str, &str)],
    measure: &str,
) -> Option<Value> {
    let key = key.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    rows.0.get(&RowKey { metric, window, start, key })?.get(measure).cloned()
}

fn eur(minor_units: i64) -> Option<Value> {
    Some(Value::Money(BTreeMap::from([("EUR".to_owned(), minor_units)])))
}

#[test]
fn people_are_counted_once_in_every_window_that_holds_them() {
    let rows = recount([
        sent(TEN, "ann", page("/", "ads")),
        sent(TEN + 90 * SECOND, "ann", page("/", "")),
        sent(TEN + 90 * SECOND, "bob", page("/", "")),
    ]);
    let users = |start| value(&rows, "active_users", "5m/1m", start, &[], "users");
    assert_eq!(users(TEN - 5 * MINUTE), None, "a window does not hold its end");
    assert_eq!(users(TEN - 4 * MINUTE), Some(Value::Number(1)));
    assert_eq!(users(TEN - 3 * MINUTE), Some(Value::Number(2)));
    assert_eq!(users(TEN + MINUTE), Some(Value::Number(2)));
    assert_eq!(users(TEN + 2 * MINUTE), None);
    assert_eq!(value(&rows, "pages", "1h", TEN, &[("page", "/")], "users"), Some(Value::Number(2)));
    assert_eq!(value(&rows, "pages", "1h", TEN, &[("page", "/")], "views"), Some(Value::Number(3)));
}

#[test]
fn refunds_are_negative_and_transfers_are_no_sales() {
    let ledger = |n: i64, kind: Type, amount: i64| {
        let transaction = v1::Transaction {
            r#type: kind.into(),
            amount: Some(money(amount)),
            category: "mugs".to_owned(),
            ..Default::default()
        };
        sent(TEN + n, "ann", Kind::Transaction(transaction))
    };
    let rows =
        recount([ledger(1, Type::Purchase, 500), ledger(2, Type::Refund, 200), ledger(3, Type::Transfer, 9)]);
    let sales = |measure| value(&rows, "sales", "total", 0, &[("category", "mugs")], measure);
    assert_eq!(sales("net"), eur(300));
    assert_eq!(sales("gross"), eur(500));
    assert_eq!(sales("records"), Some(Value::Number(2)));
    let compat = value(&rows, "compat_sales", "total", 0, &[], "total_sales");
    assert_eq!(compat, Some(Value::Number(709)), "every type, unsigned");
}

#[test]
fn an_order_counts_once_and_gives_back_no_more_than_was_paid() {
    let lines = vec![line("p-1", 2, 1_000), line("p-2", 1, 300)];
    let placed = [
        sent(TEN, "ann", order(Stage::Placed, lines.clone())),
        sent(TEN + 1, "ann", order(Stage::Paid, lines)),
        sent(TEN + 2, "ann", order(Stage::Refunded, vec![line("p-1", 1, 1_000)])),
    ];
    let product = |rows: &Rows, measure| value(rows, "products", "total", 0, &[("product", "p-1")], measure);
    let rows = recount(placed.clone());
    assert_eq!(product(&rows, "purchases"), Some(Value::Number(1)));
    assert_eq!(product(&rows, "units"), Some(Value::Number(1)));
    assert_eq!(product(&rows, "revenue"), eur(1_000));
    assert_eq!(value(&rows, "visits", "1h", TEN, &[], "revenue"), eur(1_300));
    let rows = recount(placed.into_iter().chain([sent(TEN + 3, "ann", order(Stage::Cancelled, Vec::new()))]));
    assert_eq!(product(&rows, "units"), None);
    assert_eq!(product(&rows, "revenue"), None);
    assert_eq!(value(&rows, "visits", "1h", TEN, &[], "revenue"), None);
}

#[test]
fn a_cart_is_abandoned_once_and_an_order_in_time_takes_it_back() {
    let carts = |rows: &Rows, measure| value(rows, "abandoned_carts", "total", 0, &[], measure);
    let left = [
        sent(TEN, "ann", cart(Action::Add, line("p-1", 2, 1_000))),
        sent(TEN + MINUTE, "ann", order(Stage::CheckoutStarted, Vec::new())),
        sent(TEN + 2 * MINUTE, "ann", cart(Action::Add, line("p-2", 1, 50))),
    ];
    let rows = recount(left.clone());
    assert_eq!(carts(&rows, "carts"), Some(Value::Number(1)));
    assert_eq!(value(&rows, "abandoned_carts", "total", 0, &[("stage", "checkout")], "value"), eur(2_050));
    let bought = |after| {
        left.clone().into_iter().chain([sent(
            TEN + after,
            "ann",
            order(Stage::Placed, vec![line("p-1", 2, 1_000)]),
        )])
    };
    assert_eq!(carts(&recount(bought(32 * MINUTE)), "carts"), None, "at the deadline is in time");
    let late = recount(bought(32 * MINUTE + 1));
    assert_eq!(carts(&late, "carts"), Some(Value::Number(1)));
    assert_eq!(carts(&late, "recovered"), Some(Value::Number(1)));
    assert_eq!(carts(&late, "recovery"), Some(Value::Fraction(1, 1)));
}

#[test]
fn a_late_event_joins_two_visits() {
    let two = [sent(TEN, "ann", page("/a", "ads")), sent(TEN + 45 * MINUTE, "ann", page("/b", "email"))];
    let sessions =
        |rows: &Rows, key: &[(&str, &str)]| value(rows, "visits", "day", TEN - 10 * HOUR, key, "sessions");
    let apart = recount(two.clone());
    assert_eq!(sessions(&apart, &[]), Some(Value::Number(2)));
    assert_eq!(sessions(&apart, &[("session.referrer", "email")]), Some(Value::Number(1)));
    let joined =
        recount(two.into_iter().chain([sent(TEN + 20 * MINUTE, "ann", Kind::Logout(v1::Logout {}))]));
    assert_eq!(sessions(&joined, &[]), Some(Value::Number(1)));
    assert_eq!(sessions(&joined, &[("session.referrer", "ads")]), Some(Value::Number(1)));
    assert_eq!(sessions(&joined, &[("session.referrer", "email")]), None);
}

#[test]
fn percentiles_are_by_nearest_rank_and_fares_round_half_up() {
    let trip = |n: i64| {
        let trip = v1::Trip {
            region_id: 7,
            fare: Some(money(n)),
            duration: Some(Duration { seconds: n * 60, nanos: 0 }),
            distance_meters: 100,
            ..Default::default()
        };
        Sent {
            event: v1::Event { user_id: String::new(), ..sent(TEN, "", Kind::Trip(trip)).event },
            meant: Meant::Counted,
        }
    };
    let rows = recount((1..=4).map(trip));
    let region = |measure| value(&rows, "region_trips", "1m", TEN, &[("region", "7")], measure);
    assert_eq!(region("trips"), Some(Value::Number(4)));
    assert_eq!(region("avg_fare"), eur(3), "2.5");
    assert_eq!(region("p50_duration"), Some(Value::Number(120_000)));
    assert_eq!(region("p95_duration"), Some(Value::Number(240_000)));
    assert_eq!(region("avg_duration"), Some(Value::Fraction(150_000, 1)));
}

#[test]
fn what_differs_is_said_and_a_zero_is_nothing() {
    let right = recount([sent(TEN, "ann", page("/", ""))]);
    assert!(right.differences(&right).is_empty());
    let mut answered = right.clone();
    answered.put_answered(
        "products",
        "total",
        &v1::MetricRow {
            values: [(
                "views".to_owned(),
                v1::MetricValue { value: Some(v1::metric_value::Value::Integer(0)), ..Default::default() },
            )]
            .into(),
            ..Default::default()
        },
    );
    assert!(right.differences(&answered).is_empty());
    assert!(!right.differences(&Rows::default()).is_empty());
    assert!(!Rows::default().differences(&right).is_empty());
}

#[test]
fn the_same_seed_is_the_same_traffic_and_none_of_it_is_beyond_telling() {
    let traffic = || {
        let mut shop = Shop::new(Scenario::load(None).expect("reads"), 5, "x", SETTLED_BETWEEN);
        (0..20_000).map(|n| shop.next(TEN + n * 200)).collect::<Vec<_>>()
    };
    let (one, two) = (traffic(), traffic());
    assert!(one.iter().zip(&two).all(|(a, b)| a.event == b.event && a.meant == b.meant));
    for meant in [Meant::Counted, Meant::Duplicate, Meant::Late, Meant::Rejected] {
        assert!(one.iter().any(|sent| sent.meant == meant), "{meant:?}");
    }
    let rows = recount(one);
    let metrics: std::collections::BTreeSet<_> = rows.0.keys().map(|row| row.metric).collect();
    assert_eq!(metrics.len(), compare::metrics(), "the traffic feeds every metric");
}
