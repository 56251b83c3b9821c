//! A cart as readers see it.

use souk_proto::v1;

use super::user_name;
use crate::key::ActorKey;
use crate::money::{Currency, Money};
use crate::time::to_timestamp;
use crate::user::{Cart, Line, User};

impl User {
    /// The cart; an empty one where nothing was ever done to it.
    pub fn cart_to_proto(&self, key: &ActorKey) -> v1::Cart {
        let name = format!("{}/cart", user_name(key));
        let Some(cart) = self.cart() else {
            let state = v1::cart::State::Active.into();
            return v1::Cart { name, state, quantity: Some(0), ..v1::Cart::default() };
        };
        let item = |line: &Line| {
            let item_name = format!("{name}/items/{}", line.product);
            cart.currency.map(|currency| v1::CartItem { name: item_name, ..line.to_proto(currency) })
        };
        let abandoned = abandoned_at(cart);
        let state = if abandoned.is_some() { v1::cart::State::Abandoned } else { v1::cart::State::Active };
        let pieces = cart.lines.iter().fold(0_u32, |sum, line| sum.saturating_add(line.quantity));
        v1::Cart {
            version: i64::try_from(cart.version).unwrap_or(i64::MAX),
            items: cart.lines.iter().filter_map(item).collect(),
            quantity: Some(i32::try_from(pieces).unwrap_or(i32::MAX)),
            subtotal: cart.value().map(Money::to_proto),
            update_time: (cart.version > 0).then(|| to_timestamp(cart.update_time)),
            state: state.into(),
            abandon_time: abandoned.or(cart.deadline).map(to_timestamp),
            name,
        }
    }
}

/// When it was abandoned, if nobody shops on: an add after that arms it anew, and then somebody does.
fn abandoned_at(cart: &Cart) -> Option<crate::time::Millis> {
    let newest = cart.abandoned.last().filter(|_| cart.open && cart.deadline.is_none());
    newest.map(|abandoned| abandoned.deadline)
}

impl Line {
    /// The line, outside of any cart.
    pub(super) fn to_proto(&self, currency: Currency) -> v1::CartItem {
        let money = |minor| Some(Money { currency, minor }.to_proto());
        v1::CartItem {
            name: String::new(),
            product: format!("products/{}", self.product),
            title: self.title.to_string(),
            quantity: Some(i32::try_from(self.quantity).unwrap_or(i32::MAX)),
            unit_price: money(self.unit_price),
            subtotal: money(self.amount(self.quantity)),
            add_time: Some(to_timestamp(self.add_time)),
            hold_expire_time: None,
        }
    }
}
