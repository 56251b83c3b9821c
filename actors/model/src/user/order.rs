//! One order of one user: what was ordered, how far it is, and what of it can still be given back. SEMANTICS.md section 7.

use souk_proto::v1;

use super::scribe::Scribe;
use crate::fact::{Detail, Item};
use crate::money::{Currency, Money};
use crate::time::Millis;
use crate::verdict::Reason;

#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub id: Box<str>,
    pub state: State,
    /// Its user was erased: only what settles it is left, and it makes no facts.
    pub erased: bool,
    /// A CHECKOUT_STARTED was reported, and counted.
    pub checkout_started: bool,
    pub version: u64,
    /// Log time; of a checkout also when its saga began.
    pub created: Millis,
    pub updated: Millis,
    /// When a PENDING order is given up.
    pub deadline: Option<Millis>,
    pub currency: Option<Currency>,
    /// In the order given, one per product.
    pub lines: Vec<OrderLine>,
    /// What the customer owes, in `currency`.
    pub total: Option<i64>,
    pub refunded: i64,
    /// What the total is made of; of a checkout only.
    pub charge: Option<Charge>,
    pub payment: Option<v1::Payment>,
    pub address: Option<v1::Address>,
    /// A reason's name, or the caller's words.
    pub cancel_reason: Box<str>,
}

/// How far an order is. The first three are reported orders', the others a checkout's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Heard of: a payment, perhaps.
    Known,
    /// Called off before it was placed: it will not be.
    Void,
    Placed,
    Pending,
    Confirmed,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    pub subtotal: i64,
    pub tax: i64,
    pub shipping: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    pub product: Box<str>,
    pub title: Box<str>,
    pub category: Box<str>,
    pub brand: Box<str>,
    pub quantity: u32,
    pub unit_price: i64,
    /// As the cart showed it, where it differs.
    pub cart_price: Option<i64>,
    pub refunded_quantity: u32,
    pub refunded_amount: i64,
    pub hold: Hold,
    /// Why the line was refused or given up; unspecified when it was not.
    pub reason: Reason,
    /// For a refused line, what there was.
    pub available: Option<i64>,
}

/// How far the product's part of a checkout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Reported orders hold nothing.
    None,
    /// Not answered yet.
    Asked,
    Granted,
    /// Nothing is held.
    Refused,
    /// Commit or Release was done.
    Settled,
}

impl OrderLine {
    pub fn amount(&self) -> i64 {
        self.unit_price.saturating_mul(self.quantity.into())
    }

    pub fn quantity_left(&self) -> u32 {
        self.quantity.saturating_sub(self.refunded_quantity)
    }

    pub fn amount_left(&self) -> i64 {
        self.amount().saturating_sub(self.refunded_amount)
    }

    /// A fact's view of some of it; what goes back is negative.
    pub(super) fn item(&self, quantity: i64, amount: i64, currency: Currency) -> Item<'_> {
        let amount = Some(Money { currency, minor: amount });
        Item { product: &self.product, category: &self.category, brand: &self.brand, quantity, amount }
    }

    pub(super) fn is_settled(&self) -> bool {
        matches!(self.hold, Hold::None | Hold::Refused | Hold::Settled)
    }
}

impl Order {
    pub(super) fn new(id: &str, state: State, log_time: Millis) -> Self {
        Self {
            id: id.into(),
            state,
            erased: false,
            checkout_started: false,
            version: 1,
            created: log_time,
            updated: log_time,
            deadline: None,
            currency: None,
            lines: Vec::new(),
            total: None,
            refunded: 0,
            charge: None,
            payment: None,
            address: None,
            cancel_reason: "".into(),
        }
    }

    pub(super) fn changed(&mut self, log_time: Millis) {
        self.version = self.version.saturating_add(1);
        self.updated = log_time;
    }

    /// It was counted as placed.
    pub fn is_placed(&self) -> bool {
        matches!(self.state, State::Placed | State::Confirmed)
    }

    /// It came of a Checkout command: reports do not move it.
    pub fn is_commanded(&self) -> bool {
        matches!(self.state, State::Pending | State::Confirmed | State::Cancelled)
    }

    /// No product owes an answer any more.
    pub fn is_settled(&self) -> bool {
        !self.is_commanded() || self.state != State::Pending && self.lines.iter().all(OrderLine::is_settled)
    }

    pub fn total_money(&self) -> Option<Money> {
        Some(Money { currency: self.currency?, minor: self.total? })
    }

    /// What can still be given back.
    pub fn left(&self) -> i64 {
        self.total.unwrap_or(0).saturating_sub(self.refunded)
    }

    /// `order_placed`, then a line each.
    pub(super) fn tell_placed(&self, time: Millis, scribe: &mut Scribe<'_>) {
        scribe.fact(time, Detail::OrderPlaced { order: &self.id, amount: self.total_money() });
        if let Some(currency) = self.currency {
            for line in &self.lines {
                scribe
                    .fact(time, Detail::OrderLine(line.item(line.quantity.into(), line.amount(), currency)));
            }
        }
    }
}
