//! What ledgers and fleets report: transactions and trips.

use souk_proto::v1;

use crate::money::Money;
use crate::record::check::{self, Checked, missing, within};
use crate::record::time;
use crate::time::{DAY, MINUTE, Millis};

/// Regions a trip may begin in.
const REGIONS: i64 = 100;
/// A trip takes between a minute and a day, and 100 m to 500 km.
const SHORTEST_TRIP: Millis = MINUTE;
const LONGEST_TRIP: Millis = DAY;
const SHORTEST_WAY: i64 = 100;
const LONGEST_WAY: i64 = 500_000;
/// Main units of its currency a trip may cost.
const DEAREST_TRIP: i64 = 1_000;

pub(super) fn transaction(transaction: &v1::Transaction) -> Checked {
    check::said::<v1::transaction::Type>("type", transaction.r#type)?;
    check::optional_id("transaction_id", &transaction.transaction_id)?;
    check::money("amount", transaction.amount.as_ref())?;
    check::optional_text("category", &transaction.category)?;
    check::optional_text("merchant", &transaction.merchant)?;
    check::optional_text("location", &transaction.location)
}

pub(super) fn trip(trip: &v1::Trip) -> Checked {
    check::optional_id("trip_id", &trip.trip_id)?;
    check::range("region_id", i64::from(trip.region_id), 1, REGIONS)?;
    let fare = Money::read("fare", trip.fare.as_ref())?;
    check::range("fare.minor_units", fare.minor, 0, DEAREST_TRIP * 10_i64.pow(fare.currency.exponent()))?;
    let duration = trip.duration.as_ref().ok_or_else(|| missing("duration"))?;
    time::duration("duration", duration, SHORTEST_TRIP, LONGEST_TRIP)?;
    check::range("distance_meters", trip.distance_meters, SHORTEST_WAY, LONGEST_WAY)?;
    for (field, point) in [("pickup", &trip.pickup), ("dropoff", &trip.dropoff)] {
        if let Some(point) = point {
            within(field, self::point(point))?;
        }
    }
    check::optional_id("driver_id", &trip.driver_id)?;
    check::optional_text("vehicle_type", &trip.vehicle_type)?;
    check::optional_text("payment_method", &trip.payment_method)
}

fn point(point: &v1::Point) -> Checked {
    check::float_range("latitude", point.latitude, -90.0, 90.0)?;
    check::float_range("longitude", point.longitude, -180.0, 180.0)
}
