//! The virtual actor `Product`: what a shop sells, its price, its pieces, its sale. SEMANTICS.md sections 8 and 13.
//!
//! Records of the products journal reach it through [`Product::event`], [`Product::command`] and [`Product::step`], due timers
//! through [`Product::fire`]: one file each. It alone decides who gets which pieces, in the journal's order, so nothing is sold
//! twice. The sums that say so are asserted after every record: a record that breaks them must not reach a cut.

mod alert;
mod command;
mod event;
mod orders;
mod patch;
mod render;
mod sale;
mod state;
mod step;
mod stock;
mod timer;

#[cfg(test)]
mod tests;

pub use orders::{Claim, Hold, Mark, MarkKind};
pub use sale::{Sale, Terms};
pub use stock::{Mode, Stock};

use crate::actor::Context;
use crate::key::ActorKey;
use crate::memory::dedup::Dedup;
use crate::memory::requests::Requests;
use crate::money::Money;
use crate::output::Output;
use crate::time::Millis;
use orders::Orders;

/// One product. A product nobody has described yet (version 0) may still remember requests and orders it refused.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Product {
    /// Rises by one with every change a reader can see; 0: not known to exist.
    version: i64,
    create_time: Millis,
    update_time: Millis,
    text: Text,
    /// Of one piece, outside a sale.
    price: Option<Money>,
    stock: Stock,
    sale: Option<Sale>,
    /// When the stock counts as stale, unless it is heard of before. Armed by stock updates alone, not by orders.
    stale_at: Option<Millis>,
    orders: Orders,
    events: Dedup,
    requests: Requests,
}

/// What describes a product to people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    pub title: String,
    pub description: String,
    pub category: String,
    pub brand: String,
    pub tags: Vec<String>,
    pub image_uri: String,
    /// Mean rating, 1 to 5.
    pub rating: Option<f64>,
    pub review_count: Option<i32>,
}

impl Product {
    /// A product that exists and has only this text.
    #[cfg(test)]
    pub(crate) fn described(text: Text) -> Self {
        Self { version: 1, text, ..Self::default() }
    }

    /// Whether anybody has described it, or said what is in stock.
    pub fn exists(&self) -> bool {
        self.version > 0
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    pub fn text(&self) -> &Text {
        &self.text
    }

    pub fn stock(&self) -> &Stock {
        &self.stock
    }

    /// Pieces held, by user and order.
    pub fn holds(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        let held = self.orders.holds().iter().filter(|(_, hold)| hold.pieces() > 0);
        held.filter_map(|(key, hold)| key.split_once('/').map(|(user, order)| (user, order, hold.pieces())))
    }

    pub fn sale(&self) -> Option<&Sale> {
        self.sale.as_ref()
    }

    /// Price of one piece outside a sale.
    pub fn price(&self) -> Option<Money> {
        self.price
    }

    /// Price of one piece as it is charged now: the sale's while it runs.
    pub fn price_now(&self) -> Option<Money> {
        match &self.sale {
            Some(sale) if sale.running() => Some(sale.terms().price),
            _ => self.price,
        }
    }

    /// Begins a record or timer that takes effect at `at`.
    fn begin(&self, at: Millis) -> Change {
        Change { at, before: self.face(), described: false }
    }

    fn face(&self) -> Face {
        let sale = self.sale.as_ref();
        Face {
            stock: self.stock,
            price: self.price,
            sale: sale.map(|sale| (sale.id(), sale.running(), sale.sold())),
        }
    }

    /// Ends it: a new version, alerts and news if anything visible changed. The sums are always checked.
    fn finish(&mut self, ctx: &mut Context<'_>, key: &ActorKey, change: &Change) {
        self.assert_sums(key);
        let after = self.face();
        if !change.described && change.before == after {
            return;
        }
        if !self.exists() {
            self.create_time = change.at;
        }
        self.version += 1;
        self.update_time = change.at;
        alert::raise(ctx, key, change, &after);
        ctx.out.push(Output::Changed { actor: key.clone() });
    }

    /// The invariants of stock, in production too: breaking one must stop the record, not be sold.
    fn assert_sums(&self, key: &ActorKey) {
        let Stock { received, available, reserved, sold, .. } = self.stock;
        assert!(available >= 0, "{key:?}: {available} pieces available");
        assert!(reserved == self.orders.held(), "{key:?}: {reserved} reserved, {} held", self.orders.held());
        assert!(
            received == available + reserved + sold,
            "{key:?}: received {received} is not available {available} + reserved {reserved} + sold {sold}"
        );
        if let Some(sale) = &self.sale {
            assert!(sale.within_terms(), "{key:?}: the sale gave away more than its terms");
        }
    }
}

/// What one record or timer began with.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// The moment it takes effect: log time, for a timer its deadline.
    at: Millis,
    before: Face,
    /// The text changed, or the product came to be.
    described: bool,
}

/// What a customer sees of a product apart from its text.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Face {
    stock: Stock,
    price: Option<Money>,
    /// Which sale, whether it runs, pieces sold in it.
    sale: Option<(u64, bool, i64)>,
}
