use prost::Message as _;
use souk_proto::v1;
use souk_proto::v1::answer_info::Exactness;
use souk_proto::v1::metric_value::Value;

use super::*;
use crate::journal::ShardId;
use crate::metric::aggregate::part::Total;
use crate::metric::{Metric, TimeRange, Window};
use crate::money::{Currency, Money};
use crate::ring::RingId;
use crate::series::{Answer, AnswerInfo, AnswerRow, Correction, Figure, Measured, Span};
use crate::settings::Settings;
use crate::tally::text_of;
use crate::time::{MINUTE, to_timestamp};

fn exact(figure: Figure) -> Measured {
    Measured { figure, sketched: false }
}

fn key(metric: &Metric, key_set: u16, values: &[&str]) -> String {
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    text_of("main", &metric.name, key_set, &values)
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> v1::MetricRow {
    let mut bytes = Vec::new();
    write(&mut bytes);
    v1::MetricRow::decode(bytes.as_slice()).unwrap()
}

fn answer(rows: Vec<AnswerRow>) -> Answer {
    let info = AnswerInfo {
        as_of: Some(7 * MINUTE),
        held_by: vec![17],
        revision: 12,
        positions: [(0, 5), (17, 7)].into(),
        truncated: false,
        origin: Default::default(),
    };
    Answer { rows, info }
}

fn users(range: TimeRange, count: i64, provisional: bool) -> AnswerRow {
    let settings = Settings::builtin();
    let metric = settings.metric("active_users").unwrap();
    let (key, values) = (key(metric, 0, &[]), vec![exact(Figure::Integer(count))]);
    AnswerRow { key, window: metric.windows[0], range, values, provisional }
}

#[test]
fn an_answer_says_what_it_is_worth_and_rows_only_where_they_differ() {
    let settings = Settings::builtin();
    let metric = settings.metric("active_users").unwrap();
    let range = |start: i64| TimeRange { start, end: start + 5 * MINUTE };
    let answer = answer(vec![users(range(0), 0, false), users(range(1_000), 3, true)]);
    let info = answer.info_to_proto(metric, true);
    assert_eq!(
        (info.as_of, info.complete, info.provisional),
        (Some(to_timestamp(7 * MINUTE)), Some(false), Some(true))
    );
    assert_eq!((info.held_by.clone(), info.revision), (vec!["shards/users-17".to_owned()], Some(12)));
    assert_eq!((&*info.position, info.exactness()), ("users-0@5,users-17@7", Exactness::Exact));
    assert_eq!(answer.info_to_proto(metric, false).position, "");
    let rows = answer.rows_to_proto(metric, Shown { skip: 0, most: 10, ranked: false });
    assert_eq!(rows[0].values["users"].value, Some(Value::Integer(0)));
    assert_eq!(rows[0].info.as_ref().map(|info| info.provisional), Some(Some(false)));
    assert_eq!((&rows[1].info, &*rows[1].window, rows[1].rank), (&None, "5m/1s", None));
}

#[test]
fn an_answer_without_rows_has_no_window_to_speak_of() {
    let settings = Settings::builtin();
    let info = answer(Vec::new()).info_to_proto(settings.metric("active_users").unwrap(), false);
    assert_eq!(
        (info.provisional, info.exactness(), info.complete),
        (None, Exactness::Unspecified, Some(false))
    );
}

#[test]
fn places_begin_anew_in_each_window_and_go_on_over_pages() {
    let settings = Settings::builtin();
    let metric = settings.metric("active_users").unwrap();
    let range = |start| TimeRange { start, end: start + 5 * MINUTE };
    let rows = [0, 0, 0, 1_000, 1_000].map(|start| users(range(start), 1, true));
    let answer = answer(rows.to_vec());
    let page = answer.rows_to_proto(metric, Shown { skip: 1, most: 3, ranked: true });
    assert_eq!(page.iter().map(|row| row.rank).collect::<Vec<_>>(), [Some(2), Some(3), Some(1)]);
}

#[test]
fn money_is_never_added_up_and_a_mean_is_rounded_half_up() {
    let euro = Currency::parse("EUR");
    let dollar = Currency::parse("USD");
    let money =
        |code: &str, minor| souk_proto::v1::Money { currency_code: code.into(), minor_units: Some(minor) };
    let money_amounts = |figure: Figure| row::amounts(&figure).map(Money::to_proto).collect::<Vec<_>>();
    let amounts = money_amounts(Figure::Amounts(vec![(euro, -5), (dollar, 0)]));
    assert_eq!(amounts, [money("EUR", -5), money("USD", 0)]);
    let mean = |sum, count| money_amounts(Figure::Means(vec![(euro, Total { sum, count })]));
    for (sum, count, rounded) in [(5, 2, 3), (-5, 2, -2), (4, 3, 1), (5, 3, 2), (5, -2, -2), (0, 1, 0)] {
        assert_eq!(mean(sum, count), [money("EUR", rounded)], "{sum} / {count}");
    }
    assert_eq!(mean(1, 0), []);
}

#[test]
fn a_row_of_total_has_no_end_and_a_sketch_says_how_far_off_it_may_be() {
    let settings = Settings::layered(
        "[metric.t]\nfrom = \"trip\"\nkeys = [[\"region\"]]\nwindows = [\"total\"]\nmeasures = { p50 = { quantile = \"duration\", q = 0.5, exact_to = 10 }, shops = { distinct = \"vehicle_type\", exact_to = 10 }, mean = { mean = \"duration\" } }\n",
    )
    .unwrap();
    let metric = settings.metric("t").unwrap();
    let mean = Figure::Fraction { numerator: 7, denominator: 2 };
    let sketched = |figure| Measured { figure, sketched: true };
    let values = vec![exact(mean), sketched(Figure::Integer(3)), sketched(Figure::Integer(4))];
    let row = AnswerRow {
        key: key(metric, 0, &["9"]),
        window: Window::Total,
        range: TimeRange::ALL,
        values,
        provisional: true,
    };
    let shown = written(|out| row.encode(metric, None, out));
    let range = shown.range.unwrap();
    assert_eq!(
        (range.start_time.unwrap().to_string(), range.end_time),
        ("0001-01-01T00:00:00Z".to_owned(), None)
    );
    assert_eq!(shown.key.into_iter().collect::<Vec<_>>(), [("region".to_owned(), "9".to_owned())]);
    let info = shown.info.unwrap();
    assert_eq!((info.exactness(), info.error_bound), (Exactness::Sketched, Some(0.025)));
    let Some(Value::Fraction(fraction)) = shown.values["mean"].value else { panic!("no fraction") };
    assert_eq!(
        (fraction.numerator, fraction.denominator, fraction.approximate),
        (Some(7), Some(2), Some(3.5))
    );
    let name = written(|out| row.encode_name(metric, Span::Newest, out));
    assert!(name.values.is_empty() && name.range.is_none() && name.key["region"] == "9");
    let name = written(|out| row.encode_name(metric, Span::Last(2), out));
    assert_eq!(name.range, shown.range);
}

#[test]
fn a_correction_names_its_record_and_both_sides() {
    let settings = Settings::builtin();
    let metric = settings.metric("events").unwrap();
    let correction = Correction {
        key: key(metric, 1, &["search"]),
        window: 1,
        range: TimeRange { start: 0, end: MINUTE },
        source: 17,
        offset: 48_211,
        before: Vec::new(),
        after: vec![exact(Figure::Integer(1))],
    };
    let id = RingId { position: 512, n: 0 };
    let shown = correction.to_proto(ShardId::products(3), id, &settings).unwrap();
    assert_eq!(
        (&*shown.name, &*shown.cause),
        ("metrics/events/corrections/products-3.512.0", "users-17@48211")
    );
    assert_eq!(shown.before, None);
    assert_eq!(shown.after.unwrap().key["kind"], "search");
}

#[test]
fn a_catalogue_entry_can_be_pasted() {
    let settings = Settings::builtin();
    let metric = settings.metric("products").unwrap().to_proto(&settings);
    assert_eq!((&*metric.name, metric.keys.len(), &*metric.windows[0]), ("metrics/products", 3, "1h"));
    let revenue = metric.measures.iter().find(|measure| measure.name == "revenue").unwrap();
    assert_eq!((&*revenue.aggregator, &*revenue.unit, revenue.ranked), ("sum", "money", true));
    assert!(metric.definition.starts_with("[metric.products]"), "{}", metric.definition);
    assert!(Settings::layered(&metric.definition).is_ok());
    assert_eq!(
        metric.examples[1],
        r#"grpcurl -plaintext -d '{"name":"metrics/products","group_by":["product"],"top":{"n":3,"measure":"revenue"}}' HOST:PORT souk.v1.AnalyticsService/QueryMetric"#
    );
}
