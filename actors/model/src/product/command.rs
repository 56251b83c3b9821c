//! Commands to a product: decided once per request id. SEMANTICS.md section 13.

use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::adjust_stock::Change as Asked;
use souk_proto::journal::v1::command::Action;

use super::Product;
use super::patch::{Draft, SaleWish, same_currency};
use super::sale::{Sale, Terms};
use super::stock::StockChange;
use crate::actor::Context;
use crate::key::ActorKey;
use crate::money::Money;
use crate::output::Outcome;
use crate::record::Command;
use crate::time::{Millis, from_timestamp};
use crate::verdict::{Reason, Refusal};

impl Product {
    /// Decides a command, or recalls what was decided. AcknowledgeAlert is the shard's.
    pub fn command(&mut self, ctx: &mut Context<'_>, key: &ActorKey, command: &Command) -> Outcome {
        let journal::Command { request_id, body_hash, .. } = &command.command;
        let log_time = ctx.now.log_time;
        if let Some(outcome) = self.requests.recall(request_id, *body_hash, log_time) {
            return outcome;
        }
        let outcome = match self.decide(ctx, key, &command.command) {
            Ok(()) => Outcome::Done,
            Err(refusal) => Outcome::Refused(refusal),
        };
        self.requests.remember(request_id, *body_hash, log_time, outcome.clone());
        outcome
    }

    fn decide(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
    ) -> Result<(), Refusal> {
        if command.if_version.is_some_and(|version| version != self.version) {
            let message = format!("it has version {}", self.version);
            return Err(Refusal::new(Reason::VersionMismatch, "if_version", message));
        }
        match &command.action {
            Some(Action::UpsertProduct(upsert)) => {
                let message =
                    upsert.product.as_ref().ok_or_else(|| Refusal::missing("product", "give the product"))?;
                let draft =
                    Draft::new(self, message, upsert.update_mask.as_ref(), "product", ctx.now.log_time)?;
                self.describe(ctx, key, draft);
                Ok(())
            }
            Some(Action::SetPrice(set)) => self.set_price(ctx, key, set),
            Some(Action::AdjustStock(adjust)) => self.adjust_stock(ctx, key, adjust),
            Some(Action::StartSale(start)) => self.start_sale(ctx, key, start),
            Some(Action::EndSale(_)) => self.end_sale(ctx, key),
            _ => Err(Refusal::new(Reason::FieldInvalid, "action", "no product takes this command")),
        }
    }

    fn set_price(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        set: &journal::SetPrice,
    ) -> Result<(), Refusal> {
        self.must_exist(key)?;
        let price = Money::read("price", set.price.as_ref())?;
        same_currency(Some(price), self.sale.as_ref().map(|sale| sale.terms().price), "price")?;
        let change = self.begin(ctx.now.log_time);
        self.price = Some(price);
        self.finish(ctx, key, &change);
        Ok(())
    }

    fn adjust_stock(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        adjust: &journal::AdjustStock,
    ) -> Result<(), Refusal> {
        self.must_exist(key)?;
        match adjust.change {
            Some(Asked::Delta(delta)) => self.update_stock(ctx, key, "delta", StockChange::Delta(delta)),
            Some(Asked::Level(level)) => self.update_stock(ctx, key, "level", StockChange::Level(level)),
            None => Err(Refusal::missing("change", "give a delta or a level")),
        }
    }

    fn start_sale(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        start: &journal::StartSale,
    ) -> Result<(), Refusal> {
        self.must_exist(key)?;
        let log_time = ctx.now.log_time;
        let terms = Terms {
            price: Money::read("sale.price", start.price.as_ref())?,
            start: start.start_time.as_ref().map_or(log_time, from_timestamp),
            end: start.end_time.as_ref().map(from_timestamp),
            quantity: start.quantity,
            per_user: start.per_user.map(i64::from),
        };
        terms.check("sale.", log_time)?;
        same_currency(self.price, Some(terms.price), "sale.price")?;
        let change = self.begin(log_time);
        self.change_sale(SaleWish::Start(terms), ctx.now.offset, log_time);
        self.finish(ctx, key, &change);
        Ok(())
    }

    fn end_sale(&mut self, ctx: &mut Context<'_>, key: &ActorKey) -> Result<(), Refusal> {
        self.must_exist(key)?;
        if self.sale.is_none() {
            return Err(Refusal::new(Reason::SaleNotRunning, "", "there is no sale to end"));
        }
        let change = self.begin(ctx.now.log_time);
        self.change_sale(SaleWish::End, ctx.now.offset, ctx.now.log_time);
        self.finish(ctx, key, &change);
        Ok(())
    }

    /// A new sale takes the place of the one before; pieces held in that one stay held, at its price.
    pub(super) fn change_sale(&mut self, wish: SaleWish, offset: u64, log_time: Millis) {
        match wish {
            SaleWish::Keep => {}
            SaleWish::End => self.sale = None,
            SaleWish::Start(terms) => self.sale = Some(Sale::announce(offset, terms, log_time)),
        }
    }

    fn must_exist(&self, key: &ActorKey) -> Result<(), Refusal> {
        if self.exists() {
            return Ok(());
        }
        let message = format!("create products/{} with UpsertProduct first", key.id());
        Err(Refusal::new(Reason::ProductUnknown, "name", message))
    }
}
