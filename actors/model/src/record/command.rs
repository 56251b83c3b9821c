//! Commands: what is asked of one actor. What its state makes of it is the fold's to decide; here only the form counts.

use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::command::Action;
use souk_proto::v1;

use crate::limits::{ADDRESS_LINES, ID_BYTES, LINE_QUANTITY};
use crate::record::check::{self, Checked, GUEST, invalid, missing, within};
use crate::record::event;
use crate::record::stamp;

/// Bytes of an erase's salt.
const SALT_BYTES: usize = 16;

pub(super) fn command(command: &journal::Command) -> Checked {
    let Some(action) = &command.action else { return Err(missing("action")) };
    check::id("shop", &command.shop)?;
    if is_for_product(action) {
        check::id("actor_id", &command.actor_id)?;
    } else {
        check::user_id("actor_id", &command.actor_id)?;
    }
    check::bounded_text("request_id", &command.request_id, ID_BYTES)?;
    if let Some(version) = command.if_version {
        check::range("if_version", version, 0, i64::MAX)?;
    }
    stamp::stamps(&command.stamps)?;
    within(action_name(action), self::action(action))
}

/// Whether a command is for a product, so for the products journal.
pub fn is_for_product(action: &Action) -> bool {
    match action {
        Action::AddCartItem(_)
        | Action::UpdateCartItem(_)
        | Action::RemoveCartItem(_)
        | Action::ClearCart(_)
        | Action::MergeCarts(_)
        | Action::RestoreCart(_)
        | Action::Checkout(_)
        | Action::RecordPayment(_)
        | Action::CancelOrder(_)
        | Action::RefundOrder(_)
        | Action::EraseUser(_) => false,
        Action::UpsertProduct(_)
        | Action::SetPrice(_)
        | Action::AdjustStock(_)
        | Action::StartSale(_)
        | Action::EndSale(_)
        | Action::AcknowledgeAlert(_) => true,
    }
}

fn action(action: &Action) -> Checked {
    match action {
        Action::AddCartItem(add) => {
            check::id("product_id", &add.product_id)?;
            match add.quantity {
                Some(quantity) => check::range("quantity", i64::from(quantity), 1, LINE_QUANTITY),
                None => Ok(()),
            }
        }
        Action::UpdateCartItem(update) => {
            check::id("product_id", &update.product_id)?;
            let quantity = update.quantity.ok_or_else(|| missing("quantity"))?;
            check::range("quantity", i64::from(quantity), 0, LINE_QUANTITY)
        }
        Action::RemoveCartItem(remove) => check::id("product_id", &remove.product_id),
        Action::ClearCart(_) | Action::EndSale(_) => Ok(()),
        Action::MergeCarts(merge) => merge_carts(merge),
        Action::RestoreCart(restore) => check::text("recovery_token", &restore.recovery_token),
        Action::Checkout(checkout) => self::checkout(checkout),
        Action::RecordPayment(record) => record_payment(record),
        Action::CancelOrder(cancel) => {
            check::id("order_id", &cancel.order_id)?;
            check::optional_text("reason", &cancel.reason)
        }
        Action::RefundOrder(refund) => {
            check::id("order_id", &refund.order_id)?;
            check::optional_money("amount", refund.amount.as_ref())?;
            event::lines(&refund.lines)?;
            check::optional_text("reason", &refund.reason)
        }
        Action::EraseUser(erase) if erase.salt.len() == SALT_BYTES => Ok(()),
        Action::EraseUser(_) => Err(invalid("salt", "is 16 bytes")),
        Action::UpsertProduct(upsert) => {
            let product = upsert.product.as_ref().ok_or_else(|| missing("product"))?;
            within("product", event::product(product))?;
            event::mask(upsert.update_mask.as_ref())
        }
        Action::SetPrice(set) => check::money("price", set.price.as_ref()).map(drop),
        Action::AdjustStock(adjust) => adjust_stock(adjust),
        Action::StartSale(start) => start_sale(start),
        Action::AcknowledgeAlert(acknowledge) => check::id("alert_id", &acknowledge.alert_id),
    }
}

fn merge_carts(merge: &journal::MergeCarts) -> Checked {
    let Some(session) = merge.source_user_id.strip_prefix(GUEST) else {
        let is_missing = merge.source_user_id.is_empty();
        return Err(if is_missing {
            missing("source_user_id")
        } else {
            invalid("source_user_id", "is a guest's")
        });
    };
    check::id("source_user_id", session)?;
    check::known::<v1::MergePolicy>("policy", merge.policy).map(drop)
}

fn checkout(checkout: &journal::Checkout) -> Checked {
    check::id("order_id", &checkout.order_id)?;
    if let Some(address) = &checkout.shipping_address {
        within("shipping_address", self::address(address))?;
    }
    check::optional_text("payment_method", &checkout.payment_method)
}

fn address(address: &v1::Address) -> Checked {
    check::optional_text("recipient", &address.recipient)?;
    check::optional_text("region_code", &address.region_code)?;
    check::optional_text("postal_code", &address.postal_code)?;
    check::count("address_lines", address.address_lines.len(), ADDRESS_LINES)?;
    check::each("address_lines", &address.address_lines, |line| check::optional_text("", line))
}

fn record_payment(record: &journal::RecordPayment) -> Checked {
    check::id("order_id", &record.order_id)?;
    let payment = record.payment.as_ref().ok_or_else(|| missing("payment"))?;
    within("payment", self::payment(payment))
}

fn payment(payment: &v1::Payment) -> Checked {
    check::id("payment_id", &payment.payment_id)?;
    check::said::<v1::payment::State>("state", payment.state)?;
    check::optional_text("method", &payment.method)?;
    check::money("amount", payment.amount.as_ref()).map(drop)
}

fn adjust_stock(adjust: &journal::AdjustStock) -> Checked {
    use journal::adjust_stock::Change;
    match adjust.change {
        Some(Change::Delta(delta)) => event::delta(delta)?,
        Some(Change::Level(level)) => event::level(level)?,
        None => return Err(missing("change")),
    }
    check::optional_text("reason", &adjust.reason)
}

fn start_sale(start: &journal::StartSale) -> Checked {
    check::money("price", start.price.as_ref())?;
    if start.end_time.is_none() {
        return Err(missing("end_time"));
    }
    event::sale_terms(start.start_time.as_ref(), start.end_time.as_ref(), start.quantity, start.per_user)
}

/// The snake_case name of a command's action.
pub fn action_name(action: &Action) -> &'static str {
    match action {
        Action::AddCartItem(_) => "add_cart_item",
        Action::UpdateCartItem(_) => "update_cart_item",
        Action::RemoveCartItem(_) => "remove_cart_item",
        Action::ClearCart(_) => "clear_cart",
        Action::MergeCarts(_) => "merge_carts",
        Action::RestoreCart(_) => "restore_cart",
        Action::Checkout(_) => "checkout",
        Action::RecordPayment(_) => "record_payment",
        Action::CancelOrder(_) => "cancel_order",
        Action::RefundOrder(_) => "refund_order",
        Action::EraseUser(_) => "erase_user",
        Action::UpsertProduct(_) => "upsert_product",
        Action::SetPrice(_) => "set_price",
        Action::AdjustStock(_) => "adjust_stock",
        Action::StartSale(_) => "start_sale",
        Action::EndSale(_) => "end_sale",
        Action::AcknowledgeAlert(_) => "acknowledge_alert",
    }
}
