//! One line of a table as an event: trips of a fleet, transactions of a ledger. Numbers are made whole here; whether they are in range is
//! the node's to say, as for every event.

use prost_types::Duration;
use souk_formats::decimal::scaled;
use souk_formats::time;
use souk_model::money::Currency;
use souk_model::verdict::{Reason, Refusal};
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::cells::Cells;
use super::columns::Header;

/// A line with its header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) header: &'a Header,
    pub(super) cells: &'a Cells,
}

type Read<T> = Result<T, Refusal>;

fn invalid(field: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::FieldInvalid, field, message)
}

impl<'a> Row<'a> {
    fn cell(self, name: &str) -> &'a str {
        self.header.cell(self.cells, name)
    }

    fn text(self, name: &str) -> String {
        self.cell(name).to_owned()
    }

    /// A cell that may be empty.
    fn optional<T>(self, name: &str, read: impl FnOnce(&'a str) -> Read<T>) -> Read<Option<T>> {
        match self.cell(name) {
            "" => Ok(None),
            cell => read(cell).map(Some),
        }
    }

    fn time(self, name: &str) -> Read<prost_types::Timestamp> {
        let cell = self.cell(name);
        if cell.is_empty() {
            return Err(Refusal::missing("event_time", "is needed"));
        }
        time::millis(cell)
            .map(time::timestamp)
            .ok_or_else(|| invalid("event_time", "must be a time, as 2024-05-01T10:00:00Z"))
    }

    /// An amount in main units, exactly.
    fn money(
        self,
        name: &str,
        field: &'static str,
        code: &str,
        code_field: &'static str,
    ) -> Read<Option<v1::Money>> {
        self.optional(name, |cell| {
            let currency = Currency::parse(code).ok_or_else(|| {
                Refusal::new(Reason::CurrencyUnknown, code_field, "use an ISO 4217 code, such as EUR")
            })?;
            let places = currency.exponent();
            let amount = scaled(cell, places).ok_or_else(|| invalid(field, "must be a number, as 12.50"))?;
            if !amount.is_exact {
                return Err(invalid(field, format!("{code} has {places} decimals, not more")));
            }
            Ok(v1::Money { currency_code: code.to_owned(), minor_units: Some(amount.value) })
        })
    }

    /// A place, from two cells or none.
    fn point(self, latitude: &str, longitude: &str, fields: [&'static str; 2]) -> Read<Option<v1::Point>> {
        let degrees = |name: &str, field| {
            self.optional(name, |cell| {
                cell.parse::<f64>().map_err(|_| invalid(field, "must be degrees, as 40.7128"))
            })
        };
        match (degrees(latitude, fields[0])?, degrees(longitude, fields[1])?) {
            (None, None) => Ok(None),
            (Some(latitude), Some(longitude)) => Ok(Some(v1::Point { latitude, longitude })),
            (None, Some(_)) => Err(Refusal::missing(fields[0], "is needed beside the other")),
            (Some(_), None) => Err(Refusal::missing(fields[1], "is needed beside the other")),
        }
    }

    pub(super) fn trip(self, currency: &str) -> Read<v1::Event> {
        let region =
            |cell: &str| cell.parse().map_err(|_| invalid("trip.region_id", "must be a whole number"));
        let seconds = |cell: &str| {
            let millis =
                scaled(cell, 3).ok_or_else(|| invalid("trip.duration", "must be seconds, as 600"))?.value;
            let nanos = (millis % 1_000 * 1_000_000) as i32;
            Ok(Duration { seconds: millis / 1_000, nanos })
        };
        // Whole metres: a file may tell a distance finer than anybody measured it.
        let metres = |cell: &str| {
            let metres =
                scaled(cell, 3).ok_or_else(|| invalid("trip.distance_meters", "must be km, as 3.2"))?;
            Ok(metres.value)
        };
        let code = Some(self.cell("currency")).filter(|code| !code.is_empty()).unwrap_or(currency);
        let trip = v1::Trip {
            trip_id: self.text("trip_id"),
            region_id: self.optional("region_id", region)?.unwrap_or_default(),
            fare: self.money("fare", "trip.fare", code, "trip.fare.currency_code")?,
            duration: self.optional("duration", seconds)?,
            distance_meters: self.optional("distance", metres)?.unwrap_or_default(),
            pickup: self.point(
                "pickup_lat",
                "pickup_lon",
                ["trip.pickup.latitude", "trip.pickup.longitude"],
            )?,
            dropoff: self.point(
                "dropoff_lat",
                "dropoff_lon",
                ["trip.dropoff.latitude", "trip.dropoff.longitude"],
            )?,
            driver_id: self.text("driver_id"),
            vehicle_type: self.text("vehicle_type"),
            payment_method: self.text("payment_method"),
        };
        let event_time = Some(self.time("event_time")?);
        Ok(v1::Event { event_time, kind: Some(Body::Trip(trip)), ..v1::Event::default() })
    }

    pub(super) fn transaction(self) -> Read<v1::Event> {
        use v1::transaction::Type;
        let r#type = self.optional("transactionType", |cell| match cell.to_ascii_lowercase().as_str() {
            "purchase" => Ok(Type::Purchase),
            "refund" => Ok(Type::Refund),
            "transfer" => Ok(Type::Transfer),
            _ => Err(invalid("transaction.type", "must be purchase, refund or transfer")),
        })?;
        let code_field = "transaction.amount.currency_code";
        let transaction = v1::Transaction {
            r#type: r#type.unwrap_or(Type::Unspecified).into(),
            transaction_id: self.text("transactionId"),
            amount: self.money("amount", "transaction.amount", self.cell("currency"), code_field)?,
            category: self.text("category"),
            merchant: self.text("merchant"),
            location: self.text("location"),
        };
        let event_time = Some(self.time("transactionDate")?);
        let user_id = self.text("userId");
        Ok(v1::Event {
            event_time,
            user_id,
            kind: Some(Body::Transaction(transaction)),
            ..v1::Event::default()
        })
    }
}
