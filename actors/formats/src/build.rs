//! An event out of the values of its message, by its kind.

use souk_model::money::Currency;
use souk_model::verdict::{Reason, Refusal};
use souk_proto::v1;
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::event::Kind as Body;
use souk_proto::v1::order_step::Stage;
use souk_proto::v1::stock_step::Change;

use crate::draft::{Draft, Read};
use crate::field::Field;
use crate::kind::Kind;
use crate::limits::{LINES, PRODUCTS, TAGS};

/// Before a product's id in its resource name.
pub(crate) const PRODUCT_NAMES: &str = "products/";

impl Draft<'_, '_> {
    /// The event of this kind that the message tells.
    pub(crate) fn event(&self, kind: Kind) -> Read<v1::Event> {
        for field in &self.format().needs {
            if !self.has(*field) {
                return Err(self.missing(*field));
            }
        }
        Ok(v1::Event {
            event_id: self.text(Field::EventId)?,
            event_time: self.time(Field::EventTime)?,
            user_id: self.text(Field::UserId)?,
            session_id: self.text(Field::SessionId)?,
            device_id: self.text(Field::DeviceId)?,
            shop: self.text(Field::Shop)?,
            source: self.text(Field::Source)?,
            labels: self.labels()?,
            kind: Some(self.body(kind)?),
        })
    }

    fn labels(&self) -> Read<std::collections::BTreeMap<String, String>> {
        let mut labels = std::collections::BTreeMap::new();
        for (n, (name, path)) in self.format().labels.iter().enumerate() {
            match self.text_at(crate::draft::LABEL_PLACES + n) {
                None => {}
                Some(Some(value)) => drop(labels.insert(name.clone(), value.into_owned())),
                Some(None) => {
                    return Err(Refusal::new(Reason::FieldInvalid, path.clone(), "must be a text"));
                }
            }
        }
        Ok(labels)
    }

