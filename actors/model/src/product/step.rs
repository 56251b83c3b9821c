//! A checkout's steps at a product: Reserve, Commit, Release. SEMANTICS.md section 8.
//!
//! The user's side coordinates and re-sends; a step that comes twice, late or out of order is answered as its order stands.

use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::step::Action;

use super::Product;
use super::orders::{Claim, Hold, MARK_FOR, Mark, MarkKind, RESERVE_WITHIN, order_key};
use super::stock::Mode;
use crate::actor::Context;
use crate::journal::Journal;
use crate::key::ActorKey;
use crate::limits::PIECES;
use crate::output::Output;
use crate::planted::Bug;
use crate::record::Step;
use crate::time::{HOUR, MINUTE, Millis};
use crate::verdict::Reason;

/// The answer to a Reserve: `Err` carries why not, and how many pieces were there.
type Answer = Result<(), (Reason, i64)>;

impl Product {
    /// Folds a step of a checkout and answers it to the users journal.
    pub fn step(&mut self, ctx: &mut Context<'_>, key: &ActorKey, step: &Step) {
        let created = step.step.created_ms;
        let change = self.begin(ctx.now.log_time);
        if ctx.planted.has(Bug::HoldExpiresAlone) {
            self.expire_holds(ctx.now.log_time);
        }
        self.orders.prune(ctx.now.log_time, mark_for(ctx));
        let (user, reply) = match &step.step.action {
            Some(Action::Reserve(reserve)) => {
                let answer = self.reserve(ctx, reserve, created);
                (&reserve.user_id, Some(reserved(key, &reserve.order_id, answer)))
            }
            Some(Action::Commit(commit)) => {
                self.commit(ctx.now.log_time, &commit.user_id, &commit.order_id);
                (&commit.user_id, Some(settled(key, &commit.order_id)))
            }
            Some(Action::Release(release)) => {
                let done = self.release(ctx, release, created);
                (&release.user_id, done.then(|| settled(key, &release.order_id)))
            }
            _ => return, // a user's step in the wrong journal: the shard has said so
        };
        self.finish(ctx, key, &change);
        if let Some(action) = reply {
            let shop = step.step.shop.clone();
            let answer =
                journal::Step { shop, actor_id: user.clone(), created_ms: created, action: Some(action) };
            ctx.out.push(Output::Step {
                journal: Journal::Users,
                to: ActorKey::new(&answer.shop, user),
                step: Box::new(answer),
            });
        }
    }

    fn reserve(&mut self, ctx: &Context<'_>, reserve: &journal::Reserve, created: Millis) -> Answer {
        let log_time = ctx.now.log_time;
        let key = order_key(&reserve.user_id, &reserve.order_id);
        let checks_age = !ctx.planted.has(Bug::MarkExpiresWithoutAgeCheck);
        if checks_age && log_time.saturating_sub(created) > RESERVE_WITHIN {
            return Err((Reason::HoldExpired, self.stock.available));
        }
        if self.orders.has_hold(&key) {
            return Ok(());
        }
        match self.orders.mark(&key, log_time, mark_for(ctx)) {
            Some(MarkKind::Committed) => return Ok(()),
            Some(MarkKind::Released) => return Err((Reason::OrderFinal, self.stock.available)),
            Some(MarkKind::Refused { reason, available }) => return Err((reason, available)),
            None => {}
        }
        let quantity = reserve.quantity;
        match self.grant(&reserve.user_id, quantity) {
            Ok(claim) => {
                let sale = self.sale.as_mut().filter(|sale| sale.running()).map(|sale| {
                    sale.take(&reserve.user_id, quantity);
                    sale.id()
                });
                if claim == Claim::Pieces {
                    self.stock.hold(quantity);
                }
                self.orders.put_hold(key, Hold { quantity, created, claim, sale });
                Ok(())
            }
            Err(reason) => {
                let available = self.stock.available;
                // Without room for the mark it is refused all the same: its user cancels the order and releases it.
                if self.orders.room_for_mark() {
                    self.orders
                        .put_mark(key, Mark { created, kind: MarkKind::Refused { reason, available } });
                }
                Err((reason, available))
            }
        }
    }

