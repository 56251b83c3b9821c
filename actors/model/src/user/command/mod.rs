//! Commands to a user: remembered by request id, checked against the version they were meant for, decided whole or refused whole.

mod cart;
mod checkout;
mod merge;
mod order;
mod restore;

use souk_proto::journal::v1::{self as journal, command::Action};

use super::{Cart, Order, User, rare};
use crate::actor::Context;
use crate::key::ActorKey;
use crate::output::Outcome;
use crate::planted::Bug;
use crate::record;
use crate::verdict::{Reason, Refusal};

impl User {
    /// Decides a command. One without a request id is not remembered.
    pub fn command(&mut self, ctx: &mut Context<'_>, key: &ActorKey, command: &record::Command) -> Outcome {
        let journal::Command { request_id, body_hash, .. } = &command.command;
        let (id, log_time) = (request_id.as_str(), ctx.now.log_time);
        let known = self.rare.as_ref().filter(|_| !id.is_empty());
        if let Some(outcome) = known.and_then(|rare| rare.requests.recall(id, *body_hash, log_time)) {
            return outcome;
        }
        let outcome = match self.decide(ctx, key, &command.command) {
            Ok(()) => Outcome::Done,
            Err(refusal) => Outcome::Refused(refusal),
        };
        if !id.is_empty() && !ctx.planted.has(Bug::RequestMemoryLost) {
            rare(&mut self.rare).requests.remember(id, *body_hash, log_time, outcome.clone());
        }
        self.shrink();
        outcome
    }

    fn decide(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
    ) -> Result<(), Refusal> {
        let Some(action) = &command.action else { return Err(Refusal::missing("action", "say what to do")) };
        match action {
            Action::AddCartItem(_)
            | Action::UpdateCartItem(_)
            | Action::RemoveCartItem(_)
            | Action::ClearCart(_)
            | Action::MergeCarts(_)
            | Action::RestoreCart(_)
            | Action::Checkout(_) => {
                check_version(command, self.cart().map_or(0, |cart| cart.version))?;
                self.decide_cart(ctx, key, command, action)
            }
            Action::RecordPayment(payment) => self.record_payment(ctx, command, payment),
            Action::CancelOrder(cancel) => self.cancel_order(ctx, key, command, cancel),
            Action::RefundOrder(refund) => self.refund_order(ctx, key, command, refund),
            // The shard erases: a user cannot know it was.
            Action::EraseUser(_) => Ok(()),
            // The shard has refused what is asked of a product.
            Action::UpsertProduct(_)
            | Action::SetPrice(_)
            | Action::AdjustStock(_)
            | Action::StartSale(_)
            | Action::EndSale(_)
            | Action::AcknowledgeAlert(_) => {
                Err(Refusal::new(Reason::KeyPartitionMismatch, "action", "this is asked of a product"))
            }
        }
    }

    fn decide_cart(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
        action: &Action,
    ) -> Result<(), Refusal> {
        if !matches!(action, Action::Checkout(_)) {
            self.check_thawed()?;
        }
        match action {
            Action::MergeCarts(merge) => self.merge_carts(ctx, key, merge)?,
            Action::RestoreCart(restore) => self.restore_cart(ctx, key, restore)?,
            Action::Checkout(checkout) => self.checkout(ctx, key, command, checkout)?,
            _ => self.change_cart(ctx, key, command, action)?,
        }
        self.cart.get_or_insert_default().commanded = true;
        Ok(())
    }

    /// While an order is pending its cart is frozen: what is in it is being ordered.
    fn check_thawed(&self) -> Result<(), Refusal> {
        if self.has_pending_order() {
            let message = "an order of this cart is pending: wait until it is final";
            return Err(Refusal::new(Reason::CheckoutPending, "", message));
        }
        Ok(())
    }

    fn order_mut(&mut self, command: &journal::Command, id: &str) -> Result<&mut Order, Refusal> {
        let order = self.rare.as_mut().and_then(|rare| rare.orders.get_mut(id));
        check_version(command, order.as_ref().map_or(0, |order| order.version))?;
        order.ok_or_else(|| Refusal::new(Reason::OrderUnknown, "order_id", "the user has no such order"))
    }
}

fn check_version(command: &journal::Command, version: u64) -> Result<(), Refusal> {
    match command.if_version {
        Some(wanted) if u64::try_from(wanted) != Ok(version) => {
            Err(Refusal::new(Reason::VersionMismatch, "if_version", format!("the version is {version}")))
        }
        _ => Ok(()),
    }
}

/// The cart to judge a command by: an untouched one is empty.
fn with_cart<T>(cart: Option<&Cart>, judge: impl FnOnce(&Cart) -> T) -> T {
    match cart {
        Some(cart) => judge(cart),
        None => judge(&Cart::default()),
    }
}
