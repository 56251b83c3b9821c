//! Checkout as the user coordinates it: asks the products to hold the lines, and whatever they answer reaches CONFIRMED or CANCELLED.
//! Which steps are due follows from the order alone, so they can be sent again at any time. SEMANTICS.md sections 7 and 8.

use souk_proto::journal::v1::{self as journal, Stamp, step::Action};

use super::cart::Cart;
use super::line::{Line, Words, or, stamped_price};
use super::order::{Charge, Hold, Order, OrderLine, State};
use super::scribe::send;
use crate::journal::Journal;
use crate::key::ActorKey;
use crate::money::{Currency, Money};
use crate::output::Outputs;
use crate::settings::FoldSettings;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// A hundred per cent.
const BASIS_POINTS: i64 = 10_000;

/// Freezes the cart into a PENDING order: every line at its stamp's price, else at the cart's.
pub(super) fn freeze(
    cart: &Cart,
    checkout: &journal::Checkout,
    stamps: &[Stamp],
    fold: &FoldSettings,
    log_time: Millis,
) -> Result<Order, Refusal> {
    let Some(currency) = cart.currency.filter(|_| !cart.lines.is_empty()) else {
        return Err(Refusal::new(Reason::CartEmpty, "", "put something into the cart first"));
    };
    let lines =
        cart.lines.iter().map(|line| freeze_line(line, stamps, currency)).collect::<Result<Vec<_>, _>>()?;
    let charge = charge(&lines, currency, fold);
    let mut order = Order::new(&checkout.order_id, State::Pending, log_time);
    order.deadline = Some(log_time.saturating_add(fold.order_timeout));
    order.currency = Some(currency);
    order.total = Some(charge.subtotal.saturating_add(charge.tax).saturating_add(charge.shipping));
    order.charge = Some(charge);
    order.lines = lines;
    order.address = checkout.shipping_address.clone();
    if !checkout.payment_method.is_empty() {
        order.payment =
            Some(souk_proto::v1::Payment { method: checkout.payment_method.clone(), ..Default::default() });
    }
    Ok(order)
}

fn freeze_line(line: &Line, stamps: &[Stamp], currency: Currency) -> Result<OrderLine, Refusal> {
    let stamp = stamps.iter().find(|stamp| *stamp.product_id == *line.product);
    let unit_price = match stamped_price(stamp) {
        Some(price) if price.currency == currency => price.minor,
        Some(_) => {
            return Err(Refusal::new(
                Reason::CurrencyMismatch,
                "",
                "a product is now priced in another currency",
            ));
        }
        None => line.unit_price,
    };
    let words = Words::of_stamp(stamp);
    Ok(OrderLine {
        product: line.product.clone(),
        title: or(&line.title, words.title).into(),
        category: or(&line.category, words.category).into(),
        brand: or(&line.brand, words.brand).into(),
        quantity: line.quantity,
        unit_price,
        cart_price: (unit_price != line.unit_price).then_some(line.unit_price),
        refunded_quantity: 0,
        refunded_amount: 0,
        hold: Hold::Asked,
        reason: Reason::Unspecified,
        available: None,
    })
}

/// Tax on the subtotal rounded half up, and shipping where it is set in the order's currency.
fn charge(lines: &[OrderLine], currency: Currency, fold: &FoldSettings) -> Charge {
    let subtotal = lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.amount()));
    let tax = (i128::from(subtotal) * i128::from(fold.tax_basis_points) + i128::from(BASIS_POINTS / 2))
        .div_euclid(BASIS_POINTS.into());
    let Money { currency: shipped_in, minor } = fold.shipping;
    Charge {
        subtotal,
        tax: i64::try_from(tax).unwrap_or(i64::MAX),
        shipping: if shipped_in == currency { minor } else { 0 },
    }
}

impl Order {
    /// A product answered. True when that confirms the order: every line is granted.
    pub(super) fn answered(&mut self, reserved: &journal::Reserved, log_time: Millis) -> bool {
        let pending = self.state == State::Pending;
        let asked = |line: &&mut OrderLine| *line.product == *reserved.product_id && line.hold == Hold::Asked;
        let Some(line) = self.lines.iter_mut().find(asked) else { return false };
        if reserved.granted {
            line.hold = Hold::Granted;
        } else {
            line.hold = Hold::Refused;
            line.reason = Reason::try_from(reserved.reason).unwrap_or(Reason::OutOfStock);
            line.available = Some(reserved.available);
            if pending {
                let reason = line.reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned();
                self.cancel(&reason, log_time);
                return false;
            }
        }
        if pending && self.lines.iter().all(|line| line.hold == Hold::Granted) {
            self.state = State::Confirmed;
            self.deadline = None;
        }
        self.changed(log_time);
        self.state == State::Confirmed
    }

    /// A PENDING order will not be: what is held or may be is released.
    pub(super) fn cancel(&mut self, reason: &str, log_time: Millis) {
        self.state = State::Cancelled;
        self.deadline = None;
        self.cancel_reason = reason.into();
        self.changed(log_time);
    }

    /// It was PENDING for too long.
    pub(super) fn time_out(&mut self, log_time: Millis) {
        for line in self.lines.iter_mut().filter(|line| line.hold == Hold::Asked) {
            line.reason = Reason::HoldExpired;
        }
        self.cancel("HOLD_EXPIRED", log_time);
    }

    /// A product did what the final state asks of it.
    pub(super) fn settled(&mut self, product: &str) {
        if self.state != State::Pending
            && let Some(line) =
                self.lines.iter_mut().find(|line| *line.product == *product && !line.is_settled())
        {
            line.hold = Hold::Settled;
        }
    }

    /// Sends every step the order implies: asks, commits or releases whatever is not answered.
    pub(super) fn send_implied(&self, key: &ActorKey, out: &mut Outputs) {
        for line in &self.lines {
            let (user_id, order_id, quantity) =
                (key.id().to_owned(), self.id.to_string(), line.quantity.into());
            let action = match (self.state, line.hold) {
                (State::Pending, Hold::Asked) => {
                    Action::Reserve(journal::Reserve { user_id, order_id, quantity })
                }
                (State::Confirmed, Hold::Granted) => {
                    Action::Commit(journal::Commit { user_id, order_id, quantity })
                }
                (State::Cancelled, Hold::Asked | Hold::Granted) => {
                    Action::Release(journal::Release { user_id, order_id })
                }
                _ => continue,
            };
            send(out, key, (Journal::Products, &line.product), self.created, action);
        }
    }
}
