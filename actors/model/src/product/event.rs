//! Reported changes of a product, by the systems that own them: product_step and stock_step. SEMANTICS.md section 13.

use souk_proto::v1::event::Kind;
use souk_proto::v1::stock_step::Change as Reported;

use super::Product;
use super::patch::Draft;
use super::stock::StockChange;
use crate::actor::Context;
use crate::key::ActorKey;
use crate::record::Event;
use crate::verdict::{Reason, Refusal, Verdict};

impl Product {
    /// Folds an event of this product. The shard has looked at its time.
    pub fn event(&mut self, ctx: &mut Context<'_>, event: &Event) -> Verdict {
        let log_time = ctx.now.log_time;
        if self.events.knows(event.fingerprint, log_time) {
            return Verdict::Duplicate;
        }
        match self.report(ctx, event) {
            Ok(()) => {
                self.events.remember(event.fingerprint, log_time);
                Verdict::Counted
            }
            Err(refusal) => Verdict::Rejected(refusal),
        }
    }

    fn report(&mut self, ctx: &mut Context<'_>, event: &Event) -> Result<(), Refusal> {
        match &event.event.kind {
            Some(Kind::ProductStep(step)) => {
                let path = "product_step.product";
                let message =
                    step.product.as_ref().ok_or_else(|| Refusal::missing(path, "give the product"))?;
                let draft = Draft::new(self, message, step.update_mask.as_ref(), path, ctx.now.log_time)?;
                self.describe(ctx, &event.key, draft);
                Ok(())
            }
            Some(Kind::StockStep(step)) => {
                let (field, change) = match step.change {
                    Some(Reported::Delta(delta)) => ("stock_step.delta", StockChange::Delta(delta)),
                    Some(Reported::Level(level)) => ("stock_step.level", StockChange::Level(level)),
                    None => return Err(Refusal::missing("stock_step.change", "give a delta or a level")),
                };
                self.update_stock(ctx, &event.key, field, change)
            }
            _ => Err(Refusal::new(Reason::FieldInvalid, "kind", "products take product_step and stock_step")),
        }
    }

    /// Makes the product as drafted; it exists from then on.
    pub(super) fn describe(&mut self, ctx: &mut Context<'_>, key: &ActorKey, draft: Draft) {
        let mut change = self.begin(ctx.now.log_time);
        let stale_after = ctx.settings.fold.stale_stock_after;
        let described = self.adopt(draft, ctx.now.offset, ctx.now.log_time, stale_after);
        change.described = described || !self.exists();
        self.finish(ctx, key, &change);
    }

    /// Takes news of the stock; of an unknown product it is the first, and creates it.
    pub(super) fn update_stock(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        field: &str,
        news: StockChange,
    ) -> Result<(), Refusal> {
        let change = self.begin(ctx.now.log_time);
        self.stock.update(field, news)?;
        self.stale_at = Some(ctx.now.log_time.saturating_add(ctx.settings.fold.stale_stock_after));
        self.finish(ctx, key, &change);
        Ok(())
    }
}
