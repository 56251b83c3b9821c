//! A product's timers, all in log time: a sale that starts or ends, a stock nobody speaks of, memories that no longer matter.

use super::orders::MARK_FOR;
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
        self.events.forget(deadline);
        self.requests.forget(deadline);
        self.orders.prune(deadline, MARK_FOR); // some of them; the same deadline is then due again
        self.finish(ctx, key, &change);
        if stale {
            alert::stale(ctx, key, deadline);
        }
    }

    /// The earliest of its timers.
    pub(super) fn deadline(&self) -> Option<Millis> {
        let sale = self.sale.as_ref().and_then(|sale| sale.deadline());
        let forgotten =
            [self.events.forgotten_at(), self.requests.forgotten_at(), self.orders.forgotten_at()];
        [sale, self.stale_at].into_iter().chain(forgotten).flatten().min()
    }
}
