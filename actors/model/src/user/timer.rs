//! What time does to a user: sessions end, carts are abandoned, pending orders are given up, and what can no longer matter is forgotten.

use super::scribe::{Scribe, person};
use super::{Rare, User};
use crate::actor::{Context, Deadlines, TimerClock};
use crate::key::ActorKey;
use crate::output::Output;
use crate::time::Millis;

impl User {
    pub(super) fn next_deadlines(&self) -> Deadlines {
        // Asked after every event: no iterators over options here.
        let abandoned = self.cart.as_ref().and_then(|cart| cart.deadline);
        let rare = self.rare.as_deref().and_then(Rare::next_deadline);
        Deadlines {
            watermark: earlier(self.sessions.next_deadline(), abandoned),
            log_time: earlier(self.dedup.forgotten_at(), rare),
        }
    }

    /// Does everything that is due at or before `deadline` on that clock, in order of deadline; a session ends before a cart is
    /// abandoned.
    pub fn fire(&mut self, ctx: &mut Context<'_>, key: &ActorKey, clock: TimerClock, deadline: Millis) {
        match clock {
            TimerClock::Watermark => self.fire_watermark(ctx, key, deadline),
            TimerClock::LogTime => self.fire_log_time(ctx, key, deadline),
        }
        self.shrink();
    }

    fn fire_watermark(&mut self, ctx: &mut Context<'_>, key: &ActorKey, deadline: Millis) {
        let Self { sessions, journey, cart, presence, .. } = self;
        let mut scribe = Scribe {
            now: ctx.now,
            settings: ctx.settings,
            key,
            who: person(key),
            facts: &mut *ctx.facts,
            presence: Some(presence),
            out: &mut *ctx.out,
        };
        let mut cart = cart.as_deref_mut();
        // Ends: each turn disarms one of at most 64 sessions or the cart.
        loop {
            let end = sessions.next_end().filter(|at| *at <= deadline);
            let abandoned = cart.as_ref().and_then(|cart| cart.deadline).filter(|at| *at <= deadline);
            match (end, abandoned) {
                (Some(end), abandoned) if abandoned.is_none_or(|at| end <= at) => {
                    sessions.end_at(end, &mut scribe)
                }
                (_, Some(_)) => {
                    if let Some(cart) = &mut cart {
                        cart.fire(&mut scribe);
                    }
                }
                _ => break,
            }
        }
        presence.prune(ctx.now.high_water);
        sessions.forget(ctx.now.out_of_reach, ctx.settings);
        journey.forget_before(ctx.now.out_of_reach);
    }

    fn fire_log_time(&mut self, ctx: &mut Context<'_>, key: &ActorKey, deadline: Millis) {
        self.dedup.forget(deadline);
        let Some(rare) = &mut self.rare else { return };
        for order in rare.orders.iter_mut().filter(|order| order.deadline.is_some_and(|at| at <= deadline)) {
            order.time_out(ctx.now.log_time);
            order.send_implied(key, ctx.out);
            ctx.out.push(Output::Order { actor: key.clone(), order_id: order.id.to_string(), open: false });
        }
        rare.requests.forget(deadline);
        rare.merges.forget(deadline);
    }
}

impl Rare {
    fn next_deadline(&self) -> Option<Millis> {
        let requests = earlier(self.requests.forgotten_at(), self.merges.next_forgotten());
        earlier(self.orders.next_timeout(), requests)
    }
}

#[inline]
fn earlier(a: Option<Millis>, b: Option<Millis>) -> Option<Millis> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
