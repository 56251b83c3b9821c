//! One visit of one person: who it is, what is in the cart, how far the order is.

use rand::{Rng, RngExt};
use souk_proto::v1;

use super::catalogue::{Market, Product};
use super::limits::{CART_LINES, LINE_PIECES};

/// What becomes of a cart. Decided when the first thing goes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Buy,
    /// It is left behind.
    Leave,
}

/// A line of a cart. Its price is the one the customer saw.
#[derive(Debug, Clone)]
pub(super) struct CartLine {
    pub(super) product: Product,
    pub(super) quantity: i32,
}

impl CartLine {
    pub(super) fn amount(&self) -> i64 {
        self.product.price * i64::from(self.quantity)
    }

    pub(super) fn line(&self) -> v1::Line {
        v1::Line {
            product_id: self.product.id(),
            quantity: Some(self.quantity),
            unit_price: Some(self.product.market().money(self.product.price)),
            title: self.product.title(),
            category: self.product.category().to_owned(),
            brand: self.product.brand().to_owned(),
        }
    }
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Started,
    Paying,
    Failed,
    Paid,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) stage: Stage,
    pub(super) payment: &'static str,
}

/// A recommendation somebody was given, and how far it got.
#[derive(Debug, Clone)]
pub(super) struct Recommended {
    pub(super) id: String,
    pub(super) outcome: v1::recommendation_step::Outcome,
}

/// Devices a person may have.
const DEVICES: [&str; 3] = ["phone", "laptop", "tablet"];

#[derive(Debug)]
pub(super) struct Visit {
    /// Told apart from every other visit of the run; names its session.
    pub(super) number: u64,
    /// Who it is, whether the shop knows or not; none: somebody without an account.
    pub(super) person: Option<u32>,
    /// Whether the shop knows.
    pub(super) known: bool,
    pub(super) market: Market,
    device: usize,
    /// Events until it ends, unless something is to be bought.
    pub(super) left: u32,
    pub(super) looked_at: Option<u32>,
    pub(super) cart: Vec<CartLine>,
    /// Names the cart, wherever its owner goes on.
    pub(super) cart_number: u64,
    pub(super) intent: Option<Intent>,
    pub(super) order: Option<Order>,
    pub(super) recommended: Option<Recommended>,
}

impl Visit {
    pub(super) fn new(number: u64, person: Option<u32>, rng: &mut impl Rng) -> Self {
        Self {
            number,
            person,
            known: person.is_some() && rng.random_bool(0.5),
            market: Market::of(person.unwrap_or_else(|| rng.random_range(0..20))),
            device: device(person, rng),
            left: rng.random_range(4..=20),
            looked_at: None,
            cart: Vec::new(),
            cart_number: 0,
            intent: None,
            order: None,
            recommended: None,
        }
    }

    /// The same person goes on elsewhere, with the same cart.
    pub(super) fn change_device(&mut self, number: u64, rng: &mut impl Rng) {
        self.number = number;
        self.device = device(self.person, rng);
    }

    pub(super) fn user_id(&self) -> String {
        self.person.filter(|_| self.known).map(user_id).unwrap_or_default()
    }

    pub(super) fn session_id(&self, run: &str) -> String {
        format!("{run}-s{}", self.number)
    }

    /// Empty before anything was in it.
    pub(super) fn cart_id(&self, run: &str) -> String {
        if self.cart_number == 0 { String::new() } else { format!("{run}-c{}", self.cart_number) }
    }

    pub(super) fn device_id(&self, run: &str) -> String {
        match self.person.filter(|_| self.known) {
            Some(person) => format!("{}-{}", user_id(person), DEVICES[self.device]),
            None => format!("{run}-d{}-{}", self.number, DEVICES[self.device]),
        }
    }

    /// Phones have the app.
    pub(super) fn source(&self) -> &'static str {
        if self.device == 0 { "app" } else { "web" }
    }

    pub(super) fn has_room(&self) -> bool {
        self.cart.len() < CART_LINES || self.cart.iter().any(|line| line.quantity < LINE_PIECES)
    }

    pub(super) fn total(&self) -> v1::Money {
        let market = self.cart.first().map_or(self.market, |line| line.product.market());
        market.money(self.cart.iter().map(CartLine::amount).sum())
    }

    pub(super) fn empty_cart(&mut self) {
        self.cart.clear();
        self.intent = None;
    }

    /// Whether something keeps it from ending.
    pub(super) fn is_buying(&self) -> bool {
        self.order.is_some() || (!self.cart.is_empty() && self.intent == Some(Intent::Buy))
    }
}

/// Half the people have one device, others up to three; each has its favourite.
fn device(person: Option<u32>, rng: &mut impl Rng) -> usize {
    let person = person.unwrap_or_else(|| rng.random_range(0..12)) as usize;
    let owned = [1, 1, 2, 3][person % 4];
    (person / 4 + rng.random_range(0..owned)) % DEVICES.len()
}

pub(super) fn user_id(person: u32) -> String {
    format!("u-{}", person + 1)
}
