//! The encoding of an order.

use prost::Message;
use souk_proto::v1;

use super::order::{Charge, Hold, Order, OrderLine, State};
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::limits::CART_LINES;
use crate::memory::requests::{put_reason, reason};

const STATES: [State; 6] =
    [State::Known, State::Void, State::Placed, State::Pending, State::Confirmed, State::Cancelled];

const HOLDS: [Hold; 5] = [Hold::None, Hold::Asked, Hold::Granted, Hold::Refused, Hold::Settled];

const ERASED: u8 = 1 << 3;
const DEADLINE: u8 = 1 << 4;
const CHARGE: u8 = 1 << 5;
const PAYMENT: u8 = 1 << 6;
const ADDRESS: u8 = 1 << 7;

impl Order {
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let state = STATES.iter().position(|state| *state == self.state).unwrap_or(0) as u8;
        w.byte(
            state
                | flag(ERASED, self.erased)
                | flag(DEADLINE, self.deadline.is_some())
                | flag(CHARGE, self.charge.is_some())
                | flag(PAYMENT, self.payment.is_some())
                | flag(ADDRESS, self.address.is_some()),
        );
        w.word(&self.id);
        w.uint(self.version);
        w.time(self.created);
        w.time(self.updated);
        if let Some(deadline) = self.deadline {
            w.span(deadline.wrapping_sub(self.created));
        }
        let (currency, total) = (u8::from(self.currency.is_some()), u8::from(self.total.is_some()));
        w.byte(currency | total << 1 | u8::from(self.checkout_started) << 2);
        if let Some(currency) = self.currency {
            w.currency(currency);
        }
        if let Some(total) = self.total {
            w.int(total);
        }
        w.int(self.refunded);
        if let Some(charge) = &self.charge {
            w.int(charge.subtotal);
            w.int(charge.tax);
            w.int(charge.shipping);
        }
        if let Some(payment) = &self.payment {
            w.bytes(&payment.encode_to_vec());
        }
        if let Some(address) = &self.address {
            w.bytes(&address.encode_to_vec());
        }
        w.word(&self.cancel_reason);
        w.count(self.lines.len());
        for line in &self.lines {
            line.encode(w);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let flags = r.byte()?;
        let Some(state) = STATES.get(usize::from(flags & 7)) else {
            return Err(damaged("an order of no known state"));
        };
        let id = r.word()?;
        let version = r.uint()?;
        let created = r.time()?;
        let mut order = Self::new(id, *state, created);
        order.version = version;
        order.erased = flags & ERASED != 0;
        order.updated = r.time()?;
        if flags & DEADLINE != 0 {
            order.deadline = Some(created.wrapping_add(r.span()?));
        }
        let amounts = r.byte()?;
        order.currency = if amounts & 1 != 0 { Some(r.currency()?) } else { None };
        order.total = if amounts & 2 != 0 { Some(r.int()?) } else { None };
        order.checkout_started = amounts & 4 != 0;
        order.refunded = r.int()?;
        if flags & CHARGE != 0 {
            order.charge = Some(Charge { subtotal: r.int()?, tax: r.int()?, shipping: r.int()? });
        }
        if flags & PAYMENT != 0 {
            let Ok(payment) = v1::Payment::decode(r.bytes()?) else { return Err(damaged("a payment")) };
            order.payment = Some(payment);
        }
        if flags & ADDRESS != 0 {
            let Ok(address) = v1::Address::decode(r.bytes()?) else { return Err(damaged("an address")) };
            order.address = Some(address);
        }
        order.cancel_reason = r.word()?.into();
        order.lines = (0..r.count(CART_LINES)?).map(|_| OrderLine::decode(r)).collect::<Result<_, _>>()?;
        if order.deadline.is_some() != (order.state == State::Pending) {
            return Err(damaged("an order with the wrong deadline"));
        }
        Ok(order)
    }
}

impl OrderLine {
    fn encode(&self, w: &mut Writer<'_>) {
        w.word(&self.product);
        w.word(&self.title);
        w.word(&self.category);
        w.word(&self.brand);
        w.uint(self.quantity.into());
        w.int(self.unit_price);
        w.uint(self.refunded_quantity.into());
        w.int(self.refunded_amount);
        let hold = HOLDS.iter().position(|hold| *hold == self.hold).unwrap_or(0) as u8;
        let (priced, known) = (u8::from(self.cart_price.is_some()), u8::from(self.available.is_some()));
        w.byte(hold | priced << 4 | known << 5);
        put_reason(w, self.reason);
        if let Some(price) = self.cart_price {
            w.int(price);
        }
        if let Some(available) = self.available {
            w.int(available);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let (product, title, category, brand) =
            (r.word()?.into(), r.word()?.into(), r.word()?.into(), r.word()?.into());
        let (quantity, unit_price) = (r.uint32()?, r.int()?);
        let (refunded_quantity, refunded_amount) = (r.uint32()?, r.int()?);
        let flags = r.byte()?;
        let Some(hold) = HOLDS.get(usize::from(flags & 15)).copied() else {
            return Err(damaged("a hold of no known kind"));
        };
        let reason = reason(r)?;
        let cart_price = if flags & 16 != 0 { Some(r.int()?) } else { None };
        let available = if flags & 32 != 0 { Some(r.int()?) } else { None };
        Ok(Self {
            product,
            title,
            category,
            brand,
            quantity,
            unit_price,
            cart_price,
            refunded_quantity,
            refunded_amount,
            hold,
            reason,
            available,
        })
    }
}
