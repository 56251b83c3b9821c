//! Orders of one actor (section 7): reports about them, and what money goes back.

use std::collections::{BTreeMap, BTreeSet};

use souk_proto::v1::order_step::Stage;
use souk_proto::v1::payment::State as PaymentState;
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
    /// Id and state of the payment heard of last.
    pub(super) payment: Option<(String, PaymentState)>,
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
            version: 1,
            payment: None,
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

    /// A payment was reported; of a pending order that changes nothing.
    fn pay(&mut self, state: PaymentState) {
        if self.state == OrderState::Pending {
            return;
        }
        let id = self.payment.take().map_or_else(String::new, |(id, _)| id);
        self.payment = Some((id, state));
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
        self.version += 1;
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
        self.version += 1;
        self.left -= minor;
        self.give_back(minor, scene);
        for back in &moved {
            scene.line_fact(back);
        }
        Ok(())
    }

    /// One line of a refund, negative, with what it does not say taken from the order.
    fn line_back(&self, line: &Line, currency: &str, scene: &Scene<'_>) -> Result<Moved, ErrorReason> {
        let known = self.taken_from(&line.product_id).map(|place| &self.lines[place]);
        let price = match line.unit_price.as_ref().and_then(amount) {
            Some(price) if price.currency != currency => return Err(ErrorReason::CurrencyMismatch),
            Some(price) => Some(price.minor),
            None => None,
        };
        let asked = line.quantity.map(i64::from);
        let (quantity, minor) = match known {
            Some(known) if asked.is_none() && price.is_none() => (known.left, known.amount_left),
            Some(known) => {
                let quantity = asked.unwrap_or(known.left);
                (quantity, times(price.unwrap_or(known.price), quantity)?)
            }
            None if !self.lines.is_empty() => return Err(ErrorReason::RefundExceedsTotal),
            None => {
                let quantity = asked.unwrap_or(1);
                (quantity, times(price.ok_or(ErrorReason::FieldMissing)?, quantity)?)
            }
        };
        let goods = scene.goods(line, quantity);
        let (category, brand) = known
            .map_or((goods.category, goods.brand), |known| (known.category.clone(), known.brand.clone()));
        Ok(Moved {
            kind: "refund_line",
            product: line.product_id.clone(),
            quantity: -quantity,
            amount: Amount::new(currency, -minor),
            category,
            brand,
        })
    }

    /// The line a refund of this product takes from: the first with pieces left, else the first.
    fn taken_from(&self, product: &str) -> Option<usize> {
        let place = |from: &dyn Fn(&OrderLine) -> bool| self.lines.iter().position(from);
        place(&|line| line.product == product && line.left > 0)
            .or_else(|| place(&|line| line.product == product))
    }

    /// Takes a refund off its line.
    fn take_off(&mut self, back: &Moved) -> Result<(), ErrorReason> {
        let place = self.taken_from(&back.product).ok_or(ErrorReason::RefundExceedsTotal)?;
        let line = &mut self.lines[place];
        if -back.quantity > line.left || -back.amount.minor > line.amount_left {
            return Err(ErrorReason::RefundExceedsTotal);
        }
        line.left += back.quantity;
        line.amount_left += back.amount.minor;
        Ok(())
    }
}

impl Person {
    /// The order of this id, known from now on; the oldest gives way.
    pub(super) fn order(&mut self, id: &str) -> &mut Order {
        let place = self.orders.iter().position(|order| order.id == id && !order.bare).unwrap_or_else(|| {
            if self.orders.len() >= KNOWN {
                self.orders.remove(0);
            }
            self.orders.push(Order::new(id));
            self.orders.len() - 1
        });
        &mut self.orders[place]
    }

    /// This person's order of this id; what is kept of one erased is nobody's.
    pub(super) fn own_order(&self, id: &str) -> Option<&Order> {
        self.orders.iter().find(|order| order.id == id && !order.bare)
    }

    pub(super) fn own_order_mut(&mut self, id: &str) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.id == id && !order.bare)
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
                let order = self.own_order_mut(id).filter(|order| order.state == OrderState::Confirmed);
                let order = order.ok_or(ErrorReason::OrderUnknown)?;
                order.refund(&step.lines, step.total.as_ref(), scene)
            }
            Stage::PaymentStarted => {
                self.order(id).pay(PaymentState::Started);
                Ok(())
            }
            Stage::PaymentFailed => {
                self.order(id).pay(PaymentState::Failed);
                Ok(())
            }
            Stage::Unspecified => Ok(()),
        }
    }

    fn checkout_started(
        &mut self,
        step: &OrderStep,
        id: &str,
        scene: &mut Scene<'_>,
    ) -> Result<(), ErrorReason> {
        let is_first = !self.own_order(id).is_some_and(|order| order.checkout_started);
        let total = if is_first { asked(step, scene)? } else { None };
        let order = self.order(id);
        if is_first {
            order.checkout_started = true;
            order.version += 1;
            let fact = order.amount_fact("checkout_started", total, scene);
            scene.facts.push(fact);
        }
        if !self.cart.commanded {
            self.cart.at_checkout = true;
        }
        Ok(())
    }

    fn placed(&mut self, step: &OrderStep, id: &str, scene: &mut Scene<'_>) -> Result<(), ErrorReason> {
        let known = self.own_order(id).map_or(OrderState::Known, |order| order.state);
        if known != OrderState::Known {
            if step.stage() == Stage::Paid {
                self.order(id).pay(PaymentState::Succeeded);
            }
            return Ok(());
        }
        let total = asked(step, scene)?;
        let lines = lines_of(step, scene)?;
        let total = match total {
            Some(total) => total,
            None if lines.is_empty() => return Err(ErrorReason::FieldMissing),
            None => sum(&lines)?,
        };
        let order = self.order(id);
        if step.stage() == Stage::Paid {
            order.pay(PaymentState::Succeeded);
        }
        order.lines = lines.into_iter().map(|(line, _)| line).collect();
        order.left = total.minor;
        order.total = Some(total);
        self.confirm(id, false, scene);
        Ok(())
    }

    /// The order counts as placed: its facts, then the abandonment's rule and the emptied cart.
    pub(super) fn confirm(&mut self, id: &str, bare: bool, scene: &mut Scene<'_>) {
        let ending = |order: &&mut Order| order.id == id && order.bare == bare;
        let Some(order) = self.orders.iter_mut().find(ending) else { return };
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

/// What a report says the order comes to; none where it has no total and not every line a price.
fn asked(step: &OrderStep, scene: &Scene<'_>) -> Result<Option<Amount>, ErrorReason> {
    let one = |line: &Line| scene.goods(line, 1).price.map(|price| price.currency);
    let mut currencies: BTreeSet<_> = step.lines.iter().filter_map(one).collect();
    let total = step.total.as_ref().and_then(amount);
    currencies.extend(total.iter().map(|total| total.currency.clone()));
    if currencies.len() > 1 {
        return Err(ErrorReason::CurrencyMismatch);
    }
    match (total, lines_of(step, scene)) {
        (Some(total), _) => Ok(Some(total)),
        (None, Ok(lines)) if !lines.is_empty() => sum(&lines).map(Some),
        _ => Ok(None),
    }
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
