use std::collections::BTreeMap;

use prost_types::{Duration, FieldMask, Timestamp};

use super::*;

fn line(product: &str, quantity: Option<i32>, unit_price: Option<v1::Money>) -> v1::Line {
    v1::Line { product_id: product.to_owned(), quantity, unit_price, ..Default::default() }
}

fn trip() -> v1::Trip {
    let duration = Some(Duration { seconds: 600, nanos: 0 });
    v1::Trip { region_id: 1, fare: euros(1_250), duration, distance_meters: 4_200, ..Default::default() }
}

fn cart_step(line: Option<v1::Line>) -> v1::CartStep {
    v1::CartStep { action: v1::cart_step::Action::Add as i32, line, ..Default::default() }
}

fn order_step(stage: v1::order_step::Stage) -> v1::OrderStep {
    v1::OrderStep { stage: stage as i32, total: euros(500), ..Default::default() }
}

fn product_step() -> v1::ProductStep {
    let product = v1::Product { name: "products/p-1".to_owned(), price: euros(500), ..Default::default() };
    v1::ProductStep { product: Some(product), ..Default::default() }
}

/// One valid event of each kind.
pub(super) fn valid_kinds() -> Vec<Kind> {
    let p = || "p-1".to_owned();
    let offered = v1::recommendation_step::Outcome::Offered as i32;
    let purchase = v1::transaction::Type::Purchase as i32;
    vec![
        Kind::PageView(v1::PageView { page: "/mugs".to_owned(), ..Default::default() }),
        Kind::ProductView(v1::ProductView { product_id: p(), ..Default::default() }),
        Kind::CartStep(cart_step(Some(line("p-1", Some(2), euros(500))))),
        Kind::OrderStep(order_step(v1::order_step::Stage::Placed)),
        Kind::Search(v1::Search { query: "blåbär".to_owned(), result_count: Some(0) }),
        Kind::Browse(v1::Browse { category: "mugs".to_owned() }),
        Kind::Login(v1::Login { guest_id: "s-1".to_owned() }),
        Kind::Logout(v1::Logout {}),
        Kind::WishlistStep(v1::WishlistStep { product_id: p(), removed: true }),
        Kind::Review(v1::Review { product_id: p(), rating: 5, ..Default::default() }),
        Kind::RecommendationStep(v1::RecommendationStep {
            outcome: offered,
            product_ids: vec![p()],
            ..Default::default()
        }),
        Kind::Transaction(v1::Transaction { r#type: purchase, amount: euros(999), ..Default::default() }),
        Kind::Trip(trip()),
        Kind::ProductStep(product_step().into()),
        Kind::StockStep(v1::StockStep {
            product_id: p(),
            change: Some(v1::stock_step::Change::Delta(-3)),
            ..Default::default()
        }),
        Kind::Custom(v1::Custom { r#type: "spin".to_owned() }),
    ]
}

#[test]
fn every_kind_has_a_lawful_form() {
    for kind in valid_kinds() {
        assert_eq!(refused(validate_event(&event(kind.clone()))), "", "{kind:?}");
    }
}

#[test]
fn the_envelope_has_bounds() {
    let time = |seconds, nanos| Some(Timestamp { seconds, nanos });
    let labels = |count: usize, length: usize| -> BTreeMap<_, _> {
        (0..count).map(|n| (format!("label{n}"), "v".repeat(length))).collect()
    };
    let change = |change: fn(&mut v1::Event)| {
        let mut event = page_view();
        change(&mut event);
        event
    };
    for (event, want) in [
        (change(|e| e.event_id.clear()), "event_id FIELD_MISSING"),
        (change(|e| e.event_id = "a b".to_owned()), "event_id FIELD_INVALID"),
        (change(|e| e.event_id = "x".repeat(64)), ""),
        (change(|e| e.event_id = "x".repeat(65)), "event_id FIELD_INVALID"),
        (change(|e| e.user_id = "users/alice".to_owned()), "user_id FIELD_INVALID"),
        (change(|e| e.user_id = format!("guest:{}", "s".repeat(64))), ""),
        (change(|e| e.user_id = "guest:".to_owned()), "user_id FIELD_MISSING"),
        (change(|e| e.session_id = "é".to_owned()), "session_id FIELD_INVALID"),
        (change(|e| e.device_id = "\n".to_owned()), "device_id FIELD_INVALID"),
        (change(|e| e.shop = "a/b".to_owned()), "shop FIELD_INVALID"),
        (change(|e| e.source = "kafka:\u{7f}".to_owned()), "source FIELD_INVALID"),
        (change(|e| e.source = "\u{85}".to_owned()), "source FIELD_INVALID"),
        (change(|e| e.source = "Âé".to_owned()), ""),
        (change(|e| e.kind = None), "kind FIELD_MISSING"),
        (v1::Event { event_time: time(253_402_300_800, 0), ..page_view() }, "event_time FIELD_INVALID"),
        (v1::Event { event_time: time(i64::MIN, 0), ..page_view() }, "event_time FIELD_INVALID"),
        (v1::Event { event_time: time(0, -1), ..page_view() }, "event_time FIELD_INVALID"),
        (v1::Event { labels: labels(16, 128), ..page_view() }, ""),
        (v1::Event { labels: labels(17, 1), ..page_view() }, "labels TOO_MANY_ITEMS"),
        (v1::Event { labels: labels(1, 129), ..page_view() }, "labels FIELD_INVALID"),
    ] {
        assert_eq!(refused(validate_event(&event)), want, "{event:?}");
    }
    let before_the_epoch = v1::Event { event_time: time(-1, 999_999_999), ..page_view() };
    assert_eq!(decoded(before_the_epoch).time, Some(-1));
}

#[test]
fn kinds_stand_in_the_order_of_the_proto() {
    const FIRST: u8 = 9;
    for place in 0..KIND_NAMES.len() {
        // The key of the kind's field, two bytes from the sixteenth on, and an empty message.
        let field = (u16::from(FIRST) + place as u16) << 3 | 2;
        let key = if field < 0x80 { vec![field as u8] } else { vec![field as u8 | 0x80, (field >> 7) as u8] };
        let event = v1::Event::decode(&*[key, vec![0]].concat()).expect("an event");
        let kind = event.kind.expect("a kind");
        assert_eq!(kind_place(&kind), place, "{}", kind_name(&kind));
    }
}

#[test]
fn each_kind_names_the_field_it_refuses() {
    let p = || "p-1".to_owned();
    let price_of_two = v1::Money { minor_units: Some(2), ..Default::default() };
    let no_amount = v1::Money { currency_code: "EUR".to_owned(), minor_units: None };
    let step = |change: fn(&mut v1::RecommendationStep)| {
        let mut step =
            v1::RecommendationStep { outcome: 1, product_ids: vec!["p-1".to_owned()], ..Default::default() };
        change(&mut step);
        Kind::RecommendationStep(step)
    };
    let ride = |change: fn(&mut v1::Trip)| {
        let mut trip = trip();
        change(&mut trip);
        Kind::Trip(trip)
    };
    let point = |latitude, longitude| Some(v1::Point { latitude, longitude });
    for (kind, want) in [
        (Kind::PageView(Default::default()), "page_view.page FIELD_MISSING"),
        (
            Kind::PageView(v1::PageView { page: "x".repeat(1_025), ..Default::default() }),
            "page_view.page FIELD_INVALID",
        ),
        (Kind::ProductView(Default::default()), "product_view.product_id FIELD_MISSING"),
        (
            Kind::Search(v1::Search { result_count: Some(-1), ..Default::default() }),
            "search.result_count VALUE_OUT_OF_RANGE",
        ),
        (Kind::Search(Default::default()), ""),
        (Kind::Browse(Default::default()), "browse.category FIELD_MISSING"),
        (Kind::WishlistStep(Default::default()), "wishlist_step.product_id FIELD_MISSING"),
        (
            Kind::Review(v1::Review { product_id: p(), rating: 6, ..Default::default() }),
            "review.rating VALUE_OUT_OF_RANGE",
        ),
        (
            Kind::Review(v1::Review { product_id: p(), ..Default::default() }),
            "review.rating VALUE_OUT_OF_RANGE",
        ),
        (Kind::Custom(Default::default()), "custom.type FIELD_MISSING"),
        (step(|s| s.outcome = 0), "recommendation_step.outcome FIELD_MISSING"),
        (step(|s| s.outcome = 99), "recommendation_step.outcome FIELD_INVALID"),
        (step(|s| s.outcome = 2), "recommendation_step.recommendation_id FIELD_MISSING"),
        (step(|s| s.product_ids.clear()), "recommendation_step.product_ids FIELD_MISSING"),
        (
            step(|s| s.product_ids = vec!["p".to_owned(); 51]),
            "recommendation_step.product_ids TOO_MANY_ITEMS",
        ),
        (
            step(|s| s.product_ids = vec!["p".to_owned(), "q q".to_owned()]),
            "recommendation_step.product_ids[1] FIELD_INVALID",
        ),
        (step(|s| s.confidence = 1.01), "recommendation_step.confidence VALUE_OUT_OF_RANGE"),
        (step(|s| s.confidence = f64::NAN), "recommendation_step.confidence VALUE_OUT_OF_RANGE"),
        (Kind::Transaction(Default::default()), "transaction.type FIELD_MISSING"),
        (
            Kind::Transaction(v1::Transaction { r#type: 1, ..Default::default() }),
            "transaction.amount FIELD_MISSING",
        ),
        (
            Kind::Transaction(v1::Transaction { r#type: 1, amount: euros(-1), ..Default::default() }),
            "transaction.amount.minor_units VALUE_OUT_OF_RANGE",
        ),
        (
            Kind::Transaction(v1::Transaction {
                r#type: 1,
                amount: Some(price_of_two),
                ..Default::default()
            }),
            "transaction.amount.currency_code CURRENCY_UNKNOWN",
        ),
        (
            Kind::Transaction(v1::Transaction { r#type: 1, amount: Some(no_amount), ..Default::default() }),
            "transaction.amount.minor_units FIELD_MISSING",
        ),
        (
            Kind::Transaction(v1::Transaction {
                r#type: 1,
                amount: euros(1_000_000_000_001),
                ..Default::default()
            }),
            "transaction.amount.minor_units VALUE_OUT_OF_RANGE",
        ),
        (ride(|t| t.region_id = 101), "trip.region_id VALUE_OUT_OF_RANGE"),
        (ride(|t| t.fare = None), "trip.fare FIELD_MISSING"),
        (ride(|t| t.duration = None), "trip.duration FIELD_MISSING"),
        (
            ride(|t| t.duration = Some(Duration { seconds: 0, nanos: 999_999_999 })),
            "trip.duration VALUE_OUT_OF_RANGE",
        ),
        (
            ride(|t| t.duration = Some(Duration { seconds: i64::MAX, nanos: 0 })),
            "trip.duration VALUE_OUT_OF_RANGE",
        ),
        (
            ride(|t| t.duration = Some(Duration { seconds: i64::MIN, nanos: i32::MIN })),
            "trip.duration VALUE_OUT_OF_RANGE",
        ),
        (ride(|t| t.distance_meters = 10_000_001), "trip.distance_meters VALUE_OUT_OF_RANGE"),
        (
            Kind::Trip(v1::Trip { pickup: point(91.0, 0.0), ..trip() }),
            "trip.pickup.latitude VALUE_OUT_OF_RANGE",
        ),
        (
            Kind::Trip(v1::Trip { dropoff: point(0.0, f64::INFINITY), ..trip() }),
            "trip.dropoff.longitude VALUE_OUT_OF_RANGE",
        ),
    ] {
        assert_eq!(refused(validate_event(&event(kind.clone()))), want, "{kind:?}");
    }
}

#[test]
fn carts_and_orders_name_the_field_they_refuse() {
    use v1::cart_step::Action;
    use v1::order_step::Stage;
    let with_lines = |lines| Kind::OrderStep(v1::OrderStep { lines, ..order_step(Stage::Placed) });
    let bare = |stage| Kind::OrderStep(v1::OrderStep { total: None, ..order_step(stage) });
    for (kind, want) in [
        (Kind::CartStep(Default::default()), "cart_step.action FIELD_MISSING"),
        (Kind::CartStep(cart_step(None)), "cart_step.line FIELD_MISSING"),
        (Kind::CartStep(v1::CartStep { action: Action::Clear as i32, ..Default::default() }), ""),
        (
            Kind::CartStep(v1::CartStep {
                action: Action::View as i32,
                ..cart_step(Some(Default::default()))
            }),
            "",
        ),
        (Kind::CartStep(cart_step(Some(line("", None, None)))), "cart_step.line.product_id FIELD_MISSING"),
        (Kind::CartStep(cart_step(Some(line("p", None, None)))), ""),
        (
            Kind::CartStep(cart_step(Some(line("p", Some(0), None)))),
            "cart_step.line.quantity VALUE_OUT_OF_RANGE",
        ),
        (
            Kind::CartStep(cart_step(Some(line("p", Some(1_001), None)))),
            "cart_step.line.quantity VALUE_OUT_OF_RANGE",
        ),
        (
            Kind::CartStep(cart_step(Some(line("p", None, euros(-1))))),
            "cart_step.line.unit_price.minor_units VALUE_OUT_OF_RANGE",
        ),
        (Kind::OrderStep(Default::default()), "order_step.stage FIELD_MISSING"),
        (bare(Stage::Placed), "order_step.total FIELD_MISSING"),
        (bare(Stage::Paid), "order_step.total FIELD_MISSING"),
        (bare(Stage::Refunded), ""),
        (with_lines(vec![line("p", None, euros(1)); 200]), ""),
        (with_lines(vec![line("p", None, euros(1)); 201]), "order_step.lines TOO_MANY_ITEMS"),
        (with_lines(vec![line("p", None, dollars(1))]), ""), // the fold asks, of orders that count
        (
            with_lines(vec![line("p", None, euros(1)), line("q", Some(-1), None)]),
            "order_step.lines[1].quantity VALUE_OUT_OF_RANGE",
        ),
    ] {
        assert_eq!(refused(validate_event(&event(kind.clone()))), want, "{kind:?}");
    }
    let nobody = |kind| v1::Event { user_id: String::new(), session_id: String::new(), ..event(kind) };
    let step = Kind::OrderStep(order_step(Stage::Placed));
    assert_eq!(refused(validate_event(&nobody(step))), "user_id FIELD_MISSING");
    let login = Kind::Login(v1::Login { guest_id: "s-1".to_owned() });
    assert_eq!(
        refused(validate_event(&v1::Event { user_id: String::new(), ..event(login) })),
        "user_id FIELD_MISSING"
    );
}

#[test]
fn products_name_the_field_they_refuse() {
    let step = |change: fn(&mut v1::Product)| {
        let mut step = product_step();
        step.product.iter_mut().for_each(change);
        Kind::ProductStep(step.into())
    };
    let masked = |path: &str| {
        let update_mask = Some(FieldMask { paths: vec!["price".to_owned(), path.to_owned()] });
        Kind::ProductStep(v1::ProductStep { update_mask, ..product_step() }.into())
    };
    let sale = |price, start, end| {
        let time = |seconds: i64| Some(Timestamp { seconds, nanos: 0 });
        Some(v1::Sale { price, start_time: time(start), end_time: time(end), ..Default::default() })
    };
    let on_sale = |sale| {
        let mut step = product_step();
        step.product.iter_mut().for_each(|product| product.sale.clone_from(&sale));
        Kind::ProductStep(step.into())
    };
    let stock =
        |change| Kind::StockStep(v1::StockStep { product_id: "p".to_owned(), change, ..Default::default() });
    use v1::stock_step::Change;
    for (kind, want) in [
        (Kind::ProductStep(Default::default()), "product_step.product FIELD_MISSING"),
        (step(|p| p.name.clear()), "product_step.product.name FIELD_MISSING"),
        (step(|p| p.name = "p-1".to_owned()), "product_step.product.name FIELD_INVALID"),
        (step(|p| p.name = "products/".to_owned()), "product_step.product.name FIELD_MISSING"),
        (step(|p| p.description = "one\ntwo".to_owned()), ""),
        (step(|p| p.description = "\u{0}".to_owned()), "product_step.product.description FIELD_INVALID"),
        (step(|p| p.title = "one\ntwo".to_owned()), "product_step.product.title FIELD_INVALID"),
        (step(|p| p.tags = vec![String::new(); 33]), "product_step.product.tags TOO_MANY_ITEMS"),
        (step(|p| p.tags = vec!["x".repeat(129)]), "product_step.product.tags[0] FIELD_INVALID"),
        (step(|p| p.rating = Some(0.5)), "product_step.product.rating VALUE_OUT_OF_RANGE"),
        (step(|p| p.review_count = Some(-1)), "product_step.product.review_count VALUE_OUT_OF_RANGE"),
        (
            step(|p| p.stock = Some(v1::Stock { mode: 9, ..Default::default() })),
            "product_step.product.stock.mode FIELD_INVALID",
        ),
        (
            step(|p| p.stock = Some(v1::Stock { available: Some(-1), ..Default::default() })),
            "product_step.product.stock.available VALUE_OUT_OF_RANGE",
        ),
        (on_sale(sale(None, 1, 2)), "product_step.product.sale.price FIELD_MISSING"),
        (on_sale(sale(euros(1), 2, 2)), "product_step.product.sale.end_time VALUE_OUT_OF_RANGE"),
        (on_sale(sale(euros(1), 1, 2)), ""),
        (masked("stock.available"), ""),
        (masked(""), "product_step.update_mask.paths[1] FIELD_MISSING"),
        (stock(None), "stock_step.change FIELD_MISSING"),
        (stock(Some(Change::Level(-1))), "stock_step.level VALUE_OUT_OF_RANGE"),
        (stock(Some(Change::Delta(-1_000_000_000_001))), "stock_step.delta VALUE_OUT_OF_RANGE"),
        (Kind::StockStep(Default::default()), "stock_step.product_id FIELD_MISSING"),
    ] {
        assert_eq!(refused(validate_event(&event(kind.clone()))), want, "{kind:?}");
    }
}