    /// What a new order may claim, if anything.
    fn grant(&self, user: &str, quantity: i64) -> Result<Claim, Reason> {
        if !self.exists() {
            return Err(Reason::ProductUnknown);
        }
        if !self.orders.room_for_hold() {
            return Err(Reason::TooManyItems);
        }
        let claim = match self.stock.mode {
            Mode::None => Claim::Nothing,
            Mode::Track => Claim::Count,
            Mode::ReserveOnOrder | Mode::ReserveOnCart if quantity > self.stock.available => {
                return Err(Reason::OutOfStock);
            }
            Mode::ReserveOnOrder | Mode::ReserveOnCart => Claim::Pieces,
        };
        match &self.sale {
            Some(sale) if sale.running() => sale.admit(user, quantity).map(|()| claim),
            _ => Ok(claim),
        }
    }

    /// Turns a hold into a sale. An order without one is settled: it was before, or never will be.
    fn commit(&mut self, log_time: Millis, user: &str, order: &str) {
        let key = order_key(user, order);
        let Some(hold) = self.orders.take_hold(&key) else { return };
        match hold.claim {
            Claim::Nothing => {}
            Claim::Count => self.stock.sell_counted(hold.quantity),
            Claim::Pieces => self.stock.sell_held(hold.quantity),
        }
        if let Some(sale) = self.sale.as_mut().filter(|sale| hold.sale == Some(sale.id())) {
            sale.sell(hold.quantity);
            if sale.sold_out() {
                self.sale = None;
            }
        }
        if log_time.saturating_sub(hold.created) <= MARK_FOR {
            self.orders.put_mark(key, Mark { created: hold.created, kind: MarkKind::Committed });
        }
    }

    /// Gives a hold back, or forbids one that has not come yet. Not done, and so not answered, only while there is no room to
    /// remember it: the user asks again.
    fn release(&mut self, ctx: &Context<'_>, release: &journal::Release, created: Millis) -> bool {
        let log_time = ctx.now.log_time;
        let key = order_key(&release.user_id, &release.order_id);
        let created = match self.orders.take_hold(&key) {
            Some(hold) => {
                self.give_back(&release.user_id, &hold);
                hold.created
            }
            None if self.orders.mark(&key, log_time, mark_for(ctx)).is_some() => return true,
            None => created,
        };
        if log_time.saturating_sub(created) > MARK_FOR {
            return true; // a Reserve of it is too old by itself
        }
        if !self.orders.room_for_mark() {
            return false;
        }
        self.orders.put_mark(key, Mark { created, kind: MarkKind::Released });
        true
    }

    fn give_back(&mut self, user: &str, hold: &Hold) {
        self.stock.give_back(hold.pieces());
        if let Some(sale) = self.sale.as_mut().filter(|sale| hold.sale == Some(sale.id())) {
            sale.give_back(user, hold.quantity);
        }
    }

    /// The planted bug: the product takes holds back by itself.
    fn expire_holds(&mut self, log_time: Millis) {
        while let Some(key) = self.orders.older_than(log_time, HOUR) {
            let Some(hold) = self.orders.take_hold(&key) else { return };
            self.give_back(key.split_once('/').map_or("", |(user, _)| user), &hold);
        }
    }
}

/// How long marks are kept.
fn mark_for(ctx: &Context<'_>) -> Millis {
    if ctx.planted.has(Bug::MarkExpiresWithoutAgeCheck) { 5 * MINUTE } else { MARK_FOR }
}

fn reserved(key: &ActorKey, order_id: &str, answer: Answer) -> Action {
    let (reason, available) = answer.err().unwrap_or((Reason::Unspecified, 0));
    Action::Reserved(journal::Reserved {
        order_id: order_id.to_owned(),
        product_id: key.id().to_owned(),
        granted: answer.is_ok(),
        reason: reason.into(),
        // Pieces that came back on top of a full stock are no news to a customer.
        available: available.min(PIECES),
    })
}

fn settled(key: &ActorKey, order_id: &str) -> Action {
    Action::Settled(journal::Settled { order_id: order_id.to_owned(), product_id: key.id().to_owned() })
}
