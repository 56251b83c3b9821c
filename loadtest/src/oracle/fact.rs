//! A fact: what a metric counts. Made of an event or of what an event did to a person's state; taken back with the sign −1.

use std::collections::BTreeMap;

use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::transaction::Type;

use super::kind_name;
use crate::measure::clock::Millis;

/// Amount of money: currency and minor units.
pub(super) type Amount = (String, i64);

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) at: Millis,
    pub(super) sign: i64,
    /// Number of the person; none for a keyless event.
    pub(super) who: Option<u32>,
    pub(super) dimensions: BTreeMap<&'static str, String>,
    pub(super) numbers: BTreeMap<&'static str, i64>,
    pub(super) money: BTreeMap<&'static str, Amount>,
}

impl Fact {
    pub(super) fn new(name: &'static str, at: Millis, who: Option<u32>) -> Self {
        Self { name, at, sign: 1, who, ..Self::default() }
    }

    pub(super) fn with(mut self, dimension: &'static str, value: &str) -> Self {
        let value = if value.is_empty() { "unknown" } else { value };
        self.dimensions.insert(dimension, value.to_owned());
        self
    }

    pub(super) fn number(mut self, name: &'static str, number: i64) -> Self {
        self.numbers.insert(name, number);
        self
    }

    pub(super) fn amount(mut self, currency: &str, minor_units: i64) -> Self {
        self.money.insert("amount", (currency.to_owned(), minor_units));
        self
    }

    pub(super) fn taken_back(self) -> Self {
        Self { sign: -self.sign, ..self }
    }
}

pub(super) fn amount(money: Option<&v1::Money>) -> Option<Amount> {
    let money = money?;
    Some((money.currency_code.clone(), money.minor_units?))
}

/// The facts that need no state, of anybody's event.
pub(super) fn of_event(at: Millis, who: Option<u32>, kind: &Kind, facts: &mut Vec<Fact>) {
    facts.push(Fact::new("event", at, who).with("kind", kind_name(kind)));
    match kind {
        Kind::PageView(view) => facts.push(Fact::new("page_view", at, who).with("page", &view.page)),
        Kind::ProductView(view) => facts.push(
            Fact::new("product_view", at, who)
                .with("product", &view.product_id)
                .with("category", &view.category),
        ),
        Kind::Transaction(transaction) => facts.extend(of_transaction(at, who, transaction)),
        Kind::Trip(trip) => facts.extend(of_trip(at, who, trip)),
        _ => {}
    }
}

pub(super) fn of_nobody(at: Millis, kind: &Kind, facts: &mut Vec<Fact>) {
    of_event(at, None, kind, facts);
}

fn of_transaction(at: Millis, who: Option<u32>, transaction: &v1::Transaction) -> Option<Fact> {
    let (name, sign) = match transaction.r#type() {
        Type::Unspecified => return None,
        Type::Purchase => ("purchase", 1),
        Type::Refund => ("refund", -1),
        Type::Transfer => ("transfer", 1),
    };
    let (currency, minor_units) = amount(transaction.amount.as_ref())?;
    let fact = Fact::new("transaction", at, who).with("type", name).with("category", &transaction.category);
    Some(fact.amount(&currency, sign * minor_units).number("minor_units_unsigned", minor_units))
}

fn of_trip(at: Millis, who: Option<u32>, trip: &v1::Trip) -> Option<Fact> {
    let duration = trip.duration.as_ref()?;
    let mut fact = Fact::new("trip", at, who)
        .with("region", &trip.region_id.to_string())
        .number("duration", duration.seconds * 1_000 + i64::from(duration.nanos) / 1_000_000)
        .number("distance", trip.distance_meters);
    fact.money.insert("fare", amount(trip.fare.as_ref())?);
    Some(fact)
}
