use souk_proto::v1::event::Kind as Body;

use super::*;

fn items(what: As, text: &str) -> Vec<Item> {
    let mut reader = Reader::new(text.as_bytes(), what, "EUR").expect("a reader");
    std::iter::from_fn(|| reader.next().expect("readable")).collect()
}

fn events(what: As, text: &str) -> Vec<v1::Event> {
    let of = |item: Item| v1::Event::decode(item.became.expect("an event").event).expect("encoded");
    items(what, text).into_iter().map(of).collect()
}

fn refusal(what: As, text: &str) -> (String, String) {
    let last = items(what, text).pop().expect("a line").became.expect_err("refused");
    let reason = last.reason.as_str_name().trim_start_matches("ERROR_REASON_");
    (format!("{} [{reason}]", last.field), last.message.into_owned())
}

const TRIPS: &str =
    "trip_id,region_id,event_time,fare,duration,distance,vehicle_type,pickup_lat,pickup_lon\n";
const LEDGER: &str =
    "transactionId,userId,transactionType,amount,currency,transactionDate,category,merchant,location\n";

#[test]
fn a_trip_is_read_exactly() {
    let text = format!("{TRIPS}t-1,7,2024-05-01T10:00:00Z,12.3,600.5,3.2004,car,40.7,-73.9\n");
    let events = events(As::Trip, &text);
    let Some(Body::Trip(trip)) = &events[0].kind else { panic!("no trip") };
    let fare = v1::Money { currency_code: "EUR".to_owned(), minor_units: Some(1_230) };
    assert_eq!((trip.trip_id.as_str(), trip.region_id, &trip.fare), ("t-1", 7, &Some(fare)));
    assert_eq!(trip.duration, Some(prost_types::Duration { seconds: 600, nanos: 500_000_000 }));
    assert_eq!(trip.distance_meters, 3_200);
    assert_eq!(trip.pickup, Some(v1::Point { latitude: 40.7, longitude: -73.9 }));
    assert_eq!(events[0].event_time, Some(time::timestamp(1_714_557_600_000)));
    assert_eq!(souk_model::record::validate_event(&events[0]), Ok(()));
}

