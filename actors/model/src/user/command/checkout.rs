//! Checkout: freezes the cart into a PENDING order and asks the products to hold it.

use souk_proto::journal::v1 as journal;

use super::super::abandonment::Stage;
use super::super::checkout::freeze;
use super::super::order::State;
use super::super::scribe::scribe;
use super::super::{User, rare};
use super::with_cart;
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
        if self.was_asked_before(&checkout.order_id)? {
            return Ok(());
        }
        self.check_thawed()?;
        let (log_time, fold) = (ctx.now.log_time, &ctx.settings.fold);
        let order = with_cart(self.cart(), |cart| freeze(cart, checkout, &command.stamps, fold, log_time))?;
        let order = rare(&mut self.rare).orders.open(order)?;
        order.send_implied(key, ctx.out);
        scribe(ctx, key, &self.sessions, &mut self.presence).order(&checkout.order_id, true);
        self.cart.get_or_insert_default().stage = Stage::Checkout;
        Ok(())
    }

    /// Whether this very checkout was asked for: then it stands. Reports of an order do not hinder it until they placed or cancelled it.
    fn was_asked_before(&self, id: &str) -> Result<bool, Refusal> {
        let taken =
            || Refusal::new(Reason::OrderFinal, "order_id", "there is an order with this id: choose another");
        match self.order(id) {
            Some(order) if order.is_commanded() => Ok(true),
            Some(order) if order.state != State::Known => Err(taken()),
            _ if self.rare.as_ref().is_some_and(|rare| rare.orders.is_kept(id)) => Err(taken()),
            _ => Ok(false),
        }
    }
}
