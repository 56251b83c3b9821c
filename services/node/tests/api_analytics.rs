//! AnalyticsService, end to end: a whole node behind a real connection.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod api_bench;

use api_bench::{Node, bad_fields, failed, now, page_view, within};
use souk_proto::v1;
use souk_proto::v1::answer_info::{Exactness, Source};
use souk_proto::v1::event::Kind;
use souk_proto::v1::metric_value::Value;
use souk_proto::v1::query_metric_request::Span;
use souk_proto::v1::stream_frame::Kind as Frame;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn at(millis: i64) -> Option<prost_types::Timestamp> {
    Some(souk_model::time::to_timestamp(millis))
}

fn euro(minor: i64) -> v1::Money {
    v1::Money { currency_code: "EUR".into(), minor_units: Some(minor) }
}

fn event(event_id: &str, user: &str, kind: Kind) -> v1::Event {
    v1::Event { kind: Some(kind), ..page_view(event_id, user, "") }
}

fn order(event_id: &str, product: &str, quantity: i32, price: i64) -> v1::Event {
    let line = v1::Line {
        product_id: product.into(),
        quantity: Some(quantity),
        unit_price: Some(euro(price)),
        category: "mugs".into(),
        ..Default::default()
    };
    let stage = v1::order_step::Stage::Placed.into();
    let step = v1::OrderStep { stage, order_id: event_id.into(), lines: vec![line], ..Default::default() };
    event(event_id, "alice", Kind::OrderStep(step))
}

fn sale(event_id: &str, category: &str, minor: i64) -> v1::Event {
    let transaction = v1::Transaction {
        r#type: v1::transaction::Type::Purchase.into(),
        transaction_id: event_id.into(),
        amount: Some(euro(minor)),
        category: category.into(),
        ..Default::default()
    };
    event(event_id, "alice", Kind::Transaction(transaction))
}

fn trip(event_id: &str, region_id: i32, fare: i64, seconds: i64) -> v1::Event {
    let trip = v1::Trip {
        trip_id: event_id.into(),
        region_id,
        fare: Some(euro(fare)),
        duration: Some(prost_types::Duration { seconds, nanos: 0 }),
        distance_meters: 1_000,
        ..Default::default()
    };
    event(event_id, "", Kind::Trip(trip))
}

fn add(event_id: &str, user: &str, time: i64) -> v1::Event {
    let line = v1::Line {
        product_id: "p-1".into(),
        quantity: Some(2),
        unit_price: Some(euro(500)),
        ..Default::default()
    };
    let action = v1::cart_step::Action::Add.into();
    let step = v1::CartStep { action, line: Some(line), ..Default::default() };
    v1::Event { event_time: at(time), ..event(event_id, user, Kind::CartStep(step)) }
}

fn query(name: &str) -> v1::QueryMetricRequest {
    v1::QueryMetricRequest { name: name.into(), ..Default::default() }
}

