//! The newest orders of one user, by id.

use std::collections::VecDeque;

use super::order::Order;
use crate::actor::StateError;
use crate::codec::{Reader, Writer};
use crate::limits::ORDERS;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// Orders as they were first heard of. Those an erased user left behind stand among them until they are settled.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    by_age: VecDeque<Order>,
    /// How many of them came of commands: no other waits for anything. Asked after every event of somebody who may have hundreds.
    commanded: usize,
}

impl Orders {
    /// The user's order of this id.
    pub(super) fn get(&self, id: &str) -> Option<&Order> {
        self.by_age.iter().rev().find(|order| *order.id == *id && !order.erased)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Order> {
        self.by_age.iter_mut().rev().find(|order| *order.id == *id && !order.erased)
    }

    /// The order a product answers: an erased user's too.
    pub(super) fn of_saga(&mut self, id: &str) -> Option<&mut Order> {
        self.by_age.iter_mut().rev().find(|order| *order.id == *id && !order.is_settled())
    }

    /// Whether an erased user's order has this id.
    pub(super) fn is_kept(&self, id: &str) -> bool {
        self.by_age.iter().any(|order| order.erased && *order.id == *id)
    }

    /// Whether there is room for one more: orders under way do not give way.
    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        if self.by_age.len() < ORDERS || self.by_age.iter().any(Order::is_settled) {
            return Ok(());
        }
        Err(Refusal::new(
            Reason::TooManyItems,
            "order_id",
            format!("{ORDERS} orders of this user are under way"),
        ))
    }

    /// Adds a checkout. An order only heard of becomes it.
    pub(super) fn open(&mut self, mut order: Order) -> Result<&mut Order, Refusal> {
        if let Some(place) = self.by_age.iter().rposition(|known| *known.id == *order.id && !known.erased) {
            let known = &mut self.by_age[place];
            self.commanded += usize::from(order.is_commanded());
            self.commanded -= usize::from(known.is_commanded());
            order.version = known.version.saturating_add(1);
            order.checkout_started = known.checkout_started;
            order.payment = known.payment.take().or(order.payment);
            *known = order;
            return Ok(known);
        }
        self.check_room()?;
        Ok(self.push(order))
    }

    /// Adds an order; the oldest settled one gives way.
    pub(super) fn push(&mut self, order: Order) -> &mut Order {
        if self.by_age.len() >= ORDERS
            && let Some(oldest) = self.by_age.iter().position(Order::is_settled)
        {
            let gone = self.by_age.remove(oldest);
            self.commanded -= usize::from(gone.is_some_and(|gone| gone.is_commanded()));
        }
        self.commanded += usize::from(order.is_commanded());
        let place = self.by_age.len();
        self.by_age.push_back(order);
        &mut self.by_age[place]
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.by_age.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Order> {
        self.by_age.iter_mut()
    }

    /// Drops what an erased user left, once it is settled.
    pub(super) fn forget_erased(&mut self) {
        self.retain(|order| !order.erased || !order.is_settled());
    }

    pub(super) fn retain_open(&mut self) {
        self.retain(|order| !order.is_settled());
    }

    fn retain(&mut self, stays: impl Fn(&Order) -> bool) {
        self.by_age.retain(stays);
        self.commanded = commanded(&self.by_age);
    }

    /// Those among which some may wait for something: none where all are reports.
    fn waiting(&self) -> impl Iterator<Item = &Order> {
        debug_assert_eq!(self.commanded, commanded(&self.by_age), "a report does not become a command");
        self.by_age.iter().take(if self.commanded > 0 { self.by_age.len() } else { 0 })
    }

    /// Whether some product owes an answer.
    pub(super) fn are_open(&self) -> bool {
        self.waiting().any(|order| !order.is_settled())
    }

    /// When the next pending order is given up.
    pub(super) fn next_timeout(&self) -> Option<Millis> {
        self.waiting().filter_map(|order| order.deadline).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.by_age.len());
        for order in &self.by_age {
            order.encode(w);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let by_age = (0..r.count(ORDERS)?).map(|_| Order::decode(r)).collect::<Result<_, _>>()?;
        Ok(Self { commanded: commanded(&by_age), by_age })
    }
}

fn commanded(orders: &VecDeque<Order>) -> usize {
    orders.iter().filter(|order| order.is_commanded()).count()
}
