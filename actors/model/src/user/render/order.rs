//! An order as readers see it. A reported order that was placed shows as CONFIRMED, one called off before that as CANCELLED, one only heard
//! of as PENDING: it is not final.

use souk_proto::v1;

use super::user_name;
use crate::key::ActorKey;
use crate::money::{Currency, Money};
use crate::time::to_timestamp;
use crate::user::{Order, OrderLine, State};
use crate::verdict::Reason;

impl Order {
    pub fn to_proto(&self, key: &ActorKey) -> v1::Order {
        let money = |minor| self.currency.map(|currency| Money { currency, minor }.to_proto());
        let lines = (!self.lines.is_empty())
            .then(|| self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount())));
        let subtotal = self.charge.map(|charge| charge.subtotal).or(lines);
        v1::Order {
            name: format!("{}/orders/{}", user_name(key), self.id),
            version: i64::try_from(self.version).unwrap_or(i64::MAX),
            state: state_to_proto(self.state).into(),
            lines: self.lines.iter().map(|line| line.to_proto(self.currency)).collect(),
            subtotal: subtotal.and_then(money),
            tax: self.charge.and_then(|charge| money(charge.tax)),
            shipping: self.charge.and_then(|charge| money(charge.shipping)),
            total: self.total.and_then(money),
            refunded: (self.refunded != 0).then(|| money(self.refunded)).flatten(),
            refund_due: self.refund_due(),
            shipping_address: self.address.clone(),
            payment: self.payment.clone(),
            cancel_reason: self.cancel_reason.to_string(),
            create_time: Some(to_timestamp(self.created)),
            update_time: Some(to_timestamp(self.updated)),
        }
    }

    /// What was paid for an order that will not be, and did not go back.
    fn refund_due(&self) -> Option<v1::Money> {
        let payment =
            self.payment.as_ref().filter(|_| matches!(self.state, State::Void | State::Cancelled))?;
        let paid = payment.amount.as_ref().filter(|_| payment.state() == v1::payment::State::Succeeded)?;
        let due = paid.minor_units?.saturating_sub(self.refunded);
        (due > 0).then(|| v1::Money { minor_units: Some(due), ..paid.clone() })
    }
}

impl OrderLine {
    fn to_proto(&self, currency: Option<Currency>) -> v1::OrderLine {
        let money = |minor| currency.map(|currency| Money { currency, minor }.to_proto());
        v1::OrderLine {
            product: format!("products/{}", self.product),
            title: self.title.to_string(),
            quantity: Some(i32::try_from(self.quantity).unwrap_or(i32::MAX)),
            unit_price: money(self.unit_price),
            cart_price: self.cart_price.and_then(money),
            subtotal: money(self.amount()),
            reason: match self.reason {
                Reason::Unspecified => String::new(),
                reason => reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned(),
            },
            available: self.available,
        }
    }
}

fn state_to_proto(state: State) -> v1::order::State {
    match state {
        State::Known | State::Pending => v1::order::State::Pending,
        State::Placed | State::Confirmed => v1::order::State::Confirmed,
        State::Void | State::Cancelled => v1::order::State::Cancelled,
    }
}
