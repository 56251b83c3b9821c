//! What ledgers and fleets report: transactions and trips.

use souk_proto::v1;

use crate::limits::TRIP_METERS;
use crate::record::check::{self, Checked, missing, within};
use crate::record::time;
use crate::time::{DAY, Millis, SECOND};

/// Regions a trip may begin in.
const REGIONS: i64 = 100;
const SHORTEST_TRIP: Millis = SECOND;
const LONGEST_TRIP: Millis = 7 * DAY;

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
    check::money("fare", trip.fare.as_ref())?;
    let duration = trip.duration.as_ref().ok_or_else(|| missing("duration"))?;
    time::duration("duration", duration, SHORTEST_TRIP, LONGEST_TRIP)?;
    check::range("distance_meters", trip.distance_meters, 0, TRIP_METERS)?;
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
