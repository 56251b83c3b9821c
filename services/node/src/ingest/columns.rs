//! Tables of trips and transactions: which columns there are, under which names they come, and to which field each one goes.

use souk_model::settings::nearest;

use super::cells::Cells;

/// A column of a format.
#[derive(Debug)]
pub(super) struct Column {
    /// As the format has it.
    pub(super) name: &'static str,
    /// Other names of it, in [`plain`] letters.
    also: &'static [&'static str],
    needed: bool,
    /// Field of the event it becomes.
    pub(super) field: &'static str,
}

const fn needed(name: &'static str, also: &'static [&'static str], field: &'static str) -> Column {
    Column { name, also, needed: true, field }
}

const fn optional(name: &'static str, also: &'static [&'static str], field: &'static str) -> Column {
    Column { name, also, needed: false, field }
}

/// Trips. Distance in km, duration in seconds, fare in main units.
pub(super) const TRIP: [Column; 14] = [
    needed("trip_id", &[], "trip.trip_id"),
    needed("region_id", &["region"], "trip.region_id"),
    needed("event_time", &["timestamp"], "event_time"),
    needed("fare", &["fareamount"], "trip.fare"),
    needed("duration", &["durations", "durationsec", "durationseconds"], "trip.duration"),
    needed("distance", &["distancekm"], "trip.distance_meters"),
    optional("pickup_lat", &["pickuplatitude"], "trip.pickup.latitude"),
    optional("pickup_lon", &["pickuplng", "pickuplongitude"], "trip.pickup.longitude"),
    optional("dropoff_lat", &["dropofflatitude"], "trip.dropoff.latitude"),
    optional("dropoff_lon", &["dropofflng", "dropofflongitude"], "trip.dropoff.longitude"),
    optional("driver_id", &["driver"], "trip.driver_id"),
    optional("vehicle_type", &["vehicle"], "trip.vehicle_type"),
    optional("payment_method", &["payment"], "trip.payment_method"),
    optional("currency", &["currencycode"], "trip.fare.currency_code"),
];

/// Financial transactions. Amount in main units.
pub(super) const TRANSACTION: [Column; 9] = [
    needed("transactionId", &["id"], "transaction.transaction_id"),
    needed("userId", &["user"], "user_id"),
    needed("transactionType", &["type"], "transaction.type"),
    needed("amount", &[], "transaction.amount"),
    needed("currency", &["currencycode"], "transaction.amount.currency_code"),
    needed("transactionDate", &["date", "timestamp", "eventtime"], "event_time"),
    optional("category", &[], "transaction.category"),
    optional("merchant", &[], "transaction.merchant"),
    optional("location", &[], "transaction.location"),
];

/// A name as it is compared: `trip_id`, `tripId` and `Trip ID` are one.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Where the columns of a format stand in one file.
#[derive(Debug)]
pub(super) struct Header {
    schema: &'static [Column],
    /// Place in a line, by place in the schema.
    places: Vec<Option<usize>>,
    pub(super) count: usize,
}

/// Why a header is not one of the format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoHeader {
    pub(super) message: String,
    pub(super) near: Option<String>,
}

impl Header {
    pub(super) fn read(schema: &'static [Column], cells: &Cells) -> Result<Self, NoHeader> {
        let no = |message: String| NoHeader { message, near: None };
        let mut places = vec![None; schema.len()];
        for (place, name) in cells.iter().enumerate() {
            let found = find(schema, name).ok_or_else(|| NoHeader {
                message: format!("there is no column {name:?}; there are {}", names(schema)),
                near: nearest(name, schema.iter().map(|column| column.name)).map(str::to_owned),
            })?;
            if places[found].replace(place).is_some() {
                return Err(no(format!("two columns are {}", schema[found].name)));
            }
        }
        let missing = schema.iter().zip(&places).filter(|(column, place)| column.needed && place.is_none());
        let missing: Vec<_> = missing.map(|(column, _)| column.name).collect();
        if !missing.is_empty() {
            return Err(no(format!("the header lacks {}", missing.join(", "))));
        }
        Ok(Self { schema, places, count: cells.count() })
    }

    /// The cell of a column; empty where the file has none.
    pub(super) fn cell<'c>(&self, cells: &'c Cells, name: &str) -> &'c str {
        let column = self.schema.iter().position(|column| column.name == name);
        column.and_then(|column| self.places[column]).map_or("", |place| cells.get(place))
    }

    /// The column a field of the event came from: the longest that names it or what it is part of.
    pub(super) fn column_of(&self, field: &str) -> Option<&'static str> {
        let holds = |column: &&Column| {
            field.strip_prefix(column.field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.schema.iter().filter(holds).max_by_key(|column| column.field.len()).map(|column| column.name)
    }
}

fn find(schema: &[Column], name: &str) -> Option<usize> {
    let name = plain(name);
    schema.iter().position(|column| plain(column.name) == name || column.also.contains(&name.as_str()))
}

fn names(schema: &[Column]) -> String {
    schema.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(line: &str) -> Result<Header, NoHeader> {
        Header::read(&TRIP, Cells::new().read(line).expect("cells"))
    }

    #[test]
    fn names_are_found_however_they_are_written_and_in_any_order() {
        let header = header("Trip ID,fareAmount,event-time,regionId,DISTANCE_KM,duration_seconds,pickup_lng");
        let header = header.expect("a header");
        let mut cells = Cells::new();
        let cells = cells.read("t-1,12.50,now,7,3.2,600,-73.9").expect("cells");
        for (name, cell) in [
            ("trip_id", "t-1"),
            ("fare", "12.50"),
            ("region_id", "7"),
            ("pickup_lon", "-73.9"),
            ("driver_id", ""),
        ] {
            assert_eq!(header.cell(cells, name), cell);
        }
        assert_eq!(header.column_of("trip.fare.minor_units"), Some("fare"));
        assert_eq!(header.column_of("trip.fare.currency_code"), Some("currency"));
        assert_eq!(header.column_of("trip.distance_meters"), Some("distance"));
        assert_eq!(header.column_of("labels"), None);
    }

    #[test]
    fn unknown_double_and_missing_columns_are_refused() {
        let error =
            header("trip_id,region_id,event_time,fare,duration,distance,colour").expect_err("unknown");
        assert!(
            error.message.starts_with("there is no column \"colour\"; there are trip_id, region_id"),
            "{error:?}"
        );
        let error = header("trip_id,tripId,event_time").expect_err("double");
        assert_eq!(error.message, "two columns are trip_id");
        let error = header("trip_id,region_id,event_time,fare").expect_err("missing");
        assert_eq!(error.message, "the header lacks duration, distance");
        let error =
            header("trip_id,region_id,event_time,fare,duration,distance,driver_idd").expect_err("unknown");
        assert_eq!(error.near.as_deref(), Some("driver_id"));
    }
}
