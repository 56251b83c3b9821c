//! Orders of one actor (section 7): reports about them, and what money goes back.

use std::collections::{BTreeMap, BTreeSet};

use souk_proto::v1::order_step::Stage;
use souk_proto::v1::{ErrorReason, Line, Money, OrderStep};

use super::cart::{Moved, times};
use super::fact::{Amount, Fact};
use super::person::{Person, Scene, amount};
use super::time::Ms;

const KNOWN: usize = 256;

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// Heard of, neither placed nor cancelled.
    Known,
    /// Stock is being asked for.
    Pending,
    /// Placed.
    Confirmed,
    /// Called off, or refused.
    Cancelled,
}

/// One line with what of it has not gone back.
#[derive(Debug, Clone)]
pub(super) struct OrderLine {
    pub(super) product: String,
    pub(super) quantity: i64,
    pub(super) price: i64,
    pub(super) left: i64,
    pub(super) amount_left: i64,
    pub(super) category: String,
    pub(super) brand: String,
}

/// One order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) state: OrderState,
    /// Every state it was in, for invariant I3.
    pub(super) finals: Vec<OrderState>,
    pub(super) commanded: bool,
    pub(super) checkout_started: bool,
    /// Kept past an erase: no prices, no facts.
    pub(super) bare: bool,
    pub(super) lines: Vec<OrderLine>,
    pub(super) total: Option<Amount>,
    pub(super) left: i64,
    pub(super) version: i64,
    pub(super) deadline: Ms,
    pub(super) granted: BTreeSet<String>,
    pub(super) settled: BTreeSet<String>,
}