#[test]
fn a_transaction_is_read_in_the_decimals_of_its_currency() {
    let rows = "x-1,u-9,PURCHASE,19.99,EUR,2024-05-01T10:00:00+02:00,mugs,\"Mug, Ltd\",Lyon\n\
                x-2,u-9,refund,500,JPY,2024-05-01 10:00:00,,,\n\
                x-3,u-9,transfer,1.234,KWD,1714557600123,,,\n";
    let events = events(As::Transaction, &format!("{LEDGER}{rows}"));
    let of = |n: usize| match &events[n].kind {
        Some(Body::Transaction(transaction)) => transaction.clone(),
        _ => panic!("no transaction"),
    };
    assert_eq!(of(0).amount.and_then(|amount| amount.minor_units), Some(1_999));
    assert_eq!((of(0).r#type(), of(0).merchant), (v1::transaction::Type::Purchase, "Mug, Ltd".to_owned()));
    assert_eq!(of(1).amount.and_then(|amount| amount.minor_units), Some(500));
    assert_eq!(of(2).amount.and_then(|amount| amount.minor_units), Some(1_234));
    for event in &events {
        assert_eq!(souk_model::record::validate_event(event), Ok(()));
    }
}

#[test]
fn what_is_wrong_with_a_line_is_named_by_its_field() {
    let time = "2024-05-01T10:00:00Z";
    for (row, field, message) in [
        (format!("t,x,{time},1,60,1,,,"), "trip.region_id [FIELD_INVALID]", "must be a whole number"),
        (format!("t,7,{time},1.234,60,1,,,"), "trip.fare [FIELD_INVALID]", "EUR has 2 decimals, not more"),
        (format!("t,7,{time},1x3,60,1,,,"), "trip.fare [FIELD_INVALID]", "must be a number, as 12.50"),
        (format!("t,7,{time},1,60,far,,,"), "trip.distance_meters [FIELD_INVALID]", "must be km, as 3.2"),
        (
            format!("t,7,{time},1,60,1,car,40.7,"),
            "trip.pickup.longitude [FIELD_MISSING]",
            "is needed beside the other",
        ),
        (
            "t,7,soon,1,60,1,,,".to_owned(),
            "event_time [FIELD_INVALID]",
            "must be a time, as 2024-05-01T10:00:00Z",
        ),
        (format!("t,7,{time},1,60"), " [PAYLOAD_UNDECODABLE]", "has 5 columns, the header 9"),
        (format!("t,7,{time},1,60,1,\"car,,"), " [PAYLOAD_UNDECODABLE]", "has 7 columns, the header 9"),
    ] {
        let refused = refusal(As::Trip, &format!("{TRIPS}{row}\n"));
        assert_eq!(refused, (field.to_owned(), message.to_owned()), "{row}");
    }
    let row = format!("x-1,u-9,purchase,19.99,EURO,{time},,,");
    let refused = refusal(As::Transaction, &format!("{LEDGER}{row}\n"));
    assert_eq!(refused.0, "transaction.amount.currency_code [CURRENCY_UNKNOWN]");
}

#[test]
fn an_empty_cell_is_left_to_the_node_to_refuse() {
    let events = events(As::Trip, &format!("{TRIPS}t-1,7,2024-05-01T10:00:00Z,,600,3.2,,,\n"));
    let refusal = souk_model::record::validate_event(&events[0]).expect_err("no fare");
    assert_eq!((refusal.reason, refusal.field.as_ref()), (Reason::FieldMissing, "trip.fare"));
}

#[test]
fn events_are_read_in_either_spelling_and_unknown_fields_are_refused() {
    let text = r#"{"event_id":"e-1","user_id":"me","page_view":{"page":"/"}}
{"eventId":"e-2","userId":"me","eventTime":"2024-05-01T10:00:00Z","pageView":{"page":"/"}}"#;
    let events = events(As::Event, text);
    assert_eq!((events[0].event_id.as_str(), events[1].event_id.as_str()), ("e-1", "e-2"));
    let item = items(As::Event, text).pop().expect("two lines");
    assert_eq!(item.became.expect("an event").millis, Some(1_714_557_600_000));
    for line in [r#"{"colour":"red"}"#, r#"{"event_id":"e-1""#, "e-1 u-1", r#"{"event_id":"e-1"} {}"#] {
        assert_eq!(refusal(As::Event, line).0, " [PAYLOAD_UNDECODABLE]", "{line}");
    }
}

#[test]
fn a_line_without_an_id_gets_the_same_one_every_time_and_equal_lines_get_two() {
    let line = r#"{"user_id":"me","page_view":{"page":"/"}}"#;
    let ids = || {
        events(As::Event, &format!("{line}\n{line}\n"))
            .into_iter()
            .map(|event| event.event_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(), ids());
    assert_ne!(ids()[0], ids()[1]);
    assert!(souk_model::record::validate_event(&events(As::Event, line)[0]).is_ok());
}

#[test]
fn a_shift_moves_times_and_not_ids() {
    let line = r#"{"user_id":"me","event_time":"2024-05-01T10:00:00Z","page_view":{"page":"/"}}"#;
    let plain = events(As::Event, line).remove(0);
    let mut reader = Reader::new(line.as_bytes(), As::Event, "EUR").expect("a reader");
    reader.shift = 86_400_000;
    let ready = reader.next().expect("readable").expect("a line").became.expect("an event");
    let shifted = v1::Event::decode(ready.event).expect("encoded");
    assert_eq!(ready.millis, Some(1_714_557_600_000 + 86_400_000));
    assert_eq!(shifted.event_time, ready.millis.map(time::timestamp));
    assert_eq!(shifted.event_id, plain.event_id);
}

#[test]
fn a_file_that_is_no_such_table_is_refused_at_once() {
    assert!(matches!(Reader::new(&b""[..], As::Trip, "EUR"), Err(Unreadable::Empty)));
    assert!(matches!(Reader::new(&b"a,b\n"[..], As::Trip, "EUR"), Err(Unreadable::Header(_))));
}
