//! RecordPayment, CancelOrder, RefundOrder: what is done to an order once it is there.

use souk_proto::journal::v1 as journal;
use souk_proto::v1::payment;

use super::super::User;
use super::super::order::State;
use super::super::refund::{Refund, refund_rest};
use super::super::scribe::scribe;
use crate::actor::Context;
use crate::key::ActorKey;
use crate::money::Money;
use crate::verdict::{Reason, Refusal};

impl User {
    /// Notes what the payment provider said. Of a cancelled order too: what was paid for it must be given back.
    pub(super) fn record_payment(
        &mut self,
        ctx: &mut Context<'_>,
        command: &journal::Command,
        record: &journal::RecordPayment,
    ) -> Result<(), Refusal> {
        let order = self.order_mut(command, &record.order_id)?;
        let said = record
            .payment
            .as_ref()
            .ok_or_else(|| Refusal::missing("payment", "say what became of the payment"))?;
        let mismatch = |message: &'static str| Refusal::new(Reason::PaymentMismatch, "payment", message);
        if said.amount.is_some() {
            let amount = Money::read("payment.amount", said.amount.as_ref())?;
            if order.total_money().is_some_and(|total| total != amount) {
                return Err(mismatch("the amount is not the order's total"));
            }
        }
        let other = order.payment.as_ref().is_some_and(|known| {
            !known.payment_id.is_empty()
                && known.payment_id != said.payment_id
                && known.state() != payment::State::Failed
        });
        if other {
            return Err(mismatch("another payment was recorded for this order"));
        }
        order.payment = Some(said.clone());
        order.changed(ctx.now.log_time);
        Ok(())
    }

    pub(super) fn cancel_order(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
        cancel: &journal::CancelOrder,
    ) -> Result<(), Refusal> {
        self.order_mut(command, &cancel.order_id)?;
        let Self { rare: Some(rare), sessions, presence, .. } = self else { return Ok(()) };
        let Some(order) = rare.orders.get_mut(&cancel.order_id) else { return Ok(()) };
        let mut scribe = scribe(ctx, key, sessions, presence);
        let log_time = scribe.now.log_time;
        match order.state {
            State::Pending => {
                order.cancel(&cancel.reason, log_time);
                order.send_implied(key, scribe.out);
                scribe.order(&order.id, false);
            }
            State::Confirmed | State::Placed => {
                refund_rest(order, log_time, &mut scribe);
                order.cancel_reason = cancel.reason.as_str().into();
            }
            State::Known => {
                order.state = State::Void;
                order.cancel_reason = cancel.reason.as_str().into();
                order.changed(log_time);
            }
            State::Cancelled | State::Void => {
                return Err(Refusal::new(Reason::OrderFinal, "order_id", "it is cancelled"));
            }
        }
        Ok(())
    }

    pub(super) fn refund_order(
        &mut self,
        ctx: &mut Context<'_>,
        key: &ActorKey,
        command: &journal::Command,
        refund: &journal::RefundOrder,
    ) -> Result<(), Refusal> {
        self.order_mut(command, &refund.order_id)?;
        let Self { rare: Some(rare), sessions, presence, .. } = self else { return Ok(()) };
        let Some(order) = rare.orders.get_mut(&refund.order_id) else { return Ok(()) };
        let lawful = Refund::of(order, &refund.lines, refund.amount.as_ref(), &command.stamps)?;
        let mut scribe = scribe(ctx, key, sessions, presence);
        lawful.apply(order, scribe.now.log_time, &mut scribe);
        Ok(())
    }
}
