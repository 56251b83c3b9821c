use souk_model::time::SECOND;

use super::*;
use crate::limits::{FILTER_BYTES, FILTER_DEPTH, FILTER_TERMS};

const FIELDS: [Field; 6] = [
    Field::new("name", Kind::Text),
    Field::new("state", Kind::Word(&["SERVING", "MOVING"])),
    Field::new("lag", Kind::Integer),
    Field::new("time", Kind::Time),
    Field::new("complete", Kind::Flag),
    Field::new("labels.*", Kind::Text),
];

fn row(field: &str) -> Value<'static> {
    match field {
        "name" => Value::Text("shards/users-17"),
        "state" => Value::Text("SERVING"),
        "lag" => Value::Integer(-3),
        "time" => Value::Time(5 * SECOND),
        "complete" => Value::Flag(true),
        "labels.color" => Value::Text("red \"hot\""),
        _ => Value::Absent,
    }
}

fn holds(text: &str) -> bool {
    Filter::parse(text, &FIELDS).unwrap_or_else(|error| panic!("{text}: {error}")).holds(row)
}

fn offset(text: &str) -> String {
    match Filter::parse(text, &FIELDS) {
        Err(ApiError::Refused(refused)) => {
            assert_eq!(refused.reason, Reason::FilterInvalid);
            assert_eq!(refused.fields[0].path, "filter");
            refused.metadata["offset"].clone()
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_empty_filter_holds() {
    assert!(holds(""));
    assert!(holds("  \n"));
    assert!(Filter::parse("", &FIELDS).unwrap().is_empty());
}

#[test]
fn each_kind_compares_as_it_should() {
    for text in [
        r#"name = "shards/users-17""#,
        "name = shards/users-17",
        "name:users",
        "name:*",
        "name > shards/products-1",
        "state = SERVING",
        "state != MOVING",
        "lag = -3",
        "lag<0",
        "lag <= -3",
        "lag>=-3",
        "time = \"1970-01-01T00:00:05Z\"",
        "time > 1970-01-01T00:00:04.999Z",
        "complete=true",
        r#"labels.color = "red \"hot\"""#,
        "labels.size != 7",
        "NOT labels.size = 7",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in ["labels.size:*", "name:carts", "lag > 0", "complete = false", "labels.size < 7"] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn or_binds_closer_than_and() {
    assert!(!holds("lag = 1 AND lag = 2 OR state = SERVING"));
    assert!(holds("(lag = 1 AND lag = 2) OR state = SERVING"));
    assert!(holds("lag = 1 OR state = SERVING AND complete = true"));
    assert!(holds("NOT (lag = 1 OR state = MOVING)"));
    assert!(holds("NOT NOT lag = -3"));
}

#[test]
fn what_cannot_be_read_says_where() {
    for (text, at) in [
        ("nme = 1", "0"),
        ("lag ~ 1", "4"),
        ("lag : 1", "4"),
        ("lag = x", "6"),
        ("lag =", "5"),
        ("state = serving", "8"),
        ("time = yesterday", "7"),
        ("complete = 1", "11"),
        ("(lag = 1", "8"),
        ("lag = 1)", "7"),
        ("lag = 1 lag = 2", "8"),
        ("name = \"open", "7"),
        ("AND", "0"),
        ("lag ! 1", "4"),
        ("labels. = 1", "0"),
        ("= 1", "0"),
    ] {
        assert_eq!(offset(text), at, "{text}");
    }
}

#[test]
fn depth_length_and_terms_are_bounded() {
    let nested = |depth| format!("{}lag = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(FILTER_DEPTH), &FIELDS).is_ok());
    offset(&nested(FILTER_DEPTH + 1));
    offset(&format!("{}lag = 1", "NOT ".repeat(FILTER_DEPTH + 1)));
    offset(&"x".repeat(FILTER_BYTES + 1));
    let terms = |count| vec!["lag=1"; count].join(" OR ");
    assert!(Filter::parse(&terms(FILTER_TERMS), &FIELDS).is_ok());
    offset(&terms(FILTER_TERMS + 1));
}

#[test]
fn no_text_makes_it_panic() {
    let pieces =
        ["lag", "=", " ", "(", ")", "\"", "\\", "é", "NOT", "AND", "1", ":", "!", "<", "\u{0}", "labels."];
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        let _whatever = Filter::parse(&text, &FIELDS);
    }
}
