//! The encoding of a cart and of the carts abandoned before it.

use super::abandonment::{AbandonedCart, Fate, Stage};
use super::cart::Cart;
use super::line::Line;
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::limits::{ABANDONED_CARTS, CART_LINES};

const COMMANDED: u8 = 1;
const CHECKOUT: u8 = 1 << 1;
const LATEST_ADD: u8 = 1 << 2;
const DEADLINE: u8 = 1 << 3;
const OPEN: u8 = 1 << 4;
const ABANDONED: u8 = 1 << 5;
const ONE_LINE: u8 = 1 << 6;
const CURRENCY: u8 = 1 << 7;

impl Cart {
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        w.byte(
            flag(COMMANDED, self.commanded)
                | flag(CHECKOUT, self.stage == Stage::Checkout)
                | flag(LATEST_ADD, self.latest_add.is_some())
                | flag(DEADLINE, self.deadline.is_some())
                | flag(OPEN, self.open)
                | flag(ABANDONED, !self.abandoned.is_empty())
                | flag(ONE_LINE, self.lines.len() == 1)
                | flag(CURRENCY, self.currency.is_some()),
        );
        w.uint(self.version);
        if let Some(currency) = self.currency {
            w.currency(currency);
        }
        if self.lines.len() != 1 {
            w.count(self.lines.len());
        }
        encode_lines(&self.lines, w);
        if let Some(latest) = self.latest_add {
            w.time(latest);
        }
        if let Some(deadline) = self.deadline {
            w.span(deadline.wrapping_sub(self.latest_add.unwrap_or(0)));
        }
        w.time(self.update_time);
        if !self.abandoned.is_empty() {
            w.count(self.abandoned.len());
            for abandoned in &self.abandoned {
                self.encode_abandoned(abandoned, w);
            }
        }
    }

    /// A cart that was left behind is mostly still there as it was: then its lines are not written twice.
    fn encode_abandoned(&self, abandoned: &AbandonedCart, w: &mut Writer<'_>) {
        let same = abandoned.lines == self.lines && Some(abandoned.currency) == self.currency;
        let fate = match &abandoned.fate {
            Fate::Open => 0,
            Fate::Recovered(_) => 1,
            Fate::Restored => 2,
        };
        w.byte(fate << 2 | u8::from(abandoned.stage == Stage::Checkout) << 1 | u8::from(same));
        w.time(abandoned.deadline);
        if let Fate::Recovered(order) = &abandoned.fate {
            w.word(order);
        }
        if !same {
            w.currency(abandoned.currency);
            w.count(abandoned.lines.len());
            encode_lines(&abandoned.lines, w);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let flags = r.byte()?;
        let has = |bit: u8| flags & bit != 0;
        let mut cart = Self {
            commanded: has(COMMANDED),
            stage: stage(has(CHECKOUT)),
            open: has(OPEN),
            ..Self::default()
        };
        cart.version = r.uint()?;
        cart.currency = if has(CURRENCY) { Some(r.currency()?) } else { None };
        let count = if has(ONE_LINE) { 1 } else { r.count(CART_LINES)? };
        cart.lines = decode_lines(count, r)?;
        if has(LATEST_ADD) {
            cart.latest_add = Some(r.time()?);
        }
        if has(DEADLINE) {
            cart.deadline = Some(cart.latest_add.unwrap_or(0).wrapping_add(r.span()?));
        }
        cart.update_time = r.time()?;
        let count = if has(ABANDONED) { r.count(ABANDONED_CARTS)? } else { 0 };
        for _ in 0..count {
            let abandoned = cart.decode_abandoned(r)?;
            cart.abandoned.push(abandoned);
        }
        if cart.open && cart.abandoned.is_empty() || cart.currency.is_none() && !cart.lines.is_empty() {
            return Err(damaged("a cart that cannot be"));
        }
        Ok(cart)
    }

    fn decode_abandoned(&self, r: &mut Reader<'_>) -> Result<AbandonedCart, StateError> {
        let flags = r.byte()?;
        let deadline = r.time()?;
        let fate = match flags >> 2 {
            0 => Fate::Open,
            1 => Fate::Recovered(r.word()?.into()),
            2 => Fate::Restored,
            _ => return Err(damaged("an abandoned cart of no known fate")),
        };
        let (currency, lines) = match (flags & 1, self.currency) {
            (1, Some(currency)) => (currency, self.lines.clone()),
            (1, None) => return Err(damaged("an abandoned cart of no currency")),
            _ => {
                let currency = r.currency()?;
                let count = r.count(CART_LINES)?;
                (currency, decode_lines(count, r)?)
            }
        };
        Ok(AbandonedCart { deadline, stage: stage(flags & 2 != 0), currency, lines, fate })
    }
}

fn stage(checkout: bool) -> Stage {
    if checkout { Stage::Checkout } else { Stage::Cart }
}

pub(super) fn encode_lines(lines: &[Line], w: &mut Writer<'_>) {
    for line in lines {
        line.encode(w);
    }
}

/// Lines are kept by product: anything else was not written by us.
pub(super) fn decode_lines(count: usize, r: &mut Reader<'_>) -> Result<Vec<Line>, StateError> {
    let lines = (0..count).map(|_| Line::decode(r)).collect::<Result<Vec<_>, _>>()?;
    match lines.is_sorted_by(|a, b| a.product < b.product) {
        true => Ok(lines),
        false => Err(damaged("lines out of order")),
    }
}
