//! Everything that can be wrong with a message has a reason that names the path; nothing panics.

use proptest::prelude::*;
use souk_model::verdict::Reason;

use super::messages::{ADD_TO_CART, ALL, ORDER, PAGE_VIEW, TRANSACTION, TRIP};
use crate::limits::{LINES, MESSAGE_BYTES};
use crate::{Format, NAMES};

fn refused(format: &str, message: &str) -> (Reason, String, String) {
    let format = Format::named(format).expect("a format");
    let refusal = format.decode(message.as_bytes()).expect_err(message);
    (refusal.reason, refusal.field.into_owned(), refusal.message.into_owned())
}

#[test]
fn a_reason_names_the_path() {
    use Reason::{CurrencyUnknown, FieldInvalid, FieldMissing, PayloadUndecodable};
    let changed = |message: &str, from: &str, to: &str| {
        assert!(message.contains(from), "{from}");
        message.replace(from, to)
    };
    for (format, message, reason, field) in [
        ("cartpulse", "{".to_owned(), PayloadUndecodable, ""),
        ("cartpulse", "[1]".to_owned(), PayloadUndecodable, ""),
        ("cartpulse", String::new(), PayloadUndecodable, ""),
        ("cartpulse", format!("{PAGE_VIEW}x"), PayloadUndecodable, ""),
        ("cartpulse", changed(PAGE_VIEW, r#""alice""#, "null"), FieldMissing, "userId"),
        ("cartpulse", changed(PAGE_VIEW, r#""alice""#, "{}"), FieldInvalid, "userId"),
        ("cartpulse", changed(PAGE_VIEW, r#""eventType":"page_view","#, ""), FieldMissing, "eventType"),
        ("cartpulse", changed(PAGE_VIEW, "page_view", "page_seen"), FieldInvalid, "eventType"),
        ("cartpulse", changed(PAGE_VIEW, r#""page_view""#, "[]"), FieldInvalid, "eventType"),
        ("cartpulse", changed(PAGE_VIEW, "2026-11-21T", "21 Nov "), FieldInvalid, "timestamp"),
        ("cartpulse", changed(ADD_TO_CART, "GBP", "pounds"), CurrencyUnknown, "currency"),
        ("cartpulse", changed(ADD_TO_CART, "199.99", "\"dear\""), FieldInvalid, "productPrice"),
        ("cartpulse", changed(ADD_TO_CART, "199.99", "1e39"), FieldInvalid, "productPrice"),
        (
            "cartpulse",
            changed(ADD_TO_CART, r#"Quantity":3"#, r#"Quantity":2.5"#),
            FieldInvalid,
            "productQuantity",
        ),
        (
            "cartpulse",
            changed(ADD_TO_CART, r#"Quantity":3"#, r#"Quantity":3e10"#),
            FieldInvalid,
            "productQuantity",
        ),
        ("commerce", changed(TRANSACTION, "12.50", "12,50"), FieldInvalid, "amount"),
        ("streampulse", changed(TRIP, r#""fare""#, r#""tip":1,"fare""#), FieldInvalid, "tip"),
        ("streampulse", changed(TRIP, r#""duration":600,"#, ""), FieldMissing, "duration"),
        ("streampulse", changed(TRIP, r#""pickup_lon":-73.9,"#, ""), FieldMissing, "pickup_lon"),
        ("streampulse", changed(TRIP, r#""region_id":7"#, r#""region_id":true"#), FieldInvalid, "region_id"),
        (
            "kartshoppe",
            changed(ORDER, r#""quantity":1"#, r#""quantity":"x""#),
            FieldInvalid,
            "items[1].quantity",
        ),
        ("kartshoppe", changed(ORDER, r#""items":["#, r#""items":[7,"#), PayloadUndecodable, "items[0]"),
        ("kartshoppe", r#"{"name":"Mug"}"#.to_owned(), FieldMissing, "productId"),
    ] {
        let (found, path, words) = refused(format, &message);
        assert_eq!((found, path.as_str()), (reason, field), "{message}: {words}");
    }
}

#[test]
fn sizes_are_bounded() {
    let long = format!("{}{}", PAGE_VIEW, " ".repeat(MESSAGE_BYTES));
    assert_eq!(refused("cartpulse", &long).0, Reason::MessageTooLarge);
    let items = vec!["{}"; LINES + 1].join(",");
    let many = format!(r#"{{"eventType":"ORDER_PLACED","items":[{items}]}}"#);
    assert_eq!(refused("kartshoppe", &many).0, Reason::TooManyItems);
    let deep = format!(r#"{{"metadata":{}"#, "[".repeat(MESSAGE_BYTES - 20));
    assert_eq!(refused("kartshoppe", &deep).0, Reason::PayloadUndecodable);
}

proptest! {
    #[test]
    fn bytes_never_panic(format in 0..NAMES.len(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _verdict = Format::named(NAMES[format]).expect("a format").decode(&bytes);
    }

    #[test]
    fn broken_messages_never_panic(
        which in 0..ALL.len(),
        breaks in proptest::collection::vec((any::<prop::sample::Index>(), "[\\x00-\\x7fé\u{fffd}]{0,3}", any::<bool>()), 1..6),
    ) {
        let (format, message) = ALL[which];
        let mut message = message.to_owned();
        for (at, text, replaces) in breaks {
            let at = message.floor_char_boundary(at.index(message.len() + 1));
            let end = if replaces { message.ceil_char_boundary((at + text.len()).min(message.len())) } else { at };
            message.replace_range(at..end, &text);
        }
        for format in [format, "kartshoppe", "analytics-engine"] {
            let _verdict = Format::named(format).expect("a format").decode(message.as_bytes());
        }
    }
}
