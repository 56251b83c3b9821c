//! Refunds: what is asked back is judged against what is left of the order and of its lines before any of it goes. SEMANTICS.md section 7.

use souk_proto::journal::v1::Stamp;
use souk_proto::v1;

use super::line::Words;
use super::order::{Order, OrderLine};
use super::scribe::Scribe;
use crate::fact::{Detail, Item};
use crate::money::{Currency, Money};
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// A refund found lawful.
#[derive(Debug, Clone)]
pub(super) struct Refund<'a> {
    currency: Currency,
    amount: i64,
    parts: Vec<Part<'a>>,
}

/// What goes back of one product. `line` is its place in the order, where the order's lines are known.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    line: Option<usize>,
    given: &'a v1::Line,
    /// What the record calls it, for an order whose lines are unknown.
    words: Words<'a>,
    quantity: u32,
    amount: i64,
}

impl<'a> Refund<'a> {
    /// Judges a refund of lines and/or an amount; of all that is left when neither is given.
    pub(super) fn of(
        order: &Order,
        lines: &'a [v1::Line],
        total: Option<&v1::Money>,
        stamps: &'a [Stamp],
    ) -> Result<Self, Refusal> {
        let (true, Some(currency)) = (order.is_placed(), order.currency) else {
            return Err(Refusal::new(Reason::OrderUnknown, "order_id", "no such order was placed"));
        };
        let mut parts: Vec<Part<'a>> = Vec::with_capacity(lines.len());
        for (place, given) in lines.iter().enumerate() {
            let stamp = stamps.iter().find(|stamp| stamp.product_id == given.product_id);
            let part = Part {
                words: Words::of_line(given, stamp),
                ..part_of(order, &parts, place, given, currency)?
            };
            parts.push(part);
        }
        let amount = match total {
            Some(total) => {
                let total = Money::read("total", Some(total))?;
                check_currency("total", total.currency, currency)?;
                total.minor
            }
            None if lines.is_empty() => order.left(),
            None => parts.iter().fold(0i64, |sum, part| sum.saturating_add(part.amount)),
        };
        if amount > order.left() {
            return Err(exceeds("total", order.left()));
        }
        Ok(Self { currency, amount, parts })
    }

    /// Gives it back, with its facts. Nothing going back makes no `refund`.
    pub(super) fn apply(&self, order: &mut Order, time: Millis, scribe: &mut Scribe<'_>) {
        order.refunded = order.refunded.saturating_add(self.amount);
        tell_refund(order, self.amount, self.currency, time, scribe);
        for part in &self.parts {
            let (quantity, amount) = (-i64::from(part.quantity), -part.amount);
            if let Some(line) = part.line.and_then(|line| order.lines.get_mut(line)) {
                line.refunded_quantity = line.refunded_quantity.saturating_add(part.quantity);
                line.refunded_amount = line.refunded_amount.saturating_add(part.amount);
                scribe.fact(time, Detail::RefundLine(line.item(quantity, amount, self.currency)));
            } else {
                let money = Some(Money { currency: self.currency, minor: amount });
                let Words { category, brand, .. } = part.words;
                scribe.fact(
                    time,
                    Detail::RefundLine(Item {
                        product: &part.given.product_id,
                        category,
                        brand,
                        quantity,
                        amount: money,
                    }),
                );
            }
        }
        order.changed(scribe.now.log_time);
    }
}

/// Gives back all that is left of a placed order and of its lines: it was cancelled.
pub(super) fn refund_rest(order: &mut Order, time: Millis, scribe: &mut Scribe<'_>) {
    let Some(currency) = order.currency else { return };
    let left = order.left().max(0);
    order.refunded = order.refunded.saturating_add(left);
    tell_refund(order, left, currency, time, scribe);
    for line in &mut order.lines {
        let (quantity, amount) = (line.quantity_left(), line.amount_left().max(0));
        if quantity > 0 || amount > 0 {
            line.refunded_quantity = line.quantity;
            line.refunded_amount = line.refunded_amount.saturating_add(amount);
            scribe.fact(time, Detail::RefundLine(line.item(-i64::from(quantity), -amount, currency)));
        }
    }
    order.changed(scribe.now.log_time);
}

fn tell_refund(order: &Order, amount: i64, currency: Currency, time: Millis, scribe: &mut Scribe<'_>) {
    if amount > 0 {
        let amount = Some(Money { currency, minor: -amount });
        scribe.fact(time, Detail::Refund { order: &order.id, amount });
    }
}

/// Judges one line, with what earlier lines of the same refund already took.
fn part_of<'a>(
    order: &Order,
    before: &[Part<'a>],
    place: usize,
    given: &'a v1::Line,
    currency: Currency,
) -> Result<Part<'a>, Refusal> {
    let field = || format!("lines[{place}]");
    let price = match &given.unit_price {
        Some(price) => Some(Money::read(&format!("{}.unit_price", field()), Some(price))?),
        None => None,
    };
    if let Some(price) = price {
        check_currency(&field(), price.currency, currency)?;
    }
    let asked = given.quantity.map(|quantity| u32::try_from(quantity).unwrap_or(0));
    if order.lines.is_empty() {
        let price = price.ok_or_else(|| {
            Refusal::missing(format!("{}.unit_price", field()), "give the price: the order has no lines")
        })?;
        let quantity = asked.unwrap_or(1);
        let amount = price.minor.saturating_mul(quantity.into());
        return Ok(Part { line: None, given, words: Words::default(), quantity, amount });
    }
    let named = |line: &&(usize, &OrderLine)| *line.1.product == *given.product_id;
    let left = |at: usize, line: &OrderLine| {
        let taken = before.iter().filter(|part| part.line == Some(at));
        taken.fold((line.quantity_left(), line.amount_left()), |(pieces, money), part| {
            (pieces.saturating_sub(part.quantity), money.saturating_sub(part.amount))
        })
    };
    // An order may name a product twice: what comes back is of the first line that has any left.
    let mut lines = order.lines.iter().enumerate().filter(|line| named(&line));
    let Some(first) = lines.next() else { return Err(exceeds(&field(), 0)) };
    let (at, line) =
        std::iter::once(first).chain(lines).find(|(at, line)| left(*at, line).0 > 0).unwrap_or(first);
    let (quantity_left, amount_left) = left(at, line);
    let quantity = asked.unwrap_or(quantity_left);
    let amount = match (price, asked) {
        (None, None) => amount_left,
        (price, _) => price.map_or(line.unit_price, |price| price.minor).saturating_mul(quantity.into()),
    };
    if quantity > quantity_left || amount > amount_left {
        return Err(exceeds(&field(), amount_left));
    }
    Ok(Part { line: Some(at), given, words: Words::default(), quantity, amount })
}

fn check_currency(field: &str, given: Currency, order: Currency) -> Result<(), Refusal> {
    if given == order {
        return Ok(());
    }
    let message = format!("the order is in {}", order.code());
    Err(Refusal::new(Reason::CurrencyMismatch, format!("{field}.currency_code"), message))
}

fn exceeds(field: &str, left: i64) -> Refusal {
    Refusal::new(Reason::RefundExceedsTotal, field, format!("{left} minor units are left"))
}
