//! AddCartItem, UpdateCartItem, RemoveCartItem, ClearCart: the same changes as reported steps make, at log time.

use souk_proto::journal::v1::{self as journal, Stamp, command::Action};

use super::super::User;
use super::super::cart::{Cart, Change};
use super::super::event::quantity_change;
use super::super::line::{Addition, Words, price_missing, stamped_price};
use super::super::scribe::scribe;
use super::with_cart;
use crate::actor::Context;
use crate::key::ActorKey;
use crate::limits::LINE_QUANTITY;
use crate::money::Money;
use crate::verdict::{Reason, Refusal};

impl User {
    pub(super) fn change_cart(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
        action: &Action,
    ) -> Result<(), Refusal> {
        let change = with_cart(self.cart.as_deref(), |cart| change(cart, command, action))?;
        let mut scribe = scribe(ctx, key, &self.sessions, &mut self.presence);
        self.cart.get_or_insert_default().apply(&change, scribe.now.log_time, &mut scribe);
        Ok(())
    }
}

fn change<'a>(cart: &Cart, command: &'a journal::Command, action: &'a Action) -> Result<Change<'a>, Refusal> {
    let change = match action {
        Action::AddCartItem(add) => {
            Change::Add(addition(command, &add.product_id, pieces(add.quantity.unwrap_or(1))?)?)
        }
        Action::UpdateCartItem(update) => {
            let wanted = update
                .quantity
                .ok_or_else(|| Refusal::missing("quantity", "say how many; 0 removes the line"))?;
            set_quantity(cart, command, &update.product_id, pieces(wanted)?)?
        }
        Action::RemoveCartItem(remove) => Change::Take { product: &remove.product_id, quantity: u32::MAX },
        Action::ClearCart(_) => Change::Clear,
        _ => Change::Nothing,
    };
    if let Change::Add(addition) = &change {
        cart.check_add(addition)?;
    }
    Ok(change)
}

/// Of a product in the cart only the quantity changes; of another it is an add.
fn set_quantity<'a>(
    cart: &Cart,
    command: &'a journal::Command,
    product: &'a str,
    wanted: u32,
) -> Result<Change<'a>, Refusal> {
    let (Some(known), Some(currency)) = (cart.line(product), cart.currency) else {
        return if wanted == 0 {
            Ok(Change::Nothing)
        } else {
            Ok(Change::Add(addition(command, product, wanted)?))
        };
    };
    Ok(quantity_change(known.quantity, wanted, product, |quantity| Addition {
        product,
        quantity,
        price: Money { currency, minor: known.unit_price },
        words: Words::of_stamp(stamp(command, product)),
    }))
}

fn addition<'a>(
    command: &'a journal::Command,
    product: &'a str,
    quantity: u32,
) -> Result<Addition<'a>, Refusal> {
    let unknown =
        || Refusal::new(Reason::ProductUnknown, "product_id", "the catalogue knows no such product");
    let stamp = stamp(command, product).ok_or_else(unknown)?;
    let price = stamped_price(Some(stamp)).ok_or_else(|| price_missing("product"))?;
    Ok(Addition { product, quantity, price, words: Words::of_stamp(Some(stamp)) })
}

fn stamp<'a>(command: &'a journal::Command, product: &str) -> Option<&'a Stamp> {
    command.stamps.iter().find(|stamp| stamp.product_id == product)
}

fn pieces(quantity: i32) -> Result<u32, Refusal> {
    u32::try_from(quantity).ok().filter(|quantity| i64::from(*quantity) <= LINE_QUANTITY).ok_or_else(|| {
        Refusal::new(
            Reason::ValueOutOfRange,
            "quantity",
            format!("a line holds at most {LINE_QUANTITY} pieces"),
        )
    })
}
