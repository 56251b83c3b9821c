//! Written and read again, everything a format has a path for is what it was.

use proptest::prelude::*;
use souk_model::money::Currency;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use crate::field::Field;
use crate::kind::Kind;
use crate::parts::Parts;
use crate::{Format, NAMES};

fn texts() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 é\"\\\\/\n{}:,]{1,12}"
}

fn money(code: &'static str) -> impl Strategy<Value = v1::Money> {
    (0..10_000_000_000_i64)
        .prop_map(move |minor| v1::Money { currency_code: code.to_owned(), minor_units: Some(minor) })
}

fn line(code: &'static str) -> impl Strategy<Value = v1::Line> {
    (texts(), proptest::option::of(1..1_000), proptest::option::of(money(code)), texts(), texts()).prop_map(
        |(product_id, quantity, unit_price, title, brand)| v1::Line {
            product_id,
            quantity,
            unit_price,
            category: title.clone(),
            title,
            brand,
        },
    )
}

/// A body of a kind with everything in it.
fn body(kind: Kind, code: &'static str) -> impl Strategy<Value = Body> {
    let texts = (texts(), texts(), texts());
    let numbers = (0..10_000_i64, -90.0..90.0_f64, any::<bool>());
    let lines = proptest::collection::vec(line(code), 1..4);
    (texts, numbers, money(code), lines).prop_map(move |((a, b, c), (n, x, some), money, lines)| {
        let total = some.then(|| money.clone());
        match kind {
            Kind::PageView => Body::PageView(v1::PageView { page: a, referrer: b, campaign: c }),
            Kind::ProductView => Body::ProductView(v1::ProductView { product_id: a, category: b, brand: c }),
            Kind::Cart(action) => Body::CartStep(v1::CartStep {
                action: action.into(),
                cart_id: a,
                line: lines.into_iter().next(),
                total,
            }),
            Kind::Order(stage) => Body::OrderStep(v1::OrderStep {
                stage: stage.into(),
                order_id: a,
                cart_id: b,
                lines,
                total,
                payment_method: c,
            }),
            Kind::Search => Body::Search(v1::Search { query: a, result_count: some.then_some(n as i32) }),
            Kind::Browse => Body::Browse(v1::Browse { category: a }),
            Kind::Login => Body::Login(v1::Login { guest_id: a }),
            Kind::Logout => Body::Logout(v1::Logout {}),
            Kind::Wishlist(removed) => Body::WishlistStep(v1::WishlistStep { product_id: a, removed }),
            Kind::Review => Body::Review(v1::Review { product_id: a, rating: n as i32, title: b }),
            Kind::Recommendation(outcome) => Body::RecommendationStep(v1::RecommendationStep {
                outcome: outcome.into(),
                recommendation_id: a,
                product_ids: vec![b, c],
                confidence: x,
                reason: "why".to_owned(),
            }),
            Kind::Transaction(r#type) => Body::Transaction(v1::Transaction {
                r#type: r#type.into(),
                transaction_id: a,
                amount: Some(money),
                category: b,
                merchant: c.clone(),
                location: c,
            }),
            Kind::Trip => Body::Trip(trip(a, b, (n, x, some), money)),
            Kind::Product => Body::ProductStep(Box::new(v1::ProductStep {
                product: Some(v1::Product {
                    name: format!("products/{a}"),
                    title: b,
                    tags: vec![c.clone()],
                    description: c,
                    price: total,
                    stock: some.then(|| v1::Stock { available: Some(n), ..v1::Stock::default() }),
                    rating: Some(x.abs() + 1.0),
                    review_count: Some(n as i32),
                    ..v1::Product::default()
                }),
                update_mask: None,
            })),
            Kind::Stock => Body::StockStep(v1::StockStep {
                product_id: a,
                reason: b,
                change: Some(if some {
                    v1::stock_step::Change::Delta(-n)
                } else {
                    v1::stock_step::Change::Level(n)
                }),
            }),
            Kind::Custom => Body::Custom(v1::Custom { r#type: a }),
        }
    })
}

fn trip(trip_id: String, driver_id: String, (n, x, some): (i64, f64, bool), fare: v1::Money) -> v1::Trip {
    v1::Trip {
        trip_id,
        region_id: n as i32,
        fare: Some(fare),
        duration: Some(prost_types::Duration { seconds: n, nanos: if some { 250_000_000 } else { 0 } }),
        distance_meters: n,
        pickup: some.then_some(v1::Point { latitude: x, longitude: -x }),
        vehicle_type: driver_id.clone(),
        driver_id,
        ..v1::Trip::default()
    }
}

fn event(format: &'static str) -> impl Strategy<Value = v1::Event> {
    let format = Format::named(format).expect("a format");
    let codes = match format.paths[Field::Currency.place()].is_empty() {
        true => vec![format.currency.code()],
        false => vec!["EUR", "JPY", "KWD"],
    };
    let kinds: Vec<Kind> = Kind::all()
        .filter(|kind| format.kinds.written.contains_key(kind) || format.kinds.unsaid == Some(*kind))
        .collect();
    let body = (proptest::sample::select(kinds), proptest::sample::select(codes))
        .prop_flat_map(|(kind, code)| body(kind, code));
    let envelope = (texts(), texts(), texts(), 0..4_000_000_000_000_i64);
    (envelope, body).prop_map(|((event_id, user_id, session_id, millis), body)| v1::Event {
        event_id,
        user_id,
        session_id,
        event_time: Some(crate::time::timestamp(millis)),
        kind: Some(body),
        ..v1::Event::default()
    })
}

fn formats_and_events() -> impl Strategy<Value = (&'static str, v1::Event)> {
    proptest::sample::select(NAMES.to_vec())
        .prop_flat_map(|name| event(name).prop_map(move |event| (name, event)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back((name, event) in formats_and_events()) {
        let format = Format::named(name).expect("a format");
        let mut message = Vec::new();
        prop_assert!(format.tells(&event) && format.encode(&event, &mut message));
        let text = String::from_utf8_lossy(&message).into_owned();
        let read = match format.decode(&message) {
            Ok(read) => read,
            Err(refusal) => return Err(TestCaseError::fail(format!("{text}: {refusal}"))),
        };
        prop_assert_eq!(Kind::of(&read), Kind::of(&event));
        let (was, is) = (Parts::of(&format, &event), Parts::of(&format, &read));
        for field in Field::ALL.iter().filter(|field| !format.paths[field.place()].is_empty()) {
            let (was, is) = (was.get(field.place()), is.get(field.place()));
            prop_assert_eq!(format!("{:?}", was), format!("{:?}", is), "{}: {}", field.name(), text);
        }
        // What has been through it once goes through it unchanged.
        let mut again = Vec::new();
        prop_assert!(format.encode(&read, &mut again));
        prop_assert_eq!(String::from_utf8_lossy(&again), text.as_str());
        prop_assert_eq!(format.decode(&again).expect("it was read before"), read);
    }
}

#[test]
fn a_kind_without_a_word_is_not_written() {
    let trip = v1::Event { kind: Some(Body::Trip(v1::Trip::default())), ..v1::Event::default() };
    let mut out = Vec::new();
    let format = Format::named("cartpulse").expect("a format");
    assert!(!format.tells(&trip) && !format.encode(&trip, &mut out));
    assert!(out.is_empty() && !format.encode(&v1::Event::default(), &mut out));
    assert_eq!(Currency::parse("USD"), Some(format.currency));
}
