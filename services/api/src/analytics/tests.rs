//! The calls for people are fixed queries: what each stands for, and what it makes of the answer.

use std::sync::Arc;

use souk_model::series::Span;
use souk_model::settings::Settings;
use souk_proto::v1;
use souk_proto::v1::get_sales_request::GroupBy;
use souk_proto::v1::metric_value::Value;

use super::resolve::Asked;
use super::{active_users, regions, sales, top_products};

fn asked(request: &v1::QueryMetricRequest) -> Asked {
    Asked::of(request, "main", Arc::new(Settings::builtin())).unwrap()
}

/// Window and dimensions of what a request asks for.
fn words(request: &v1::QueryMetricRequest) -> (String, Vec<String>) {
    let asked = asked(request);
    let set = &asked.metric().key_sets[usize::from(asked.query.key_set)];
    (
        asked.query.window.unwrap().to_string(),
        set.iter().map(|dimension| dimension.name().into_owned()).collect(),
    )
}

#[test]
fn nothing_said_is_a_whole_question_to_each() {
    let users = active_users::stands_for(v1::GetActiveUsersRequest::default());
    assert_eq!(words(&users), ("5m/1s".to_owned(), Vec::new()));
    let products = top_products::stands_for(v1::ListTopProductsRequest::default());
    assert_eq!(words(&products), ("1h".to_owned(), vec!["product".to_owned()]));
    let top = asked(&products).query.top.unwrap();
    assert_eq!(asked(&products).metric().measures[top.measure].name, "revenue");
    let sales = sales::stands_for(v1::GetSalesRequest::default()).unwrap();
    assert_eq!(words(&sales), ("total".to_owned(), vec!["category".to_owned()]));
    let regions = regions::stands_for(v1::GetRegionMetricsRequest::default()).unwrap();
    assert_eq!(words(&regions), ("1m".to_owned(), vec!["region".to_owned()]));
    assert_eq!(asked(&regions).query.span, Span::Newest);
}

#[test]
fn sales_are_grouped_as_asked() {
    let ask = |group_by: GroupBy, range| {
        sales::stands_for(v1::GetSalesRequest { group_by: group_by.into(), range, read: None }).unwrap()
    };
    let range = || Some(v1::TimeRange::default());
    assert_eq!(words(&ask(GroupBy::Category, range())), ("day".to_owned(), vec!["category".to_owned()]));
    assert_eq!(words(&ask(GroupBy::Day, None)), ("day".to_owned(), Vec::new()));
    let months = asked(&ask(GroupBy::Month, None)).query;
    assert_eq!(months.window.unwrap().to_string(), "month");
    assert!(matches!(months.span, Span::Starting(_)), "all that are kept, not the newest alone");
    let unknown = v1::GetSalesRequest { group_by: 9, ..Default::default() };
    assert!(sales::stands_for(unknown).is_err());
}

#[test]
fn one_region_is_one_key() {
    let of = |region_id| regions::stands_for(v1::GetRegionMetricsRequest { region_id, ..Default::default() });
    assert_eq!(asked(&of(7).unwrap()).query.key, Some(vec!["7".to_owned()]));
    assert!(of(101).is_err() && of(-1).is_err());
}

#[test]
fn a_regions_row_has_its_own_message() {
    let integer = |value| v1::MetricValue { value: Some(Value::Integer(value)), amounts: Vec::new() };
    let money = |amounts: &[(&str, i64)]| {
        let money = |(code, minor): &(&str, i64)| v1::Money {
            currency_code: (*code).into(),
            minor_units: Some(*minor),
        };
        v1::MetricValue { value: None, amounts: amounts.iter().map(money).collect() }
    };
    let mean = v1::Fraction { numerator: Some(2_000_000), denominator: Some(3), approximate: None };
    let values = [
        ("trips", integer(3)),
        ("avg_fare", money(&[("EUR", 1_250)])),
        ("total_fare", money(&[("EUR", 1), ("USD", 1)])),
        ("total_distance", integer(0)),
        ("avg_duration", v1::MetricValue { value: Some(Value::Fraction(mean)), amounts: Vec::new() }),
        ("p95_duration", integer(61_500)),
        ("p99_duration", v1::MetricValue::default()),
    ];
    let row = v1::MetricRow {
        key: [("region".to_owned(), "7".to_owned())].into(),
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Default::default()
    };
    let region = regions::region(row);
    assert_eq!((region.region_id, region.trips, region.distance_meters), (7, Some(3), Some(0)));
    assert_eq!((region.avg_fare.unwrap().minor_units, region.total_fare), (Some(1_250), None));
    let duration = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    assert_eq!(
        (region.avg_duration, region.p95_duration),
        (duration(666, 666_666_667), duration(61, 500_000_000))
    );
    assert_eq!((region.p99_duration, region.p50_duration), (None, None));
}