fn keys(rows: &[v1::MetricRow], dimension: &str) -> Vec<String> {
    rows.iter().map(|row| row.key[dimension].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_said_of_nothing_counted_is_answered() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let users = analytics.get_active_users(v1::GetActiveUsersRequest::default()).await.unwrap().into_inner();
    assert_eq!((users.users, users.range), (Some(0), None));
    assert_eq!(users.info.unwrap().source(), Source::Owner);
    let top = analytics.list_top_products(v1::ListTopProductsRequest::default()).await.unwrap().into_inner();
    assert!(top.products.is_empty() && top.next_page_token.is_empty() && top.info.is_some());
    let sales = analytics.get_sales(v1::GetSalesRequest::default()).await.unwrap().into_inner();
    assert!(sales.sales.is_empty());
    let regions = analytics.get_region_metrics(v1::GetRegionMetricsRequest::default()).await.unwrap();
    assert!(regions.into_inner().regions.is_empty());
    let carts = v1::ListAbandonedCartsRequest { parent: "users/-".into(), ..Default::default() };
    assert_eq!(analytics.list_abandoned_carts(carts).await.unwrap().into_inner().total_size, Some(0));
    let corrections = v1::ListCorrectionsRequest { parent: "metrics/-".into(), ..Default::default() };
    assert!(analytics.list_corrections(corrections).await.unwrap().into_inner().corrections.is_empty());
    let page = v1::ListMetricsRequest { page_size: 2, ..Default::default() };
    let metrics = analytics.list_metrics(page.clone()).await.unwrap().into_inner();
    assert_eq!(metrics.metrics[0].name, "metrics/abandoned_carts");
    assert_eq!(metrics.metrics[0].count_start_time, None, "it is counted from the beginning");
    let page = v1::ListMetricsRequest { page_token: metrics.next_page_token, ..page };
    assert_eq!(
        analytics.list_metrics(page).await.unwrap().into_inner().metrics[0].name,
        "metrics/compat_sales"
    );
    let answer = analytics.query_metric(query("metrics/active_users")).await.unwrap().into_inner();
    assert!(answer.rows.is_empty() && answer.error.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_counted_and_a_call_for_people_is_its_query() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let views = [("e-1", "a"), ("e-2", "b"), ("e-3", "b"), ("e-4", "c")];
    let position = node.publish(views.map(|(id, user)| page_view(id, user, "/")).to_vec()).await;
    let read = Some(v1::ReadOptions { min_position: position, with_position: true, ..Default::default() });
    let request = v1::GetActiveUsersRequest { read: read.clone(), ..Default::default() };
    let users = analytics.get_active_users(request).await.unwrap().into_inner();
    assert_eq!(users.users, Some(3));
    let info = users.info.unwrap();
    assert_eq!((info.provisional, info.exactness()), (Some(true), Exactness::Exact));
    assert!(info.position.contains("users-"), "{}", info.position);
    let range = users.range.unwrap();
    assert_eq!(range.end_time.unwrap().seconds - range.start_time.as_ref().unwrap().seconds, 300);

    let same = v1::QueryMetricRequest { read, ..query("metrics/active_users") };
    let answer = analytics.query_metric(same).await.unwrap().into_inner();
    assert_eq!((answer.rows.len(), &*answer.rows[0].window), (1, "5m/1s"));
    assert_eq!(answer.rows[0].values["users"].value, Some(Value::Integer(3)));
    assert_eq!((answer.rows[0].range, &answer.rows[0].info), (Some(range), &None));

    let all = v1::ListMetricsRequest { page_size: 100, ..Default::default() };
    let all = analytics.list_metrics(all).await.unwrap().into_inner().metrics;
    let of = |name: &str| all.iter().find(|metric| metric.name == name).unwrap().series_count;
    assert_eq!((of("metrics/active_users"), of("metrics/sales")), (Some(1), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_ranked_over_all_shards_and_paged() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let orders = (1..=5).map(|n| order(&format!("o-{n}"), &format!("p-{n}"), n, 100));
    let position = node.publish(orders.collect()).await;
    let read = Some(v1::ReadOptions { min_position: position, ..Default::default() });
    let request = v1::ListTopProductsRequest { page_size: 2, read: read.clone(), ..Default::default() };
    let mut found = Vec::new();
    let mut token = String::new();
    for _ in 0..3 {
        let request = v1::ListTopProductsRequest { page_token: token, ..request.clone() };
        let page = analytics.list_top_products(request).await.unwrap().into_inner();
        found.extend(page.products);
        token = page.next_page_token;
    }
    assert_eq!(
        (keys(&found, "product"), &*token),
        (["p-5", "p-4", "p-3", "p-2", "p-1"].map(String::from).to_vec(), "")
    );
    assert_eq!(found.iter().map(|row| row.rank).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(Some));
    assert_eq!(found[0].values["revenue"].amounts, [euro(500)]);

    let by_key = v1::QueryMetricRequest {
        group_by: vec!["product".into()],
        page_size: 3,
        read: read.clone(),
        ..query("metrics/products")
    };
    let page = analytics.query_metric(by_key.clone()).await.unwrap().into_inner();
    assert_eq!(keys(&page.rows, "product"), ["p-1", "p-2", "p-3"]);
    let rest = v1::QueryMetricRequest { page_token: page.next_page_token, ..by_key.clone() };
    assert_eq!(
        keys(&analytics.query_metric(rest.clone()).await.unwrap().into_inner().rows, "product"),
        ["p-4", "p-5"]
    );
    let other = v1::QueryMetricRequest { window: "5m".into(), ..rest };
    let (code, reason, _) = failed(analytics.query_metric(other).await);
    assert_eq!((code, &*reason), (Code::InvalidArgument, "PAGE_TOKEN_MISMATCH"));

    let one = v1::QueryMetricRequest {
        r#where: [("product".to_owned(), "p-4".to_owned())].into(),
        page_size: 0,
        ..by_key
    };
    let answer = analytics.query_metric(one).await.unwrap().into_inner();
    assert_eq!(keys(&answer.rows, "product"), ["p-4"]);
    assert_eq!(answer.rows[0].values["units"].value, Some(Value::Integer(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_and_trips_are_grouped_as_asked() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let events = vec![
        sale("t-1", "mugs", 100),
        sale("t-2", "mugs", 50),
        sale("t-3", "pots", 7),
        trip("trip-1", 7, 1_000, 600),
        trip("trip-2", 7, 2_001, 900),
        trip("trip-3", 9, 500, 60),
    ];
    let position = node.publish(events).await;
    let read = Some(v1::ReadOptions { min_position: position, ..Default::default() });
    let request = v1::GetSalesRequest { read: read.clone(), ..Default::default() };
    let sales = analytics.get_sales(request.clone()).await.unwrap().into_inner().sales;
    assert_eq!(keys(&sales, "category"), ["mugs", "pots"]);
    assert_eq!((sales[0].values["net"].amounts.clone(), &*sales[0].window), (vec![euro(150)], "total"));
    let by_day = v1::GetSalesRequest { group_by: v1::get_sales_request::GroupBy::Day.into(), ..request };
    let days = analytics.get_sales(by_day).await.unwrap().into_inner().sales;
    assert_eq!((days.len(), days[0].values["records"].value), (1, Some(Value::Integer(3))));

    let all = v1::GetRegionMetricsRequest { read, ..Default::default() };
    let regions = analytics.get_region_metrics(all.clone()).await.unwrap().into_inner().regions;
    assert_eq!(regions.iter().map(|region| region.region_id).collect::<Vec<_>>(), [7, 9]);
    let seven = v1::GetRegionMetricsRequest { region_id: 7, ..all };
    let regions = analytics.get_region_metrics(seven).await.unwrap().into_inner().regions;
    assert_eq!((regions.len(), regions[0].trips, regions[0].distance_meters), (1, Some(2), Some(2_000)));
    assert_eq!(
        (regions[0].avg_fare.clone(), regions[0].total_fare.clone()),
        (Some(euro(1_501)), Some(euro(3_001)))
    );
    assert_eq!(regions[0].avg_duration, Some(prost_types::Duration { seconds: 750, nanos: 0 }));
    assert_eq!(regions[0].p50_duration, Some(prost_types::Duration { seconds: 600, nanos: 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_declared_is_refused_with_what_is() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let (code, reason, details) = failed(analytics.query_metric(query("metrics/active_user")).await);
    assert_eq!((code, &*reason), (Code::NotFound, "METRIC_UNKNOWN"));
    assert_eq!(details.error_info().unwrap().metadata["near"], "active_users");
    let request = v1::QueryMetricRequest {
        window: "2m".into(),
        group_by: vec!["brand".into()],
        span: Some(Span::Last(0)),
        ..query("metrics/products")
    };
    let (code, reason, details) = failed(analytics.query_metric(request).await);
    assert_eq!((code, &*reason), (Code::InvalidArgument, "WINDOW_NOT_DECLARED"));
    assert_eq!(bad_fields(&details), ["window", "group_by", "last"]);
    let request = v1::QueryMetricRequest { name: "users/alice".into(), ..Default::default() };
    assert_eq!(failed(analytics.query_metric(request).await).1, "FIELD_INVALID");
    let request = v1::WatchMetricRequest { queries: vec![query("metrics/products"); 33], watch: None };
    assert_eq!(failed(analytics.watch_metric(request).await).1, "TOO_MANY_ITEMS");
    let wrong = v1::QueryMetricRequest { window: "2m".into(), ..query("metrics/products") };
    let request = v1::WatchMetricRequest { queries: vec![query("metrics/products"), wrong], watch: None };
    assert_eq!(bad_fields(&failed(analytics.watch_metric(request).await).2), ["queries[1].window"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_in_order_with_errors_in_their_places() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let position = node.publish(vec![page_view("e-1", "me", "/")]).await;
    let (send, batches) = mpsc::channel(4);
    let mut answers = analytics.query_metrics(ReceiverStream::new(batches)).await.unwrap().into_inner();
    let read = Some(v1::ReadOptions { min_position: position, ..Default::default() });
    for seq in [7, 8] {
        let queries = vec![query("metrics/active_users"), query("metrics/nothing"), query("metrics/events")];
        send.send(v1::QueryMetricsRequest { seq, queries, read: read.clone() }).await.unwrap();
    }
    for seq in [7, 8] {
        let answer = within(answers.message()).await.unwrap().unwrap();
        assert_eq!((answer.seq, answer.frame.unwrap().kind(), answer.answers.len()), (seq, Frame::Delta, 3));
        assert_eq!(answer.answers[0].rows[0].values["users"].value, Some(Value::Integer(1)));
        assert_eq!(answer.answers[1].error.as_ref().unwrap().reason, "METRIC_UNKNOWN");
        assert_eq!(answer.answers[2].rows[0].values["events"].value, Some(Value::Integer(1)));
    }
    node.leave();
    let goodbye = within(answers.message()).await.unwrap().unwrap();
    assert_eq!(goodbye.frame.unwrap().kind(), Frame::GoAway);
    assert_eq!(failed(within(answers.message()).await).1, "NODE_DRAINING");
}

#[tokio::test(flavor = "multi_thread")]
async fn carts_left_behind_are_listed_newest_first() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let now = now();
    let position = node
        .publish(vec![
            add("c-1", "alice", now - 3 * HOUR),
            add("c-2", "bob", now - 2 * HOUR),
            // A later moment of each shard: what was due by then has fired.
            page_view("e-1", "alice", "/"),
            page_view("e-2", "bob", "/"),
            page_view("e-3", "alice", "/"),
            page_view("e-4", "bob", "/"),
        ])
        .await;
    let request = v1::ListAbandonedCartsRequest {
        parent: "users/-".into(),
        read: Some(v1::ReadOptions { min_position: position, ..Default::default() }),
        ..Default::default()
    };
    let all = analytics.list_abandoned_carts(request.clone()).await.unwrap().into_inner();
    let names: Vec<&str> =
        all.abandoned_carts.iter().filter_map(|cart| cart.name.split('/').nth(1)).collect();
    assert_eq!((names, all.total_size), (vec!["bob", "alice"], Some(2)));
    let cart = &all.abandoned_carts[1];
    assert_eq!(
        (cart.abandon_time, cart.value.clone()),
        (at(now - 3 * HOUR + 30 * MINUTE), Some(euro(1_000)))
    );
    assert_eq!((cart.items.len(), cart.recovery_token.is_empty()), (1, false));
    let first = v1::ListAbandonedCartsRequest { page_size: 1, ..request.clone() };
    let page = analytics.list_abandoned_carts(first.clone()).await.unwrap().into_inner();
    let second = v1::ListAbandonedCartsRequest { page_token: page.next_page_token, ..first };
    let page = analytics.list_abandoned_carts(second).await.unwrap().into_inner();
    assert_eq!((&page.abandoned_carts[0].name, &*page.next_page_token), (&cart.name, ""));
    let recovered = v1::ListAbandonedCartsRequest { filter: "state = RECOVERED".into(), ..request.clone() };
    assert_eq!(analytics.list_abandoned_carts(recovered).await.unwrap().into_inner().total_size, Some(0));
    let alices = v1::ListAbandonedCartsRequest { parent: "users/alice".into(), ..request };
    assert_eq!(analytics.list_abandoned_carts(alices).await.unwrap().into_inner().total_size, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_shows_as_a_correction() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    let then = now() - 2 * HOUR;
    let old = |id: &str| v1::Event { event_time: at(then), ..page_view(id, "me", "/") };
    let first = node.publish(vec![old("e-1"), page_view("e-2", "me", "/")]).await;
    // Both series must have heard of the new time before the late event: a window closes by what was heard.
    let read = Some(v1::ReadOptions { min_position: first, ..Default::default() });
    let asked = v1::QueryMetricRequest { group_by: vec!["kind".into()], read, ..query("metrics/events") };
    analytics.query_metric(asked).await.unwrap();
    let position = node.publish(vec![old("e-3")]).await;
    let read = Some(v1::ReadOptions { min_position: position.clone(), ..Default::default() });
    let wait = v1::QueryMetricRequest { group_by: vec!["kind".into()], read, ..query("metrics/events") };
    analytics.query_metric(wait).await.unwrap();
    let request = v1::ListCorrectionsRequest { parent: "metrics/events".into(), ..Default::default() };
    let answer = analytics.list_corrections(request).await.unwrap().into_inner();
    let minute = answer.corrections.iter().find(|correction| {
        let after = correction.after.as_ref().unwrap();
        after.window == "1m" && after.key.is_empty()
    });
    let minute = minute.expect("the minute the event belongs to");
    let events = |row: &Option<v1::MetricRow>| row.as_ref().unwrap().values["events"].value;
    assert_eq!(
        (events(&minute.before), events(&minute.after)),
        (Some(Value::Integer(1)), Some(Value::Integer(2)))
    );
    assert_eq!(minute.cause, position);
    assert!(minute.name.starts_with("metrics/events/corrections/products-"), "{}", minute.name);
    let other = v1::ListCorrectionsRequest { parent: "metrics/sales".into(), ..Default::default() };
    assert!(analytics.list_corrections(other).await.unwrap().into_inner().corrections.is_empty());
}
