//! A product's timers, all in log time: a sale that starts or ends, a stock nobody speaks of. SEMANTICS.md section 12.

use super::{Product, alert};
use crate::actor::{Context, TimerClock};
use crate::key::ActorKey;
use crate::time::Millis;

impl Product {
    /// Lets everything due at `deadline` happen. A product has no timers on the watermark.
    pub fn fire(&mut self, ctx: &mut Context<'_>, key: &ActorKey, clock: TimerClock, deadline: Millis) {
        if clock == TimerClock::Watermark {
            return;
        }
        let change = self.begin(deadline);
        let mut ended = false;
        if let Some(sale) = &mut self.sale
            && sale.deadline().is_some_and(|due| due <= deadline)
        {
            ended = sale.running;
            sale.running = true;
        }
        if ended {
            self.sale = None;
        }
        let stale = self.stale_at.take_if(|due| *due <= deadline).is_some();
        self.finish(ctx, key, &change);
        if stale {
            alert::stale(ctx, key, deadline);
        }
    }

    /// The earliest of its timers.
    pub(super) fn deadline(&self) -> Option<Millis> {
        let sale = self.sale.as_ref().and_then(|sale| sale.deadline());
        [sale, self.stale_at].into_iter().flatten().min()
    }
}
