//! An event taken apart: what each field of a declaration can be told of it.

use prost_types::{Duration, Timestamp};
use souk_model::money::Currency;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;
use souk_proto::v1::stock_step::Change;

use crate::build::PRODUCT_NAMES;
use crate::field::{FIELDS, Field};
use crate::format::Format;

/// What a field has to say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Part<'e> {
    #[default]
    Nothing,
    Text(&'e str),
    Integer(i64),
    Float(f64),
    /// So many units of a decimal place.
    Decimal(i64, u32),
    Time(&'e Timestamp),
    Texts(&'e [String]),
    Lines(&'e [v1::Line]),
}

/// Everything an event has to say, by field.
#[derive(Debug)]
pub(crate) struct Parts<'e>([Part<'e>; FIELDS]);

impl<'e> Parts<'e> {
    pub(crate) fn of(format: &Format, event: &'e v1::Event) -> Self {
        let mut parts = Self([const { Part::Nothing }; FIELDS]);
        parts.text(Field::EventId, &event.event_id);
        parts.text(Field::UserId, &event.user_id);
        parts.text(Field::SessionId, &event.session_id);
        parts.text(Field::DeviceId, &event.device_id);
        parts.text(Field::Shop, &event.shop);
        parts.text(Field::Source, &event.source);
        if let Some(time) = &event.event_time {
            parts.put(Field::EventTime, Part::Time(time));
        }
        if let Some(body) = &event.kind {
            parts.body(format, body);
        }
        parts
    }

    /// What one line of an order has to say.
    pub(crate) fn of_line(line: &'e v1::Line) -> Self {
        let mut parts = Self([const { Part::Nothing }; FIELDS]);
        parts.line(line);
        parts
    }

    pub(crate) fn get(&self, place: usize) -> Part<'e> {
        self.0[place]
    }

    fn put(&mut self, field: Field, part: Part<'e>) {
        self.0[field.place()] = part;
    }

    fn text(&mut self, field: Field, text: &'e str) {
        if !text.is_empty() {
            self.put(field, Part::Text(text));
        }
    }

    fn integer(&mut self, field: Field, number: Option<impl Into<i64>>) {
        if let Some(number) = number {
            self.put(field, Part::Integer(number.into()));
        }
    }

    fn money(&mut self, field: Field, money: Option<&'e v1::Money>) {
        if let Some(v1::Money { currency_code, minor_units: Some(minor) }) = money {
            let places = Currency::parse(currency_code).map_or(2, Currency::exponent);
            self.put(field, Part::Decimal(*minor, places));
            self.text(Field::Currency, currency_code);
        }
    }

    fn body(&mut self, format: &Format, body: &'e Body) {
        match body {
            Body::PageView(view) => {
                self.text(Field::Page, &view.page);
                self.text(Field::Referrer, &view.referrer);
                self.text(Field::Campaign, &view.campaign);
            }
            Body::ProductView(view) => {
                self.text(Field::ProductId, &view.product_id);
                self.text(Field::Category, &view.category);
                self.text(Field::Brand, &view.brand);
            }
            Body::CartStep(step) => {
                self.text(Field::CartId, &step.cart_id);
                self.money(Field::Amount, step.total.as_ref());
                if let Some(line) = &step.line {
                    self.line(line);
                }
            }
            Body::OrderStep(step) => self.order(format, step),
            Body::Search(search) => {
                self.text(Field::Query, &search.query);
                self.integer(Field::ResultCount, search.result_count);
            }
            Body::Browse(browse) => self.text(Field::Category, &browse.category),
            Body::Login(login) => self.text(Field::GuestId, &login.guest_id),
            Body::Logout(_) | Body::Custom(_) => {}
            Body::WishlistStep(step) => self.text(Field::ProductId, &step.product_id),
            Body::Review(review) => {
                self.text(Field::ProductId, &review.product_id);
                self.integer(Field::Rating, Some(review.rating));
                self.text(Field::Title, &review.title);
            }
            Body::RecommendationStep(step) => {
                self.text(Field::RecommendationId, &step.recommendation_id);
                if !step.product_ids.is_empty() {
                    self.put(Field::ProductIds, Part::Texts(&step.product_ids));
                }
                self.put(Field::Confidence, Part::Float(step.confidence));
                self.text(Field::Reason, &step.reason);
            }
            Body::Transaction(transaction) => {
                self.text(Field::TransactionId, &transaction.transaction_id);
                self.money(Field::Amount, transaction.amount.as_ref());
                self.text(Field::Category, &transaction.category);
                self.text(Field::Merchant, &transaction.merchant);
                self.text(Field::Location, &transaction.location);
            }
            Body::Trip(trip) => self.trip(format, trip),
            Body::ProductStep(step) => {
                if let Some(product) = &step.product {
                    self.product(product);
                }
            }
            Body::StockStep(step) => {
                self.text(Field::ProductId, &step.product_id);
                self.text(Field::Reason, &step.reason);
                match step.change {
                    Some(Change::Level(level)) => self.put(Field::Level, Part::Integer(level)),
                    Some(Change::Delta(delta)) => self.put(Field::Delta, Part::Integer(delta)),
                    None => {}
                }
            }
        }
    }

    fn line(&mut self, line: &'e v1::Line) {
        self.text(Field::ProductId, &line.product_id);
        self.integer(Field::Quantity, line.quantity);
        self.money(Field::Price, line.unit_price.as_ref());
        self.text(Field::Title, &line.title);
        self.text(Field::Category, &line.category);
        self.text(Field::Brand, &line.brand);
    }

    fn order(&mut self, format: &Format, step: &'e v1::OrderStep) {
        self.text(Field::OrderId, &step.order_id);
        self.text(Field::CartId, &step.cart_id);
        self.text(Field::PaymentMethod, &step.payment_method);
        match step.lines.as_slice() {
            [] => {}
            lines if format.lines.is_some() => {
                self.put(Field::Lines, Part::Lines(lines));
                if let Some(price) = lines.iter().find_map(|line| line.unit_price.as_ref()) {
                    self.text(Field::Currency, &price.currency_code);
                }
            }
            // Where messages have no lines, the order of one of them is told by its product.
            [line] => self.line(line),
            _ => {}
        }
        self.money(Field::Amount, step.total.as_ref());
    }

    fn trip(&mut self, format: &Format, trip: &'e v1::Trip) {
        self.text(Field::TripId, &trip.trip_id);
        self.integer(Field::RegionId, Some(trip.region_id));
        self.money(Field::Amount, trip.fare.as_ref());
        if let Some(Duration { seconds, nanos }) = trip.duration {
            let millis = seconds.saturating_mul(1_000).saturating_add(i64::from(nanos / 1_000_000));
            self.put(Field::Duration, Part::Decimal(millis, 3));
        }
        let places = if format.in_kilometers { 3 } else { 0 };
        self.put(Field::Distance, Part::Decimal(trip.distance_meters, places));
        for (point, latitude, longitude) in [
            (&trip.pickup, Field::PickupLatitude, Field::PickupLongitude),
            (&trip.dropoff, Field::DropoffLatitude, Field::DropoffLongitude),
        ] {
            if let Some(point) = point {
                self.put(latitude, Part::Float(point.latitude));
                self.put(longitude, Part::Float(point.longitude));
            }
        }
        self.text(Field::DriverId, &trip.driver_id);
        self.text(Field::VehicleType, &trip.vehicle_type);
        self.text(Field::PaymentMethod, &trip.payment_method);
    }

    fn product(&mut self, product: &'e v1::Product) {
        self.text(Field::ProductId, product.name.strip_prefix(PRODUCT_NAMES).unwrap_or(&product.name));
        self.text(Field::Title, &product.title);
        self.text(Field::Description, &product.description);
        self.text(Field::Category, &product.category);
        self.text(Field::Brand, &product.brand);
        if !product.tags.is_empty() {
            self.put(Field::Tags, Part::Texts(&product.tags));
        }
        self.text(Field::ImageUri, &product.image_uri);
        self.money(Field::Price, product.price.as_ref());
        self.integer(Field::Level, product.stock.as_ref().and_then(|stock| stock.available));
        if let Some(rating) = product.rating {
            self.put(Field::Rating, Part::Float(rating));
        }
        self.integer(Field::ReviewCount, product.review_count);
    }
}
