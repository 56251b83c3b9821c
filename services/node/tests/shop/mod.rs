//! Events of a shop, for tests of what is published of it: every metric with a view has something to count.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

use souk_proto::v1;
use souk_proto::v1::event::Kind;

fn euro(minor: i64) -> v1::Money {
    v1::Money { currency_code: "EUR".into(), minor_units: Some(minor) }
}

fn line(product: usize, price: i64) -> v1::Line {
    v1::Line {
        product_id: format!("p-{product}"),
        quantity: Some(1),
        unit_price: Some(euro(price)),
        category: format!("c-{}", product % 3),
        ..Default::default()
    }
}

/// `count` events of a run, told apart from those of other runs.
pub(crate) fn events(run: &str, count: usize) -> Vec<v1::Event> {
    (0..count).map(|n| event(run, n)).collect()
}

fn event(run: &str, n: usize) -> v1::Event {
    let id = format!("{run}-{n}");
    let product = n * n % 17;
    let kind = match n % 5 {
        0 => Kind::PageView(v1::PageView { page: "/".into(), ..Default::default() }),
        1 => Kind::CartStep(v1::CartStep {
            action: v1::cart_step::Action::Add.into(),
            line: Some(line(product, 100 + n as i64)),
            ..Default::default()
        }),
        2 => Kind::OrderStep(v1::OrderStep {
            stage: v1::order_step::Stage::Placed.into(),
            order_id: id.clone(),
            lines: vec![line(product, 250)],
            ..Default::default()
        }),
        3 => Kind::Transaction(v1::Transaction {
            r#type: v1::transaction::Type::Purchase.into(),
            transaction_id: id.clone(),
            amount: Some(v1::Money {
                currency_code: ["EUR", "USD"][n % 2].into(),
                minor_units: Some(n as i64 + 1),
            }),
            category: format!("c-{}", product % 4),
            ..Default::default()
        }),
        _ => Kind::Trip(v1::Trip {
            trip_id: id.clone(),
            region_id: product as i32 % 7 + 1,
            fare: Some(euro(500 + n as i64)),
            duration: Some(prost_types::Duration { seconds: 60 + n as i64, nanos: 0 }),
            distance_meters: 1_000,
            ..Default::default()
        }),
    };
    v1::Event { event_id: id, user_id: format!("u-{}", n % 11), kind: Some(kind), ..Default::default() }
}
