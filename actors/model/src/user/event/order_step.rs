//! A reported step of an order: judged whole, then done. An order counts once, whoever reports it and how often. SEMANTICS.md section 7.

use souk_proto::v1::{self, order_step::Stage as Reported, payment};

use super::super::abandonment::Stage;
use super::super::cart::Cart;
use super::super::line::{Words, price_missing, price_of, quantity_of};
use super::super::order::{Hold, Order, OrderLine, State};
use super::super::orders::Orders;
use super::super::refund::{Refund, refund_rest};
use super::super::scribe::Scribe;
use crate::fact::Detail;
use crate::money::{Currency, Money};
use crate::record;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// A step found lawful.
pub(super) struct OrderPlan<'a> {
    id: &'a str,
    step: &'a v1::OrderStep,
    lines: Vec<OrderLine>,
    /// The total, else the sum of the lines; none where neither is known.
    amount: Option<Money>,
    refund: Option<Refund<'a>>,
}

/// The order a step is about: without an id it has the event's.
pub(super) fn order_id<'a>(step: &'a v1::OrderStep, event: &'a record::Event) -> &'a str {
    if step.order_id.is_empty() { &event.event.event_id } else { &step.order_id }
}

impl<'a> OrderPlan<'a> {
    pub(super) fn of(
        orders: Option<&Orders>,
        event: &'a record::Event,
        step: &'a v1::OrderStep,
    ) -> Result<Self, Refusal> {
        let id = order_id(step, event);
        let known = orders.and_then(|orders| orders.get(id));
        let mut plan = Self { id, step, lines: Vec::new(), amount: None, refund: None };
        if step.stage() == Reported::Refunded {
            let unknown =
                || Refusal::new(Reason::OrderUnknown, "order_step.order_id", "no such order was placed");
            let order = known.ok_or_else(unknown)?;
            plan.refund = Some(Refund::of(order, &step.lines, step.total.as_ref(), &event.stamps)?);
            return Ok(plan);
        }
        if is_judged(step.stage(), known) {
            let (lines, priced) = read_lines(event, step)?;
            plan.amount = amount_of(step, &lines, priced)?;
            plan.lines = lines;
        }
        if places(step.stage(), known) {
            if plan.amount.is_none() && step.lines.is_empty() {
                return Err(Refusal::missing("order_step.total", "give the lines or the total"));
            }
            if plan.lines.len() != step.lines.len() {
                return Err(price_missing("order_step.lines"));
            }
        }
        if known.is_none()
            && let Some(orders) = orders
        {
            orders.check_room()?;
        }
        Ok(plan)
    }

    pub(super) fn apply(
        self,
        cart: &mut Option<Box<Cart>>,
        orders: &mut Orders,
        time: Millis,
        scribe: &mut Scribe<'_>,
    ) {
        let log_time = scribe.now.log_time;
        let is_new = orders.get(self.id).is_none();
        let order = match is_new {
            true => orders.push(Order::new(self.id, State::Known, log_time)),
            false => match orders.get_mut(self.id) {
                Some(order) => order,
                None => return,
            },
        };
        match self.step.stage() {
            Reported::CheckoutStarted => self.checkout_started(order, cart, time, scribe),
            Reported::PaymentStarted => self.paying(order, payment::State::Started, log_time),
            Reported::PaymentFailed => self.paying(order, payment::State::Failed, log_time),
            Reported::Paid => {
                self.paying(order, payment::State::Succeeded, log_time);
                self.placed(order, cart, time, scribe);
            }
            Reported::Placed => self.placed(order, cart, time, scribe),
            Reported::Cancelled => cancelled(order, time, scribe),
            Reported::Refunded => {
                if let Some(refund) = &self.refund {
                    refund.apply(order, time, scribe);
                }
            }
            Reported::Unspecified => {}
        }
    }

    fn checkout_started(
        &self,
        order: &mut Order,
        cart: &mut Option<Box<Cart>>,
        time: Millis,
        scribe: &mut Scribe<'_>,
    ) {
        if !order.checkout_started {
            order.checkout_started = true;
            order.changed(scribe.now.log_time);
            scribe.fact(time, Detail::CheckoutStarted { order: &order.id, amount: self.amount });
        }
        if cart.as_ref().is_none_or(|cart| !cart.commanded) {
            cart.get_or_insert_default().stage = Stage::Checkout;
        }
    }

