//! The products' side: stock, prices, flash sales, said by events and by commands.

use souk_model::journal::Journal;
use souk_model::time::{MINUTE, Millis, SECOND};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::adjust_stock::Change;
use souk_proto::journal::v1::command::Action;
use souk_proto::v1;
use souk_proto::v1::event::Kind;

use super::build::{euros, product_id, timestamp};
use super::{Request, Workload};
use crate::faults::Chaos;

impl Workload {
    /// Scarce stock in every mode; most products are never oversold.
    pub(super) fn new_product(&mut self, at: usize) -> Request {
        let mode = match at {
            1 => v1::stock::Mode::Track,
            2 => v1::stock::Mode::None,
            _ => v1::stock::Mode::ReserveOnOrder,
        };
        let stock =
            v1::Stock { mode: mode as i32, available: Some(self.rng.between(3, 15)), ..v1::Stock::default() };
        let product = v1::Product { stock: Some(stock), ..self.catalogue_entry(at) };
        let action = Action::UpsertProduct(Box::new(journal::UpsertProduct {
            product: Some(product),
            update_mask: None,
        }));
        self.ask(Journal::Products, &product_id(at), action, &[])
    }

    pub(super) fn shelf(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        let at = self.product(chaos);
        match self.rng.below(20) {
            0..=4 => {
                let change = if self.rng.one_in(4) {
                    v1::stock_step::Change::Level(self.rng.between(0, 8))
                } else {
                    v1::stock_step::Change::Delta(self.rng.between(-3, 5))
                };
                let step = v1::StockStep {
                    product_id: product_id(at),
                    change: Some(change),
                    reason: "delivery".into(),
                };
                self.product_event(now, at, Kind::StockStep(step), chaos)
            }
            5..=6 => {
                self.prices[at] = self.rng.between(100, 9_900);
                let step = v1::ProductStep { product: Some(self.catalogue_entry(at)), update_mask: None };
                self.product_event(now, at, Kind::ProductStep(step.into()), chaos)
            }
            7..=12 => {
                let change = if self.rng.one_in(4) {
                    Change::Level(self.rng.between(0, 8))
                } else {
                    Change::Delta(self.rng.between(-3, 5))
                };
                let action = Action::AdjustStock(journal::AdjustStock {
                    change: Some(change),
                    reason: "count".into(),
                });
                self.ask(Journal::Products, &product_id(at), action, &[])
            }
            13..=15 => {
                self.prices[at] = self.rng.between(100, 9_900);
                let action = Action::SetPrice(journal::SetPrice { price: Some(euros(self.prices[at])) });
                self.ask(Journal::Products, &product_id(at), action, &[])
            }
            16..=18 => self.sale(now, at),
            _ => self.ask(Journal::Products, &product_id(at), Action::EndSale(journal::EndSale {}), &[]),
        }
    }

    fn sale(&mut self, now: Millis, at: usize) -> Request {
        let start = now + self.rng.between(0, 30) * SECOND;
        let action = Action::StartSale(journal::StartSale {
            price: Some(euros(self.prices[at] / 2)),
            start_time: self.rng.one_in(2).then(|| timestamp(start)),
            end_time: Some(timestamp(start + MINUTE)),
            quantity: self.rng.one_in(2).then_some(3),
            per_user: self.rng.one_in(2).then_some(1),
        });
        self.ask(Journal::Products, &product_id(at), action, &[])
    }
}