    fn body(&self, kind: Kind) -> Read<Body> {
        Ok(match kind {
            Kind::PageView => Body::PageView(v1::PageView {
                page: self.text(Field::Page)?,
                referrer: self.text(Field::Referrer)?,
                campaign: self.text(Field::Campaign)?,
            }),
            Kind::ProductView => Body::ProductView(v1::ProductView {
                product_id: self.text(Field::ProductId)?,
                category: self.text(Field::Category)?,
                brand: self.text(Field::Brand)?,
            }),
            Kind::Cart(action) => Body::CartStep(self.cart_step(action)?),
            Kind::Order(stage) => Body::OrderStep(self.order_step(stage)?),
            Kind::Search => Body::Search(v1::Search {
                query: self.text(Field::Query)?,
                result_count: self.small(Field::ResultCount)?,
            }),
            Kind::Browse => Body::Browse(v1::Browse { category: self.text(Field::Category)? }),
            Kind::Login => Body::Login(v1::Login { guest_id: self.text(Field::GuestId)? }),
            Kind::Logout => Body::Logout(v1::Logout {}),
            Kind::Wishlist(removed) => {
                Body::WishlistStep(v1::WishlistStep { product_id: self.text(Field::ProductId)?, removed })
            }
            Kind::Review => Body::Review(v1::Review {
                product_id: self.text(Field::ProductId)?,
                rating: self.small(Field::Rating)?.unwrap_or_default(),
                title: self.text(Field::Title)?,
            }),
            Kind::Recommendation(outcome) => Body::RecommendationStep(v1::RecommendationStep {
                outcome: outcome.into(),
                recommendation_id: self.text(Field::RecommendationId)?,
                product_ids: self.texts(Field::ProductIds, PRODUCTS)?,
                confidence: self.float(Field::Confidence)?.unwrap_or_default(),
                reason: self.text(Field::Reason)?,
            }),
            Kind::Transaction(r#type) => Body::Transaction(v1::Transaction {
                r#type: r#type.into(),
                transaction_id: self.text(Field::TransactionId)?,
                amount: self.money(Field::Amount, self.currency()?)?,
                category: self.text(Field::Category)?,
                merchant: self.text(Field::Merchant)?,
                location: self.text(Field::Location)?,
            }),
            Kind::Trip => Body::Trip(self.trip()?),
            Kind::Product => Body::ProductStep(self.product_step()?.into()),
            Kind::Stock => Body::StockStep(self.stock_step()?),
            Kind::Custom => {
                Body::Custom(v1::Custom { r#type: self.kind_said()?.unwrap_or_default().into_owned() })
            }
        })
    }

    fn cart_step(&self, action: Action) -> Read<v1::CartStep> {
        let currency = self.currency()?;
        let line = if self.has(Field::ProductId) { Some(self.one_line(currency)?) } else { None };
        Ok(v1::CartStep {
            action: action.into(),
            cart_id: self.text(Field::CartId)?,
            line,
            total: self.money(Field::Amount, currency)?,
        })
    }

    fn order_step(&self, stage: Stage) -> Read<v1::OrderStep> {
        let currency = self.currency()?;
        let mut lines = Vec::new();
        for (place, entry) in self.entries(Field::Lines, LINES)?.into_iter().enumerate() {
            lines.push(self.line(place, entry)?.one_line(currency)?);
        }
        // A message that tells one product tells an order of one line.
        if lines.is_empty() && self.has(Field::ProductId) {
            lines.push(self.one_line(currency)?);
        }
        Ok(v1::OrderStep {
            stage: stage.into(),
            order_id: self.text(Field::OrderId)?,
            cart_id: self.text(Field::CartId)?,
            lines,
            total: self.money(Field::Amount, currency)?,
            payment_method: self.text(Field::PaymentMethod)?,
        })
    }

    fn one_line(&self, currency: Currency) -> Read<v1::Line> {
        Ok(v1::Line {
            product_id: self.text(Field::ProductId)?,
            quantity: self.small(Field::Quantity)?,
            unit_price: self.money(Field::Price, currency)?,
            title: self.text(Field::Title)?,
            category: self.text(Field::Category)?,
            brand: self.text(Field::Brand)?,
        })
    }

    fn trip(&self) -> Read<v1::Trip> {
        Ok(v1::Trip {
            trip_id: self.text(Field::TripId)?,
            region_id: self.small(Field::RegionId)?.unwrap_or_default(),
            fare: self.money(Field::Amount, self.currency()?)?,
            duration: self.duration(Field::Duration)?,
            distance_meters: self.meters()?.unwrap_or_default(),
            pickup: self.point(Field::PickupLatitude, Field::PickupLongitude)?,
            dropoff: self.point(Field::DropoffLatitude, Field::DropoffLongitude)?,
            driver_id: self.text(Field::DriverId)?,
            vehicle_type: self.text(Field::VehicleType)?,
            payment_method: self.text(Field::PaymentMethod)?,
        })
    }

    /// Whole metres: a message may tell a distance finer than anybody measured it.
    fn meters(&self) -> Read<Option<i64>> {
        let thousandths = self.thousandths(Field::Distance)?;
        Ok(thousandths.map(|distance| {
            if self.format().in_kilometers { distance } else { (distance + 500).div_euclid(1_000) }
        }))
    }

    fn point(&self, latitude: Field, longitude: Field) -> Read<Option<v1::Point>> {
        match (self.float(latitude)?, self.float(longitude)?) {
            (None, None) => Ok(None),
            (Some(latitude), Some(longitude)) => Ok(Some(v1::Point { latitude, longitude })),
            (None, Some(_)) => Err(self.missing(latitude)),
            (Some(_), None) => Err(self.missing(longitude)),
        }
    }

    fn product_step(&self) -> Read<v1::ProductStep> {
        let id = self.text(Field::ProductId)?;
        if id.is_empty() {
            return Err(self.missing(Field::ProductId));
        }
        let level = self.integer(Field::Level)?;
        let product = v1::Product {
            name: format!("{PRODUCT_NAMES}{id}"),
            title: self.text(Field::Title)?,
            description: self.text(Field::Description)?,
            category: self.text(Field::Category)?,
            brand: self.text(Field::Brand)?,
            tags: self.texts(Field::Tags, TAGS)?,
            image_uri: self.text(Field::ImageUri)?,
            price: self.money(Field::Price, self.currency()?)?,
            stock: level.map(|level| v1::Stock { available: Some(level), ..v1::Stock::default() }),
            // A mean of no ratings is told as 0 by those who have no word for none.
            rating: self.float(Field::Rating)?.filter(|rating| *rating != 0.0),
            review_count: self.small(Field::ReviewCount)?,
            ..v1::Product::default()
        };
        Ok(v1::ProductStep { product: Some(product), update_mask: None })
    }

    fn stock_step(&self) -> Read<v1::StockStep> {
        let change = match (self.integer(Field::Level)?, self.integer(Field::Delta)?) {
            (Some(level), _) => Some(Change::Level(level)),
            (None, delta) => delta.map(Change::Delta),
        };
        Ok(v1::StockStep {
            product_id: self.text(Field::ProductId)?,
            change,
            reason: self.text(Field::Reason)?,
        })
    }
}
