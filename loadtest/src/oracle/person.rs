//! One person: what their events mean depends on what they did before.

use souk_proto::v1::event::Kind;
use souk_proto::v1::order_step::Stage;

use super::cart::Cart;
use super::fact::{self, Fact};
use super::order::Orders;
use super::session::Sessions;
use super::{SESSION_GAP, kind_name};
use crate::measure::clock::Millis;

#[derive(Debug, Clone)]
pub(super) struct Person {
    number: u32,
    sessions: Sessions,
    cart: Cart,
    orders: Orders,
    last_step: Option<(Millis, String)>,
}

impl Person {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            sessions: Sessions::default(),
            cart: Cart::default(),
            orders: Orders::default(),
            last_step: None,
        }
    }

    pub(super) fn take(&mut self, at: Millis, kind: &Kind, event_id: &str, facts: &mut Vec<Fact>) {
        let who = self.number;
        let view = match kind {
            Kind::PageView(view) => Some((view.referrer.as_str(), view.campaign.as_str())),
            _ => None,
        };
        self.sessions.touch(who, at, view, facts);
        fact::of_event(at, Some(who), kind, facts);
        match kind {
            Kind::CartStep(step) => self.cart.step(who, at, step, facts),
            Kind::OrderStep(step) => {
                let first = facts.len();
                let placed = self.orders.step(who, at, step, event_id, facts);
                for fact in &mut facts[first..] {
                    *fact = self.sessions.name(std::mem::take(fact));
                }
                if placed {
                    self.cart.ordered(who, at, facts);
                } else if step.stage() == Stage::CheckoutStarted {
                    self.cart.checkout_started();
                }
            }
            _ => {}
        }
        self.journey(at, kind, facts);
    }

    fn journey(&mut self, at: Millis, kind: &Kind, facts: &mut Vec<Fact>) {
        let name = match kind {
            Kind::PageView(view) => &view.page,
            Kind::ProductView(_)
            | Kind::CartStep(_)
            | Kind::OrderStep(_)
            | Kind::Search(_)
            | Kind::WishlistStep(_) => kind_name(kind),
            _ => return,
        };
        let from = match &self.last_step {
            Some((then, from)) if (at - then).abs() <= SESSION_GAP => from,
            _ => "start",
        };
        facts.push(
            Fact::new("journey_step", at, Some(self.number)).with("step_from", from).with("step_to", name),
        );
        self.last_step = Some((at, name.to_owned()));
    }

    pub(super) fn settle(&mut self, facts: &mut Vec<Fact>) {
        self.cart.fire(self.number, facts);
    }
}
