//! A person's orders: each is placed once, and what goes back is never more than what is left.

use std::collections::BTreeMap;

use souk_proto::v1;
use souk_proto::v1::order_step::Stage;

use super::fact::{Fact, amount};
use crate::measure::clock::Millis;

#[derive(Debug, Clone, Default)]
pub(super) struct Orders(BTreeMap<String, Order>);

#[derive(Debug, Clone, Default)]
struct Order {
    placed: bool,
    currency: String,
    left: i64,
    lines: Vec<Ordered>,
}

#[derive(Debug, Clone)]
struct Ordered {
    product: String,
    category: String,
    price: i64,
    quantity_left: i64,
    amount_left: i64,
}

impl Orders {
    /// One report. True: it placed the order.
    pub(super) fn step(
        &mut self,
        who: u32,
        at: Millis,
        step: &v1::OrderStep,
        event_id: &str,
        facts: &mut Vec<Fact>,
    ) -> bool {
        let id = if step.order_id.is_empty() { event_id } else { &step.order_id };
        let order = self.0.entry(id.to_owned()).or_default();
        match step.stage() {
            Stage::Placed | Stage::Paid if !order.placed => {
                order.place(who, at, step, facts);
                true
            }
            Stage::Refunded => {
                order.refund(who, at, &step.lines, facts);
                false
            }
            Stage::Cancelled => {
                order.cancel(who, at, facts);
                false
            }
            _ => false,
        }
    }
}

impl Order {
    fn place(&mut self, who: u32, at: Millis, step: &v1::OrderStep, facts: &mut Vec<Fact>) {
        self.placed = true;
        for line in &step.lines {
            let Some((currency, price)) = amount(line.unit_price.as_ref()) else { continue };
            let quantity = i64::from(line.quantity.unwrap_or(1));
            self.currency = currency;
            self.lines.push(Ordered {
                product: line.product_id.clone(),
                category: line.category.clone(),
                price,
                quantity_left: quantity,
                amount_left: quantity * price,
            });
        }
        let sum = self.lines.iter().map(|line| line.amount_left).sum();
        self.left = amount(step.total.as_ref()).map_or(sum, |(_, total)| total);
        facts.push(Fact::new("order_placed", at, Some(who)).amount(&self.currency, self.left));
        for line in &self.lines {
            facts.push(line.fact(
                "order_line",
                who,
                at,
                line.quantity_left,
                line.amount_left,
                &self.currency,
            ));
        }
    }

    fn refund(&mut self, who: u32, at: Millis, back: &[v1::Line], facts: &mut Vec<Fact>) {
        let mut sum = 0;
        let mut lines = Vec::new();
        for given in back {
            let Some(line) = self.lines.iter_mut().find(|line| line.product == given.product_id) else {
                continue;
            };
            let quantity = given.quantity.map_or(line.quantity_left, i64::from);
            let price = amount(given.unit_price.as_ref()).map_or(line.price, |(_, price)| price);
            line.quantity_left -= quantity;
            line.amount_left -= quantity * price;
            sum += quantity * price;
            lines.push(line.fact("refund_line", who, at, -quantity, -quantity * price, &self.currency));
        }
        self.left -= sum;
        facts.push(Fact::new("refund", at, Some(who)).amount(&self.currency, -sum));
        facts.extend(lines);
    }

    fn cancel(&mut self, who: u32, at: Millis, facts: &mut Vec<Fact>) {
        if !self.placed || self.left == 0 {
            return;
        }
        facts.push(Fact::new("refund", at, Some(who)).amount(&self.currency, -self.left));
        self.left = 0;
        for line in &mut self.lines {
            if line.quantity_left > 0 || line.amount_left > 0 {
                let (quantity, amount) = (-line.quantity_left, -line.amount_left);
                facts.push(line.fact("refund_line", who, at, quantity, amount, &self.currency));
                (line.quantity_left, line.amount_left) = (0, 0);
            }
        }
    }
}

impl Ordered {
    fn fact(
        &self,
        name: &'static str,
        who: u32,
        at: Millis,
        quantity: i64,
        amount: i64,
        currency: &str,
    ) -> Fact {
        Fact::new(name, at, Some(who))
            .with("product", &self.product)
            .with("category", &self.category)
            .number("quantity", quantity)
            .amount(currency, amount)
    }
}