    /// A payment as reported; a pending order is its commands' alone.
    fn paying(&self, order: &mut Order, state: payment::State, log_time: Millis) {
        if order.state == State::Pending {
            return;
        }
        let paid = order.payment.get_or_insert_default();
        paid.set_state(state);
        if !self.step.payment_method.is_empty() {
            paid.method.clone_from(&self.step.payment_method);
        }
        if let Some(total) = &self.step.total {
            paid.amount = Some(total.clone());
        }
        order.changed(log_time);
    }

    /// The first report that an order was placed places it.
    fn placed(self, order: &mut Order, cart: &mut Option<Box<Cart>>, time: Millis, scribe: &mut Scribe<'_>) {
        if order.state != State::Known {
            return;
        }
        order.state = State::Placed;
        order.currency = self.amount.map(|amount| amount.currency);
        order.total = self.amount.map(|amount| amount.minor);
        order.lines = self.lines;
        order.changed(scribe.now.log_time);
        order.tell_placed(time, scribe);
        if let Some(cart) = cart {
            cart.ordered(&order.id, time, scribe);
        }
    }
}

/// Whether the report is the one that places the order.
fn places(stage: Reported, known: Option<&Order>) -> bool {
    matches!(stage, Reported::Placed | Reported::Paid)
        && known.is_none_or(|order| order.state == State::Known)
}

/// Whether the report's lines and total are looked at.
fn is_judged(stage: Reported, known: Option<&Order>) -> bool {
    let starts = stage == Reported::CheckoutStarted && known.is_none_or(|order| !order.checkout_started);
    starts || places(stage, known)
}

/// What was placed goes back; what was not will not be. An order that commands move is left to them until it is placed.
fn cancelled(order: &mut Order, time: Millis, scribe: &mut Scribe<'_>) {
    if order.is_placed() {
        refund_rest(order, time, scribe);
    } else if order.state == State::Known {
        order.state = State::Void;
        order.changed(scribe.now.log_time);
    }
}

/// The lines that have a price, and the currency they share.
fn read_lines(
    event: &record::Event,
    step: &v1::OrderStep,
) -> Result<(Vec<OrderLine>, Option<Currency>), Refusal> {
    let mut lines = Vec::with_capacity(step.lines.len());
    let mut currency: Option<Currency> = None;
    for (place, line) in step.lines.iter().enumerate() {
        let stamp = event.stamp(&line.product_id);
        let price =
            price_of(line, stamp).map_err(|refusal| refusal.under(&format!("order_step.lines[{place}]")))?;
        let Some(price) = price else { continue };
        if *currency.get_or_insert(price.currency) != price.currency {
            return Err(currencies());
        }
        let words = Words::of_line(line, stamp);
        lines.push(OrderLine {
            product: line.product_id.as_str().into(),
            title: words.title.into(),
            category: words.category.into(),
            brand: words.brand.into(),
            quantity: quantity_of(line),
            unit_price: price.minor,
            cart_price: None,
            refunded_quantity: 0,
            refunded_amount: 0,
            hold: Hold::None,
            reason: Reason::Unspecified,
            available: None,
        });
    }
    Ok((lines, currency))
}

fn amount_of(
    step: &v1::OrderStep,
    lines: &[OrderLine],
    currency: Option<Currency>,
) -> Result<Option<Money>, Refusal> {
    if let Some(total) = &step.total {
        let total = Money::read("order_step.total", Some(total))?;
        return if currency.is_none_or(|currency| currency == total.currency) {
            Ok(Some(total))
        } else {
            Err(currencies())
        };
    }
    if lines.len() != step.lines.len() {
        return Ok(None);
    }
    let minor = lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.amount()));
    Ok(currency.map(|currency| Money { currency, minor }))
}

fn currencies() -> Refusal {
    Refusal::new(Reason::CurrencyMismatch, "order_step", "an order has one currency")
}