impl Order {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: OrderState::Known,
            finals: Vec::new(),
            commanded: false,
            checkout_started: false,
            bare: false,
            lines: Vec::new(),
            total: None,
            left: 0,
            version: 0,
            deadline: Ms::MAX,
            granted: BTreeSet::new(),
            settled: BTreeSet::new(),
        }
    }

    pub(super) fn end(&mut self, state: OrderState) {
        self.state = state;
        self.finals.push(state);
        self.version += 1;
    }

    pub(super) fn refunded(&self) -> i64 {
        self.total.as_ref().map_or(0, |total| total.minor - self.left)
    }

    /// Whether the products journal still has to hear of it, or answer.
    pub(super) fn is_owed(&self) -> bool {
        self.commanded && self.lines.iter().any(|line| !self.settled.contains(&line.product))
    }

    /// What an erase leaves of it.
    pub(super) fn bared(&self) -> Self {
        let strip = |line: &OrderLine| OrderLine {
            price: 0,
            amount_left: 0,
            category: String::new(),
            brand: String::new(),
            ..line.clone()
        };
        Self {
            bare: true,
            total: None,
            left: 0,
            lines: self.lines.iter().map(strip).collect(),
            ..self.clone()
        }
    }

    pub(super) fn amount_fact(&self, kind: &'static str, amount: Option<Amount>, scene: &Scene<'_>) -> Fact {
        let fact = Fact::new(kind, scene.at, &scene.base).text("order", &self.id);
        match amount {
            Some(amount) => fact.amount("amount", amount),
            None => fact,
        }
    }

    /// Everything that is left goes back.
    pub(super) fn refund_rest(&mut self, scene: &mut Scene<'_>) {
        let Some(currency) = self.total.as_ref().map(|total| total.currency.clone()) else { return };
        let left = std::mem::take(&mut self.left);
        self.give_back(left, scene);
        for line in &mut self.lines {
            let moved = Moved {
                kind: "refund_line",
                product: line.product.clone(),
                quantity: -std::mem::take(&mut line.left),
                amount: Amount::new(&currency, -std::mem::take(&mut line.amount_left)),
                category: line.category.clone(),
                brand: line.brand.clone(),
            };
            if moved.quantity != 0 || moved.amount.minor != 0 {
                scene.line_fact(&moved);
            }
        }
    }

    fn give_back(&mut self, minor: i64, scene: &mut Scene<'_>) {
        if minor == 0 {
            return;
        }
        self.version += 1;
        let currency = self.total.as_ref().map_or("", |total| total.currency.as_str());
        let fact = self.amount_fact("refund", Some(Amount::new(currency, -minor)), scene);
        scene.facts.push(fact);
    }

    /// Gives back lines, an amount, or all that is left; refuses what is more than that.
    pub(super) fn refund(
        &mut self,
        lines: &[Line],
        total: Option<&Money>,
        scene: &mut Scene<'_>,
    ) -> Result<(), ErrorReason> {
        let currency = self.total.as_ref().ok_or(ErrorReason::OrderUnknown)?.currency.clone();
        let lines_known = !self.lines.is_empty();
        let mut moved = Vec::new();
        for line in lines {
            let back = self.line_back(line, &currency, scene)?;
            if lines_known {
                self.take_off(&back)?;
            }
            moved.push(back);
        }
        let given = total.and_then(amount);
        if given.as_ref().is_some_and(|given| given.currency != currency) {
            return Err(ErrorReason::CurrencyMismatch);
        }
        let sum: i64 = moved.iter().map(|back| -back.amount.minor).sum();
        let minor = given.map_or(if lines.is_empty() { self.left } else { sum }, |given| given.minor);
        if minor > self.left {
            return Err(ErrorReason::RefundExceedsTotal);
        }
        self.left -= minor;
        self.give_back(minor, scene);
        for back in &moved {
            scene.line_fact(back);
        }
        Ok(())
    }

    /// One line of a refund, negative, with what it does not say taken from the order.
    fn line_back(&self, line: &Line, currency: &str, scene: &Scene<'_>) -> Result<Moved, ErrorReason> {
        let known = self.lines.iter().find(|known| known.product == line.product_id);
        let same = self.lines.iter().filter(|known| known.product == line.product_id);
        let all = if known.is_some() { same.map(|known| known.left).sum() } else { 1 };
        let quantity = line.quantity.map_or(all, i64::from);
        let price = match line.unit_price.as_ref().and_then(amount) {
            Some(price) if price.currency != currency => return Err(ErrorReason::CurrencyMismatch),
            Some(price) => price.minor,
            None => match known {
                Some(known) => known.price,
                None if self.lines.is_empty() => return Err(ErrorReason::FieldMissing),
                None => return Err(ErrorReason::RefundExceedsTotal),
            },
        };
        let goods = scene.goods(line, quantity);
        let or = |said: String, known: Option<&String>| {
            if said.is_empty() { known.cloned().unwrap_or_default() } else { said }
        };
        Ok(Moved {
            kind: "refund_line",
            product: line.product_id.clone(),
            quantity: -quantity,
            amount: Amount::new(currency, -times(price, quantity)?),
            category: or(goods.category, known.map(|known| &known.category)),
            brand: or(goods.brand, known.map(|known| &known.brand)),
        })
    }

    /// Takes a refund off the lines of its product, first to last.
    fn take_off(&mut self, back: &Moved) -> Result<(), ErrorReason> {
        let (mut quantity, mut minor) = (-back.quantity, -back.amount.minor);
        for line in self.lines.iter_mut().filter(|line| line.product == back.product) {
            let (pieces, money) = (quantity.min(line.left), minor.min(line.amount_left));
            line.left -= pieces;
            line.amount_left -= money;
            quantity -= pieces;
            minor -= money;
        }
        if quantity > 0 || minor > 0 { Err(ErrorReason::RefundExceedsTotal) } else { Ok(()) }
    }
}

impl Person {
    /// The order of this id, known from now on; the oldest gives way.
    pub(super) fn order(&mut self, id: &str) -> &mut Order {
        let place = self.orders.iter().position(|order| order.id == id).unwrap_or_else(|| {
            if self.orders.len() >= KNOWN {
                self.orders.remove(0);
            }
            self.orders.push(Order::new(id));
            self.orders.len() - 1
        });
        &mut self.orders[place]
    }

    /// One report about an order.
    pub(super) fn order_step(
        &mut self,
        step: &OrderStep,
        id: &str,
        scene: &mut Scene<'_>,
    ) -> Result<(), ErrorReason> {
        match step.stage() {
            Stage::CheckoutStarted => self.checkout_started(step, id, scene),
            Stage::Placed | Stage::Paid => self.placed(step, id, scene),
            Stage::Cancelled => {
                let order = self.order(id);
                match order.state {
                    OrderState::Known => order.end(OrderState::Cancelled),
                    OrderState::Confirmed => order.refund_rest(scene),
                    OrderState::Pending | OrderState::Cancelled => {}
                }
                Ok(())
            }
            Stage::Refunded => {
                let placed = |order: &&mut Order| order.id == id && order.state == OrderState::Confirmed;
                let order = self.orders.iter_mut().find(placed).ok_or(ErrorReason::OrderUnknown)?;
                order.refund(&step.lines, step.total.as_ref(), scene)
            }
            Stage::PaymentStarted | Stage::PaymentFailed | Stage::Unspecified => {
                self.order(id);
                Ok(())
            }
        }
    }

