//! A reported step of a cart, judged against the cart as it stands. SEMANTICS.md section 5.

use souk_proto::v1::{self, cart_step::Action};

use super::super::cart::{Cart, Change};
use super::super::line::{Addition, Words, price_missing, price_of, quantity_of};
use crate::money::Money;
use crate::record;
use crate::verdict::Refusal;

/// The change the step makes. A cart that commands move is not moved by reports, nor are they judged by its rules.
pub(super) fn plan<'a>(
    cart: Option<&Cart>,
    event: &'a record::Event,
    step: &'a v1::CartStep,
) -> Result<Change<'a>, Refusal> {
    if cart.is_some_and(|cart| cart.commanded) {
        return Ok(Change::Nothing);
    }
    match step.action() {
        Action::Add => {
            let addition = addition(event, line_of(step)?)?;
            check_add(cart, &addition)?;
            Ok(Change::Add(addition))
        }
        Action::SetQuantity => set_quantity(cart, event, line_of(step)?),
        Action::Remove => {
            let line = line_of(step)?;
            let quantity = if line.quantity.is_some() { quantity_of(line) } else { u32::MAX };
            Ok(Change::Take { product: &line.product_id, quantity })
        }
        Action::Clear => Ok(Change::Clear),
        Action::View | Action::Unspecified => Ok(Change::Nothing),
    }
}

fn line_of(step: &v1::CartStep) -> Result<&v1::Line, Refusal> {
    step.line.as_ref().ok_or_else(|| Refusal::missing("cart_step.line", "name the product"))
}

fn addition<'a>(event: &'a record::Event, line: &'a v1::Line) -> Result<Addition<'a>, Refusal> {
    let stamp = event.stamp(&line.product_id);
    let price = price_of(line, stamp).map_err(|refusal| refusal.under("cart_step.line"))?;
    let price = price.ok_or_else(|| price_missing("cart_step.line"))?;
    Ok(Addition {
        product: &line.product_id,
        quantity: quantity_of(line),
        price,
        words: Words::of_line(line, stamp),
    })
}

fn check_add(cart: Option<&Cart>, addition: &Addition<'_>) -> Result<(), Refusal> {
    match cart {
        Some(cart) => cart.check_add(addition),
        None => Cart::default().check_add(addition),
    }
}

/// Of a product in the cart only the quantity changes; of another it is an add.
fn set_quantity<'a>(
    cart: Option<&Cart>,
    event: &'a record::Event,
    line: &'a v1::Line,
) -> Result<Change<'a>, Refusal> {
    let wanted = quantity_of(line);
    let known = cart.and_then(|cart| Some((cart.line(&line.product_id)?, cart.currency?)));
    let Some((known, currency)) = known else {
        let addition = addition(event, line)?;
        check_add(cart, &addition)?;
        return Ok(Change::Add(addition));
    };
    Ok(quantity_change(known.quantity, wanted, &line.product_id, |quantity| Addition {
        product: &line.product_id,
        quantity,
        price: Money { currency, minor: known.unit_price },
        words: Words::of_line(line, event.stamp(&line.product_id)),
    }))
}

/// From so many pieces to so many.
pub(in super::super) fn quantity_change<'a>(
    from: u32,
    to: u32,
    product: &'a str,
    add: impl FnOnce(u32) -> Addition<'a>,
) -> Change<'a> {
    match to.checked_sub(from) {
        Some(0) => Change::Nothing,
        Some(more) => Change::Add(add(more)),
        None => Change::Take { product, quantity: from - to },
    }
}
