//! The oracle: what every metric must say, counted again from the events that were sent and acknowledged. It shares no code with the
//! server and reads no log: it knows the meaning of events and metrics as callers are told it.
//!
//! Events come in the order in which their senders sent them; only the order within one person matters. What would hang on when a
//! watermark passes is left out of the traffic (`traffic/visit.rs`), so that every figure can be told.

mod cart;
mod catalogue;
pub mod compare;
mod fact;
mod order;
mod person;
pub mod published;
mod rows;
mod session;
mod tables;
#[cfg(test)]
mod tests;
mod value;
mod window;

use std::collections::BTreeMap;

pub use rows::Rows;
use souk_proto::v1::event::Kind;

use crate::measure::clock::{self, Millis};
use crate::traffic::{self, Meant, Sent};
use fact::Fact;
use person::Person;
use tables::Tables;

#[derive(Debug, Clone, Default)]
pub struct Oracle {
    people: BTreeMap<String, Person>,
    tables: Tables,
    facts: Vec<Fact>,
    /// Events that counted.
    pub counted: u64,
}

impl Oracle {
    /// Counts one event that was acknowledged. A repeat is one by the sender's word: ids are the sender's.
    pub fn take(&mut self, sent: &Sent) {
        if sent.meant != Meant::Counted {
            return;
        }
        let event = &sent.event;
        let (Some(kind), Some(time)) = (&event.kind, &event.event_time) else { return };
        let at = clock::millis(time);
        self.counted += 1;
        match traffic::actor(event) {
            None => fact::of_nobody(at, kind, &mut self.facts),
            Some(actor) => {
                let number = self.people.len() as u32;
                let person = self.people.entry(actor).or_insert_with(|| Person::new(number));
                person.take(at, kind, &event.event_id, &mut self.facts);
            }
        }
        self.count();
    }

    /// Time has passed for everybody: carts still waiting are abandoned.
    pub fn settle(&mut self) {
        for person in self.people.values_mut() {
            person.settle(&mut self.facts);
        }
        self.count();
    }

    fn count(&mut self) {
        for fact in self.facts.drain(..) {
            self.tables.count(&fact);
        }
    }

    /// What every metric must say.
    pub fn rows(&self) -> Rows {
        self.tables.rows()
    }
}

/// An event's kind by the name of its field.
fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::PageView(_) => "page_view",
        Kind::ProductView(_) => "product_view",
        Kind::CartStep(_) => "cart_step",
        Kind::OrderStep(_) => "order_step",
        Kind::Search(_) => "search",
        Kind::Browse(_) => "browse",
        Kind::Login(_) => "login",
        Kind::Logout(_) => "logout",
        Kind::WishlistStep(_) => "wishlist_step",
        Kind::Review(_) => "review",
        Kind::RecommendationStep(_) => "recommendation_step",
        Kind::Transaction(_) => "transaction",
        Kind::Trip(_) => "trip",
        Kind::ProductStep(_) => "product_step",
        Kind::StockStep(_) => "stock_step",
        Kind::Custom(_) => "custom",
    }
}

/// How long after its last add a cart counts as left behind.
pub const ABANDON_AFTER: Millis = 30 * clock::MINUTE;
/// Silence that ends a visit.
const SESSION_GAP: Millis = 30 * clock::MINUTE;
