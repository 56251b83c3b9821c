//! Reported money: orders from checkout to refund, transactions in several currencies, trips.

use souk_model::time::Millis;
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::order_step::Stage;

use super::build::{euros, money, product_id};
use super::{Request, Workload};
use crate::faults::Chaos;

const CURRENCIES: [&str; 4] = ["EUR", "USD", "JPY", "E"];
/// Orders remembered to be paid, cancelled or refunded later.
const ORDERS: usize = 12;

impl Workload {
    pub(super) fn money(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        match self.rng.below(3) {
            0 => self.transaction(now, chaos),
            1 => self.trip(now, chaos),
            _ => self.order_step(now, chaos),
        }
    }

    pub(super) fn remember_order(&mut self, user: &str, order: &str) {
        if self.orders.len() == ORDERS {
            self.orders.pop_front();
        }
        self.orders.push_back((user.to_owned(), order.to_owned()));
    }

    /// An order somebody asked for before.
    pub(super) fn known_order(&mut self) -> Option<(String, String)> {
        self.orders.get(self.rng.index(self.orders.len().max(1))).cloned()
    }

    fn order_step(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        let stage = match self.rng.below(12) {
            0..=1 => Stage::CheckoutStarted,
            2 => Stage::PaymentStarted,
            3 => Stage::PaymentFailed,
            4..=5 => Stage::Paid,
            6..=8 => Stage::Placed,
            9 => Stage::Cancelled,
            _ => Stage::Refunded,
        };
        let fresh = self.orders.is_empty() || self.rng.one_in(2);
        let (user, order_id) = match self.known_order().filter(|_| !fresh) {
            Some(known) => known,
            None => {
                let (user, order) = (self.user(chaos), self.id("o"));
                self.remember_order(&user, &order);
                (user, order)
            }
        };
        let lines = match self.rng.below(4) {
            0 => Vec::new(),
            n => (0..n).map(|_| self.order_line(chaos)).collect(),
        };
        let total = self.rng.one_in(3).then(|| euros(self.rng.between(0, 20_000)));
        let step = v1::OrderStep { stage: stage as i32, order_id, lines, total, ..v1::OrderStep::default() };
        self.event(now, &user, Kind::OrderStep(step), chaos)
    }

    fn order_line(&mut self, chaos: &Chaos) -> v1::Line {
        let at = self.product(chaos);
        let unit_price = self.rng.one_in(2).then(|| euros(self.prices[at]));
        v1::Line {
            product_id: product_id(at),
            quantity: Some(self.rng.between(1, 3) as i32),
            unit_price,
            ..v1::Line::default()
        }
    }

    pub(super) fn transaction(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        let transaction_id = self.id("t");
        // The last currency is none at all.
        let currency = CURRENCIES[if self.rng.one_in(12) { 3 } else { self.rng.index(3) }];
        let transaction = v1::Transaction {
            r#type: self.rng.between(1, 3) as i32,
            transaction_id: transaction_id.clone(),
            amount: Some(money(currency, self.rng.between(-1, 50_000))),
            category: ["food", "travel", ""][self.rng.index(3)].into(),
            ..v1::Transaction::default()
        };
        let kind = Kind::Transaction(transaction);
        if self.rng.one_in(3) {
            let user = self.user(chaos);
            return self.event(now, &user, kind, chaos);
        }
        self.keyless(now, &transaction_id, kind, chaos)
    }

    pub(super) fn trip(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        let trip_id = self.id("trip");
        // Now and then 101 regions are drawn, of which 100 are lawful.
        let regions = if self.rng.one_in(20) { 101 } else { 4 };
        let trip = v1::Trip {
            trip_id: trip_id.clone(),
            region_id: self.rng.between(1, regions) as i32,
            fare: Some(euros(self.rng.between(100, 10_000))),
            duration: Some(prost_types::Duration { seconds: self.rng.between(50, 4_000), nanos: 0 }),
            distance_meters: self.rng.between(100, 50_000),
            vehicle_type: "cab".into(),
            ..v1::Trip::default()
        };
        self.keyless(now, &trip_id, Kind::Trip(trip), chaos)
    }
}
