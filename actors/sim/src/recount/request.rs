//! What a command or a saga's step shows wrong by itself (section 2): it is then a dead letter and changes nothing.

use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::step::Action as StepAction;
use souk_proto::journal::v1::{Command, Step, adjust_stock};
use souk_proto::v1::ErrorReason;
use souk_proto::v1::payment::State as PaymentState;

use super::validate::{Check, LINES, id, line, named, positive, text, within};

const PIECES: i64 = 1_000;

pub(super) fn command(command: &Command) -> Check {
    named(&command.shop)?;
    named(&command.actor_id)?;
    id(&command.request_id)?;
    match command.action.as_ref().ok_or(ErrorReason::FieldMissing)? {
        Action::AddCartItem(add) => {
            named(&add.product_id)?;
            within(add.quantity.unwrap_or(1), 1, PIECES)
        }
        Action::UpdateCartItem(update) => {
            named(&update.product_id)?;
            within(update.quantity.ok_or(ErrorReason::FieldMissing)?, 0, PIECES)
        }
        Action::RemoveCartItem(remove) => named(&remove.product_id),
        Action::MergeCarts(merge) => match merge.source_user_id.strip_prefix("guest:") {
            _ if merge.source_user_id.is_empty() => Err(ErrorReason::FieldMissing),
            Some(session) => named(session),
            None => Err(ErrorReason::FieldInvalid),
        },
        Action::RestoreCart(restore) => named(&restore.recovery_token),
        Action::Checkout(checkout) => {
            named(&checkout.order_id)?;
            text(&checkout.payment_method)
        }
        Action::RecordPayment(record) => {
            named(&record.order_id)?;
            let payment = record.payment.as_ref().ok_or(ErrorReason::FieldMissing)?;
            if payment.state() == PaymentState::Unspecified {
                return Err(ErrorReason::FieldMissing);
            }
            named(&payment.payment_id)?;
            payment.amount.as_ref().map_or(Ok(()), positive)
        }
        Action::CancelOrder(cancel) => named(&cancel.order_id),
        Action::RefundOrder(refund) => {
            named(&refund.order_id)?;
            if refund.lines.len() > LINES {
                return Err(ErrorReason::TooManyItems);
            }
            refund.lines.iter().try_for_each(line)?;
            refund.amount.as_ref().map_or(Ok(()), positive)
        }
        Action::UpsertProduct(upsert) => {
            let product = upsert.product.as_ref().ok_or(ErrorReason::FieldMissing)?;
            product.price.as_ref().map_or(Ok(()), positive)?;
            let level = product.stock.as_ref().and_then(|stock| stock.available);
            within(level.unwrap_or(0), 0, i64::MAX)
        }
        Action::SetPrice(set) => positive(set.price.as_ref().ok_or(ErrorReason::FieldMissing)?),
        Action::AdjustStock(adjust) => match adjust.change.ok_or(ErrorReason::FieldMissing)? {
            adjust_stock::Change::Level(level) => within(level, 0, i64::MAX),
            adjust_stock::Change::Delta(_) => Ok(()),
        },
        Action::StartSale(sale) => {
            positive(sale.price.as_ref().ok_or(ErrorReason::FieldMissing)?)?;
            let end = sale.end_time.ok_or(ErrorReason::FieldMissing)?;
            match sale.start_time {
                Some(start) if (end.seconds, end.nanos) <= (start.seconds, start.nanos) => {
                    Err(ErrorReason::ValueOutOfRange)
                }
                _ => Ok(()),
            }
        }
        Action::AcknowledgeAlert(acknowledge) => text(&acknowledge.alert_id),
        Action::ClearCart(_) | Action::EraseUser(_) | Action::EndSale(_) => Ok(()),
    }
}

/// Whether a command is for the products journal.
pub(super) fn is_for_product(action: &Action) -> bool {
    matches!(
        action,
        Action::UpsertProduct(_)
            | Action::SetPrice(_)
            | Action::AdjustStock(_)
            | Action::StartSale(_)
            | Action::EndSale(_)
            | Action::AcknowledgeAlert(_)
    )
}

pub(super) fn step(step: &Step) -> Check {
    named(&step.shop)?;
    named(&step.actor_id)?;
    match step.action.as_ref().ok_or(ErrorReason::FieldMissing)? {
        StepAction::Reserve(reserve) => within(reserve.quantity, 1, PIECES),
        StepAction::Commit(commit) => within(commit.quantity, 1, PIECES),
        _ => Ok(()),
    }
}
