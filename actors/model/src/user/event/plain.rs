//! Kinds whose facts need nothing of the actor's state.

use souk_proto::v1;
use souk_proto::v1::event::Kind as Reported;

use crate::fact::Detail;
use crate::money::Money;
use crate::record;
use crate::time::Millis;

use super::super::line::or;
use super::super::scribe::Scribe;

pub(super) fn tell(reported: &Reported, event: &record::Event, time: Millis, scribe: &mut Scribe<'_>) {
    match reported {
        Reported::PageView(view) => {
            scribe.fact(
                time,
                Detail::PageView { page: &view.page, referrer: &view.referrer, campaign: &view.campaign },
            );
        }
        Reported::ProductView(view) => {
            let stamp = event.stamp(&view.product_id);
            let category = or(&view.category, stamp.map_or("", |stamp| &stamp.category));
            let brand = or(&view.brand, stamp.map_or("", |stamp| &stamp.brand));
            scribe.fact(time, Detail::ProductView { product: &view.product_id, category, brand });
        }
        Reported::Search(search) => scribe.fact(time, Detail::Search { query: &search.query }),
        Reported::Review(review) => {
            scribe.fact(time, Detail::Review { product: &review.product_id, rating: review.rating.into() });
        }
        Reported::Transaction(transaction) => tell_transaction(transaction, time, scribe),
        Reported::Trip(trip) => tell_trip(trip, time, scribe),
        _ => {}
    }
}

fn tell_transaction(transaction: &v1::Transaction, time: Millis, scribe: &mut Scribe<'_>) {
    use v1::transaction::Type;
    // Validation has seen the amount: without one there was no such event.
    let Ok(mut amount) = Money::read("transaction.amount", transaction.amount.as_ref()) else { return };
    let kind = match transaction.r#type() {
        Type::Unspecified => "",
        Type::Purchase => "purchase",
        Type::Refund => "refund",
        Type::Transfer => "transfer",
    };
    if transaction.r#type() == Type::Refund {
        amount.minor = -amount.minor;
    }
    let v1::Transaction { category, merchant, location, .. } = transaction;
    scribe.fact(time, Detail::Transaction { kind, category, merchant, location, amount });
}

fn tell_trip(trip: &v1::Trip, time: Millis, scribe: &mut Scribe<'_>) {
    let Ok(fare) = Money::read("trip.fare", trip.fare.as_ref()) else { return };
    let duration = trip.duration.as_ref().map_or(0, |duration| {
        duration.seconds.saturating_mul(1_000).saturating_add(i64::from(duration.nanos) / 1_000_000)
    });
    scribe.fact(
        time,
        Detail::Trip {
            region: trip.region_id.into(),
            fare,
            duration,
            distance_meters: trip.distance_meters,
            vehicle_type: &trip.vehicle_type,
        },
    );
}
