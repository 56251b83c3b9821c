//! Events that are not part of a visit, and those that do not fit: trips, ledger entries, late ones, malformed ones.

use prost_types::Duration;
use rand::RngExt as _;
use rand::rngs::StdRng;
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::transaction::Type;

use super::range::{CURRENCIES, money};

/// A trip nobody is named for: its own id is its key.
pub(super) fn trip(rng: &mut StdRng, serial: u64) -> Kind {
    Kind::Trip(v1::Trip {
        trip_id: format!("trip-{serial:x}"),
        region_id: rng.random_range(1..=20),
        fare: Some(money("USD", rng.random_range(300..9_000))),
        duration: Some(Duration { seconds: rng.random_range(60..4_000), nanos: 0 }),
        distance_meters: rng.random_range(100..40_000),
        vehicle_type: "car".to_owned(),
        ..Default::default()
    })
}

pub(super) fn transaction(rng: &mut StdRng, serial: u64) -> Kind {
    let kind = match rng.random_range(0..10) {
        0 => Type::Transfer,
        1 | 2 => Type::Refund,
        _ => Type::Purchase,
    };
    Kind::Transaction(v1::Transaction {
        r#type: kind.into(),
        transaction_id: format!("t-{serial:x}"),
        amount: Some(money(CURRENCIES[rng.random_range(0..CURRENCIES.len())], rng.random_range(100..50_000))),
        category: format!("category-{}", rng.random_range(0..8)),
        merchant: format!("merchant-{}", rng.random_range(0..50)),
        location: "Berlin".to_owned(),
    })
}

/// Something needed is missing or out of bounds.
pub(super) fn malformed(rng: &mut StdRng) -> Option<Kind> {
    match rng.random_range(0..4) {
        0 => Some(Kind::ProductView(v1::ProductView::default())),
        1 => Some(Kind::Trip(v1::Trip { region_id: 101, ..Default::default() })),
        2 => Some(Kind::PageView(v1::PageView { page: "line\nbreak".to_owned(), ..Default::default() })),
        _ => None,
    }
}
