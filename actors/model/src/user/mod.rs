//! The user: session, cart, journey, orders, and what the fold decides about them. SEMANTICS.md sections 2 to 10.
//!
//! A record's way: the shard finds the actor and calls [`User::event`], [`User::command`] or [`User::step`]; time calls [`User::fire`].
//! Facts leave for the tallies while it is folded, steps and news through the outputs. An event that is not counted leaves no trace.

mod abandonment;
mod cart;
mod cart_state;
mod checkout;
mod command;
mod erase;
mod event;
mod journey;
mod kind;
mod line;
mod merge;
mod order;
mod order_state;
mod orders;
mod refund;
mod render;
mod scribe;
mod session;
mod sessions;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod timer;

use crate::key::ActorKey;
use crate::memory::dedup::Dedup;
use crate::memory::requests::Requests;
use crate::output::Outputs;
use crate::tally::Presence;
use crate::time::Now;

pub use abandonment::{AbandonedCart, Fate, Stage};
pub use cart::Cart;
pub use journey::{Journey, Step};
pub use kind::Kind;
pub use line::Line;
pub use order::{Charge, Hold, Order, OrderLine, State};
pub use render::abandoned_cart;
pub use session::{Landing, Session};

/// Everything one person (or guest) is to the shop. What most people never have lies behind boxes.
#[derive(Debug, Clone, Default)]
pub struct User {
    dedup: Dedup,
    sessions: sessions::Sessions,
    journey: Journey,
    cart: Option<Box<Cart>>,
    rare: Option<Box<Rare>>,
    presence: Presence,
}

/// What few people have: orders, remembered requests, merges.
#[derive(Debug, Clone, Default)]
struct Rare {
    orders: orders::Orders,
    requests: Requests,
    merges: merge::Merges,
}

impl Rare {
    fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.requests.is_empty() && self.merges.is_empty()
    }
}

/// What is rare for now on, made when first needed.
fn rare(rare: &mut Option<Box<Rare>>) -> &mut Rare {
    rare.get_or_insert_default()
}

impl User {
    /// Sessions by start.
    pub fn sessions(&self) -> impl DoubleEndedIterator<Item = &Session> {
        self.sessions.iter()
    }

    /// Steps of the journey, oldest first, of every session kept.
    pub fn journey(&self) -> impl Iterator<Item = Step<'_>> {
        self.journey.steps()
    }

    /// The cart, unless nothing was ever done to it.
    pub fn cart(&self) -> Option<&Cart> {
        self.cart.as_deref()
    }

    /// Orders from the one first heard of on; without those of an erased user.
    pub fn orders(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.rare.iter().flat_map(|rare| rare.orders.iter()).filter(|order| !order.erased)
    }

    pub fn order(&self, id: &str) -> Option<&Order> {
        self.rare.as_ref()?.orders.get(id)
    }

    /// Whether an order of this person waits for products: its cart is frozen meanwhile.
    fn has_pending_order(&self) -> bool {
        self.orders().any(|order| order.state == State::Pending)
    }

    /// Whether some other actor owes it an answer, or it one.
    pub fn has_open_saga(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.merges.is_open() || rare.orders.are_open())
    }

    /// Pushes every saga step its state implies. How often is the shard's to decide.
    pub fn resend(&self, key: &ActorKey, _now: &Now, out: &mut Outputs) {
        if let Some(rare) = &self.rare {
            for order in rare.orders.iter().filter(|order| !order.is_settled()) {
                order.send_implied(key, out);
            }
            rare.merges.send_implied(key, out);
        }
    }

    /// Lets go of boxes that hold nothing, so that what was forgotten takes no room.
    fn shrink(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.is_empty()) {
            self.rare = None;
        }
    }
}
