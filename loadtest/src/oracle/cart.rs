//! A person's cart, and whether it was left behind.

use std::collections::BTreeMap;

use souk_proto::v1;
use souk_proto::v1::cart_step::Action;

use super::ABANDON_AFTER;
use super::fact::{Amount, Fact, amount};
use crate::measure::clock::Millis;

#[derive(Debug, Clone)]
struct Held {
    quantity: i64,
    price: i64,
    category: String,
}

/// An abandonment that nothing has settled yet.
#[derive(Debug, Clone)]
struct Open {
    deadline: Millis,
    at_checkout: bool,
    value: Amount,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Cart {
    lines: BTreeMap<String, Held>,
    currency: String,
    latest_add: Millis,
    deadline: Option<Millis>,
    at_checkout: bool,
    open: Option<Open>,
}

impl Cart {
    pub(super) fn step(&mut self, who: u32, at: Millis, step: &v1::CartStep, facts: &mut Vec<Fact>) {
        let Some(line) = &step.line else { return };
        let have = self.lines.get(&line.product_id).map_or(0, |held| held.quantity);
        let quantity = i64::from(line.quantity.unwrap_or(1));
        match step.action() {
            Action::Add => self.add(who, at, line, quantity, facts),
            Action::SetQuantity if quantity > have => self.add(who, at, line, quantity - have, facts),
            Action::SetQuantity => self.leave(&line.product_id, quantity),
            Action::Remove => {
                let taken = line.quantity.map_or(have, i64::from);
                self.leave(&line.product_id, have - taken.min(have));
            }
            Action::Unspecified | Action::Clear | Action::View => {}
        }
    }

    fn add(&mut self, who: u32, at: Millis, line: &v1::Line, more: i64, facts: &mut Vec<Fact>) {
        self.fire_before(who, at, facts);
        let priced = amount(line.unit_price.as_ref());
        let held = self.lines.entry(line.product_id.clone()).or_insert_with(|| Held {
            quantity: 0,
            price: 0,
            category: String::new(),
        });
        held.quantity += more;
        if let Some((currency, price)) = priced {
            (held.price, self.currency) = (price, currency);
        }
        if !line.category.is_empty() {
            held.category.clone_from(&line.category);
        }
        let fact = Fact::new("cart_add", at, Some(who))
            .with("product", &line.product_id)
            .with("category", &held.category)
            .number("quantity", more)
            .amount(&self.currency, held.price * more);
        facts.push(fact);
        self.arm(who, at, facts);
    }

    fn arm(&mut self, who: u32, at: Millis, facts: &mut Vec<Fact>) {
        match self.open.take() {
            None => {
                self.latest_add = self.latest_add.max(at);
                self.deadline = Some(self.latest_add + ABANDON_AFTER);
            }
            Some(open) if at <= self.latest_add => self.open = Some(open),
            Some(open) => {
                self.latest_add = at;
                self.deadline = Some(at + ABANDON_AFTER);
                if at <= open.deadline {
                    facts.push(open.fact("cart_abandoned", open.deadline, who).taken_back());
                } else {
                    self.open = Some(open);
                }
            }
        }
    }

    /// Less of a product. The traffic never empties a cart this way.
    fn leave(&mut self, product: &str, quantity: i64) {
        if quantity == 0 {
            self.lines.remove(product);
        } else if let Some(held) = self.lines.get_mut(product) {
            held.quantity = quantity;
        }
    }

    pub(super) fn checkout_started(&mut self) {
        self.at_checkout = true;
    }

    /// An order was placed: it settles an abandonment and takes everything out.
    pub(super) fn ordered(&mut self, who: u32, at: Millis, facts: &mut Vec<Fact>) {
        self.fire_before(who, at, facts);
        if let Some(open) = &self.open {
            facts.push(if at <= open.deadline {
                open.fact("cart_abandoned", open.deadline, who).taken_back()
            } else {
                open.fact("cart_recovered", at, who)
            });
        }
        *self = Self::default();
    }

    /// The deadline passed before this moment.
    fn fire_before(&mut self, who: u32, at: Millis, facts: &mut Vec<Fact>) {
        if self.deadline.is_some_and(|deadline| at > deadline) {
            self.fire(who, facts);
        }
    }

    pub(super) fn fire(&mut self, who: u32, facts: &mut Vec<Fact>) {
        let Some(deadline) = self.deadline.take() else { return };
        if self.open.is_some() {
            return;
        }
        let value = self.lines.values().map(|held| held.price * held.quantity).sum();
        let open = Open { deadline, at_checkout: self.at_checkout, value: (self.currency.clone(), value) };
        facts.push(open.fact("cart_abandoned", deadline, who));
        self.open = Some(open);
    }
}

impl Open {
    fn fact(&self, name: &'static str, at: Millis, who: u32) -> Fact {
        let stage = if self.at_checkout { "checkout" } else { "cart" };
        Fact::new(name, at, Some(who)).with("stage", stage).amount(&self.value.0, self.value.1)
    }
}
