//! Saga steps that reach a user: products' answers to a checkout, and both sides of a cart merge. Repeats change nothing.

use souk_proto::journal::v1::{self as journal, step::Action};

use super::line::Line;
use super::merge::{Gift, TAKEN_WITHIN};
use super::scribe::{scribe, send};
use super::{User, rare};
use crate::actor::Context;
use crate::journal::Journal;
use crate::key::ActorKey;
use crate::limits::MERGES;
use crate::output::Output;
use crate::record;

impl User {
    /// Folds a step for this actor. Steps for products that were sent here change nothing.
    pub fn step(&mut self, ctx: &mut Context<'_>, key: &ActorKey, step: &record::Step) {
        let created = step.step.created_ms;
        match &step.step.action {
            Some(Action::Reserved(reserved)) => self.reserved(ctx, key, reserved),
            Some(Action::Settled(settled)) => self.settled(settled),
            Some(Action::CartTake(take)) => self.cart_take(ctx, key, take, created),
            Some(Action::CartGiven(given)) => self.cart_given(ctx, key, given, created),
            Some(Action::CartTaken(taken)) => self.cart_taken(ctx, taken),
            Some(Action::Reserve(_) | Action::Commit(_) | Action::Release(_)) | None => {}
        }
        self.shrink();
    }

    fn reserved(&mut self, ctx: &mut Context<'_>, key: &ActorKey, reserved: &journal::Reserved) {
        let log_time = ctx.now.log_time;
        let Self { rare: Some(rare), sessions, cart, presence, .. } = self else { return };
        let Some(order) = rare.orders.of_saga(&reserved.order_id) else { return };
        let was_pending = order.deadline.is_some();
        let confirmed = order.answered(reserved, log_time);
        if was_pending && order.deadline.is_none() {
            if confirmed && !order.erased {
                let mut scribe = scribe(ctx, key, sessions, presence);
                order.tell_placed(log_time, &mut scribe);
                if let Some(cart) = cart {
                    cart.ordered(&order.id, log_time, &mut scribe);
                }
            }
            order.send_implied(key, ctx.out);
            ctx.out.push(Output::Order {
                actor: key.clone(),
                order_id: reserved.order_id.clone(),
                open: false,
            });
        }
        rare.orders.forget_erased();
    }

    fn settled(&mut self, settled: &journal::Settled) {
        let Some(rare) = &mut self.rare else { return };
        if let Some(order) = rare.orders.of_saga(&settled.order_id) {
            order.settled(&settled.product_id);
            rare.orders.forget_erased();
        }
    }

    /// As a guest: hands the cart over, the same again to who asks again. Too late, nothing. With an order pending or too many merges on record it does
    /// not answer: an empty answer it could not remember might be followed by a full one nobody waits for.
    fn cart_take(&mut self, ctx: &mut Context<'_>, key: &ActorKey, take: &journal::CartTake, created: i64) {
        let frozen = self.has_pending_order();
        let Self { rare: few, sessions, cart, presence, .. } = self;
        if let Some(gift) = few.as_mut().and_then(|rare| rare.merges.gift(&take.user_id, take.merge_id)) {
            gift.give(key, ctx.out);
            return;
        }
        let nothing = Gift {
            user: take.user_id.as_str().into(),
            merge_id: take.merge_id,
            created,
            arrived: false,
            currency: None,
            lines: Vec::new(),
        };
        if ctx.now.log_time.saturating_sub(created) > TAKEN_WITHIN {
            nothing.give(key, ctx.out);
            return;
        }
        let merges = &mut rare(few).merges;
        if frozen || merges.given.len() >= MERGES {
            return;
        }
        let mut gift = nothing;
        if let Some(cart) = cart.as_mut().filter(|cart| !cart.lines.is_empty()) {
            gift.currency = cart.currency;
            gift.lines = cart.empty(&scribe(ctx, key, sessions, presence));
        }
        gift.give(key, ctx.out);
        merges.given.push(gift);
    }

    /// As the user: takes the lines in, once, and tells the guest. A merge it does not wait for has arrived before, or never will.
    fn cart_given(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        given: &journal::CartGiven,
        created: i64,
    ) {
        if self.has_pending_order() {
            return; // the guest keeps the lines and is asked again
        }
        let Self { rare, sessions, cart, presence, .. } = self;
        if let Some(merge) =
            rare.as_mut().and_then(|rare| rare.merges.take_asked(given.merge_id, &given.guest_id))
        {
            let lines: Vec<_> = given.lines.iter().filter_map(Line::arrived).collect();
            if !lines.is_empty() {
                cart.get_or_insert_default().merge(
                    lines,
                    merge.policy,
                    &scribe(ctx, key, sessions, presence),
                );
            }
        }
        let taken = journal::CartTaken { user_id: key.id().to_owned(), merge_id: given.merge_id };
        send(ctx.out, key, (Journal::Users, &given.guest_id), created, Action::CartTaken(taken));
    }

    /// As a guest: the lines are the user's now; what stays is the mark that they were given.
    fn cart_taken(&mut self, ctx: &mut Context<'_>, taken: &journal::CartTaken) {
        let Some(rare) = &mut self.rare else { return };
        if let Some(gift) = rare.merges.gift(&taken.user_id, taken.merge_id) {
            gift.arrived = true;
            gift.currency = None;
            gift.lines = Vec::new();
            rare.merges.forget(ctx.now.log_time);
        }
    }
}
