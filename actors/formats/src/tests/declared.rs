//! Formats that are declared, and what can be wrong with a declaration.

use souk_model::verdict::Reason;
use souk_proto::v1::event::Kind as Body;

use crate::Format;

const DECLARED: &str = r#"
currency = "EUR"
amounts = "exact"
time = "s"
distance = "m"
needs = ["user_id"]

[kind]
path = "what.type"
other = "custom"
[kind.values]
"cart_step.add" = ["basket", "BASKET"]
trip = "ride"

[fields]
user_id = ["who.id", "uid"]
event_time = "at"
product_id = "what.sku"
price = "what.price"
quantity = "what.n"
amount = "cost"
distance = "metres"
duration = "took"
trip_id = "ride"
region_id = "region"

[labels]
shelf = "what.shelf"
"#;

fn declared() -> Format {
    Format::parse("theirs", DECLARED).unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn paths_lead_through_objects_and_a_field_may_have_two() {
    let format = declared();
    for message in [
        r#"{"who":{"id":"alice"},"at":1795251600.25,"what":{"type":"basket","sku":"p-1","price":"9.99","n":2,"shelf":"A 4"}}"#,
        r#"{"what":{"shelf":"A 4","n":2,"price":9.99,"sku":"p-1","type":"BASKET"},"who":null,"uid":"alice","at":1795251600.25}"#,
    ] {
        let event =
            format.decode(message.as_bytes()).unwrap_or_else(|refusal| panic!("{message}: {refusal}"));
        assert_eq!((event.user_id.as_str(), event.labels["shelf"].as_str()), ("alice", "A 4"));
        assert_eq!(
            event.event_time.map(|time| (time.seconds, time.nanos)),
            Some((1_795_251_600, 250_000_000))
        );
        let Some(Body::CartStep(step)) = &event.kind else { panic!("{event:?}") };
        let line = step.line.as_ref().expect("a line");
        let price = line.unit_price.as_ref().expect("a price");
        assert_eq!((price.currency_code.as_str(), price.minor_units), ("EUR", Some(999)));
        let mut out = Vec::new();
        assert!(format.encode(&event, &mut out));
        let written = String::from_utf8(out).expect("text");
        assert_eq!(
            written,
            r#"{"what":{"type":"basket","price":9.99,"sku":"p-1","n":2,"shelf":"A 4"},"at":1795251600,"who":{"id":"alice"}}"#
        );
    }
}

#[test]
fn units_and_other_kinds_are_as_declared() {
    let format = declared();
    let trip =
        br#"{"uid":"a","what":{"type":"ride"},"ride":"r","metres":3200.4,"took":90.5,"cost":7,"region":4}"#;
    let Some(Body::Trip(trip)) = format.decode(trip).expect("a trip").kind else { panic!("a trip") };
    assert_eq!((trip.distance_meters, trip.region_id), (3_200, 4));
    assert_eq!(trip.duration.map(|took| (took.seconds, took.nanos)), Some((90, 500_000_000)));
    let custom = format.decode(br#"{"uid":"a","what":{"type":"newsletter"}}"#).expect("an event");
    assert!(
        matches!(&custom.kind, Some(Body::Custom(custom)) if custom.r#type == "newsletter"),
        "{custom:?}"
    );
    let refusal =
        format.decode(br#"{"uid":"a","what":{"type":"basket","sku":"p","price":9.999}}"#).expect_err("exact");
    assert_eq!((refusal.reason, refusal.field.as_ref()), (Reason::FieldInvalid, "what.price"));
    let refusal = format.decode(br#"{"uid":"a","what":"basket"}"#).expect_err("no object");
    assert_eq!((refusal.reason, refusal.field.as_ref()), (Reason::FieldInvalid, "what"));
}

#[test]
fn everything_wrong_with_a_declaration_is_said_at_once() {
    let problems = Format::parse(
        "wrong",
        r#"
            colour = "red"
            currency = "euro"
            time = "hours"
            needs = ["usr_id", "event_id"]
            [kind]
            path = "t"
            [kind.values]
            page_vew = "x"
            search = "y"
            browse = "y"
            [fields]
            user_id = "t"
            usr_id = "u"
            page = "a..b"
            query = 7
            brand = "name"
            title = "name.title"
            [lines]
            product_id = "id"
        "#,
    );
    let said: Vec<String> = problems.expect_err("much is wrong").iter().map(ToString::to_string).collect();
    for words in [
        "there is no \"colour\"",
        "currency: must be an ISO 4217 code",
        "time: must be one of iso, s, ms, us",
        "needs: there is no \"usr_id\"; did you mean \"user_id\"?",
        "needs: event_id has no path",
        "there is no \"page_vew\"; did you mean \"page_view\"?",
        "\"y\" stands for two kinds",
        "fields.user_id: \"t\" is declared twice",
        "fields: there is no \"usr_id\"; did you mean \"user_id\"?",
        "fields.page: \"a..b\" is no path",
        "fields.query: must be a text or a list of texts",
        "\"name\" is declared as a value elsewhere",
        "lines.path: is missing",
    ] {
        assert!(said.iter().any(|problem| problem.contains(words)), "{words}: {said:#?}");
    }
    assert!(Format::parse("none", "").is_err());
    assert!(Format::parse("none", "[kind").is_err());
}
