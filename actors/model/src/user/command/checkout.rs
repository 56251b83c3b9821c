//! Checkout: freezes the cart into a PENDING order and asks the products to hold it.

use souk_proto::journal::v1 as journal;

use super::super::abandonment::Stage;
use super::super::checkout::freeze;
use super::super::{User, rare};
use super::{scribe, with_cart};
use crate::actor::Context;
use crate::key::ActorKey;
use crate::verdict::{Reason, Refusal};

impl User {
    pub(super) fn checkout(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
        checkout: &journal::Checkout,
    ) -> Result<(), Refusal> {
        if checkout.order_id.is_empty() {
            return Err(Refusal::missing("order_id", "choose an id for the order"));
        }
        let (log_time, fold) = (ctx.now.log_time, &ctx.settings.fold);
        let order = with_cart(self.cart(), |cart| freeze(cart, checkout, &command.stamps, fold, log_time))?;
        let orders = &mut rare(&mut self.rare).orders;
        if orders.is_taken(&checkout.order_id) {
            return Err(Refusal::new(
                Reason::OrderFinal,
                "order_id",
                "there is an order with this id: choose another",
            ));
        }
        orders.check_room()?;
        let order = orders.push(order);
        order.send_implied(key, ctx.out);
        scribe(ctx, key, &mut self.presence).order(&checkout.order_id, true);
        self.cart.get_or_insert_default().stage = Stage::Checkout;
        Ok(())
    }
}