    fn checkout_started(
        &mut self,
        step: &OrderStep,
        id: &str,
        scene: &mut Scene<'_>,
    ) -> Result<(), ErrorReason> {
        let lines = lines_of(step, scene);
        let total = match (step.total.as_ref().and_then(amount), lines) {
            (Some(total), _) => Some(total),
            (None, Ok(lines)) if !lines.is_empty() => Some(sum(&lines)?),
            _ => None,
        };
        let order = self.order(id);
        if !std::mem::replace(&mut order.checkout_started, true) {
            let fact = order.amount_fact("checkout_started", total, scene);
            scene.facts.push(fact);
        }
        if !self.cart.commanded {
            self.cart.at_checkout = true;
        }
        Ok(())
    }

    fn placed(&mut self, step: &OrderStep, id: &str, scene: &mut Scene<'_>) -> Result<(), ErrorReason> {
        if self.order(id).state != OrderState::Known {
            return Ok(());
        }
        let lines = lines_of(step, scene)?;
        let total = step.total.as_ref().and_then(amount);
        let mut currencies: BTreeSet<_> = lines.iter().map(|(_, price)| price.currency.clone()).collect();
        currencies.extend(total.iter().map(|total| total.currency.clone()));
        if currencies.len() > 1 {
            return Err(ErrorReason::CurrencyMismatch);
        }
        let total = match total {
            Some(total) => total,
            None if lines.is_empty() => return Err(ErrorReason::FieldMissing),
            None => sum(&lines)?,
        };
        let order = self.order(id);
        order.lines = lines.into_iter().map(|(line, _)| line).collect();
        order.left = total.minor;
        order.total = Some(total);
        self.confirm(id, scene);
        Ok(())
    }

    /// The order counts as placed: its facts, then the abandonment's rule and the emptied cart.
    pub(super) fn confirm(&mut self, id: &str, scene: &mut Scene<'_>) {
        let order = self.order(id);
        order.end(OrderState::Confirmed);
        if order.bare {
            return;
        }
        let currency = order.total.as_ref().map_or("", |total| total.currency.as_str()).to_owned();
        let fact = order.amount_fact("order_placed", order.total.clone(), scene);
        scene.facts.push(fact);
        for line in &order.lines {
            scene.line_fact(&Moved {
                kind: "order_line",
                product: line.product.clone(),
                quantity: line.quantity,
                amount: Amount::new(&currency, line.price * line.quantity),
                category: line.category.clone(),
                brand: line.brand.clone(),
            });
        }
        self.ordered(scene);
    }
}

type Priced = (OrderLine, Amount);

/// The lines of a report, each with its price.
fn lines_of(step: &OrderStep, scene: &Scene<'_>) -> Result<Vec<Priced>, ErrorReason> {
    let priced = |line: &Line| {
        let goods = scene.goods(line, i64::from(line.quantity.unwrap_or(1)));
        let price = goods.price.ok_or(ErrorReason::FieldMissing)?;
        let line = OrderLine {
            product: goods.product,
            quantity: goods.quantity,
            price: price.minor,
            left: goods.quantity,
            amount_left: times(price.minor, goods.quantity)?,
            category: goods.category,
            brand: goods.brand,
        };
        Ok((line, price))
    };
    step.lines.iter().map(priced).collect()
}

fn sum(lines: &[Priced]) -> Result<Amount, ErrorReason> {
    let currency = lines.first().map_or("", |(_, price)| price.currency.as_str());
    let minor = lines.iter().try_fold(0_i64, |sum, (line, _)| sum.checked_add(line.amount_left));
    minor.map(|minor| Amount::new(currency, minor)).ok_or(ErrorReason::ValueOutOfRange)
}

/// Orders by id, for looking at.
pub(super) fn by_id(orders: &[Order]) -> BTreeMap<String, &Order> {
    orders.iter().map(|order| (order.id.clone(), order)).collect()
}
