use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::step;

use super::*;

fn command(action: Action) -> journal::Command {
    journal::Command {
        shop: "main".to_owned(),
        actor_id: "alice".to_owned(),
        action: Some(action),
        ..Default::default()
    }
}

fn o() -> String {
    "o-1".to_owned()
}

#[test]
fn commands_name_the_field_they_refuse() {
    let p = || "p-1".to_owned();
    let time = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let update = |quantity| Action::UpdateCartItem(journal::UpdateCartItem { product_id: p(), quantity });
    let merge = |from: &str| {
        Action::MergeCarts(journal::MergeCarts { source_user_id: from.to_owned(), ..Default::default() })
    };
    let pay = |payment| Action::RecordPayment(journal::RecordPayment { order_id: o(), payment });
    let payment = |state, amount| Some(v1::Payment { payment_id: p(), state, amount, ..Default::default() });
    let refund = |lines, amount| {
        Action::RefundOrder(journal::RefundOrder { order_id: o(), lines, amount, ..Default::default() })
    };
    let line = v1::Line { product_id: p(), unit_price: dollars(1), ..Default::default() };
    let upsert =
        |product| Action::UpsertProduct(Box::new(journal::UpsertProduct { product, ..Default::default() }));
    let address = v1::Address { address_lines: vec![String::new(); 9], ..Default::default() };
    let checkout = journal::Checkout { order_id: o(), shipping_address: Some(address), ..Default::default() };
    for (action, want) in [
        (Action::AddCartItem(journal::AddCartItem { product_id: p(), quantity: None }), ""),
        (
            Action::AddCartItem(journal::AddCartItem { product_id: p(), quantity: Some(0) }),
            "add_cart_item.quantity VALUE_OUT_OF_RANGE",
        ),
        (Action::AddCartItem(Default::default()), "add_cart_item.product_id FIELD_MISSING"),
        (update(Some(0)), ""),
        (update(None), "update_cart_item.quantity FIELD_MISSING"),
        (Action::RemoveCartItem(Default::default()), "remove_cart_item.product_id FIELD_MISSING"),
        (Action::ClearCart(Default::default()), ""),
        (merge("guest:s-1"), ""),
        (merge("bob"), "merge_carts.source_user_id FIELD_INVALID"),
        (merge(""), "merge_carts.source_user_id FIELD_MISSING"),
        (Action::RestoreCart(Default::default()), "restore_cart.recovery_token FIELD_MISSING"),
        (Action::Checkout(Default::default()), "checkout.order_id FIELD_MISSING"),
        (Action::Checkout(checkout), "checkout.shipping_address.address_lines TOO_MANY_ITEMS"),
        (pay(None), "record_payment.payment FIELD_MISSING"),
        (pay(payment(0, euros(1))), "record_payment.payment.state FIELD_MISSING"),
        (pay(payment(1, None)), "record_payment.payment.amount FIELD_MISSING"),
        (pay(payment(2, euros(1))), ""),
        (Action::CancelOrder(Default::default()), "cancel_order.order_id FIELD_MISSING"),
        (refund(vec![], None), ""),
        (refund(vec![line], euros(1)), ""),
        (Action::EraseUser(journal::EraseUser { salt: vec![0; 15] }), "erase_user.salt FIELD_INVALID"),
        (Action::EraseUser(journal::EraseUser { salt: vec![0; 16] }), ""),
        (upsert(None), "upsert_product.product FIELD_MISSING"),
        (upsert(Some(v1::Product::default())), ""),
        (Action::SetPrice(Default::default()), "set_price.price FIELD_MISSING"),
        (Action::AdjustStock(Default::default()), "adjust_stock.change FIELD_MISSING"),
        (
            Action::StartSale(journal::StartSale { price: euros(1), ..Default::default() }),
            "start_sale.end_time FIELD_MISSING",
        ),
        (
            Action::StartSale(journal::StartSale {
                price: euros(1),
                end_time: time(9),
                per_user: Some(0),
                ..Default::default()
            }),
            "start_sale.per_user VALUE_OUT_OF_RANGE",
        ),
        (Action::EndSale(Default::default()), ""),
        (
            Action::AcknowledgeAlert(journal::AcknowledgeAlert { alert_id: "products-3.9912.0".to_owned() }),
            "",
        ),
    ] {
        assert_eq!(refused(validate_command(&command(action.clone()))), want, "{action:?}");
    }
}

#[test]
fn a_commands_envelope_has_bounds() {
    let clear = || command(Action::ClearCart(journal::ClearCart {}));
    for (command, want) in [
        (journal::Command { action: None, ..clear() }, "action FIELD_MISSING"),
        (journal::Command { shop: String::new(), ..clear() }, "shop FIELD_MISSING"),
        (journal::Command { actor_id: "a/b".to_owned(), ..clear() }, "actor_id FIELD_INVALID"),
        (journal::Command { request_id: "x".repeat(65), ..clear() }, "request_id FIELD_INVALID"),
        (journal::Command { if_version: Some(-1), ..clear() }, "if_version VALUE_OUT_OF_RANGE"),
        (
            journal::Command { stamps: vec![Default::default()], ..clear() },
            "stamps[0].product_id FIELD_MISSING",
        ),
    ] {
        assert_eq!(refused(validate_command(&command)), want, "{command:?}");
    }
    let decoded = decode(&bytes(Body::Command(clear())));
    assert!(matches!(decoded, Ok(Record::Command(command)) if command.key.as_str() == "main/alice"));
}

#[test]
fn steps_name_the_field_they_refuse() {
    let step = |action| journal::Step {
        shop: "main".to_owned(),
        actor_id: "guest:s-1".to_owned(),
        created_ms: 1,
        action: Some(action),
    };
    let user = || "alice".to_owned();
    let line = journal::CartLine { product_id: "p-1".to_owned(), quantity: 1, ..Default::default() };
    let given = |line| {
        step(step::Action::CartGiven(journal::CartGiven {
            guest_id: "guest:s".to_owned(),
            merge_id: 1,
            lines: vec![line],
        }))
    };
    let reserve = journal::Reserve { user_id: user(), order_id: o(), quantity: 0 };
    let to_product = |action| journal::Step { actor_id: "p-1".to_owned(), ..step(action) };
    for (step, want) in [
        (journal::Step { action: None, ..given(line.clone()) }, "action FIELD_MISSING"),
        (journal::Step { created_ms: -1, ..given(line.clone()) }, "created_ms VALUE_OUT_OF_RANGE"),
        (given(line.clone()), "cart_given.lines[0].currency_code CURRENCY_UNKNOWN"),
        (given(journal::CartLine { currency_code: "EUR".to_owned(), ..line.clone() }), ""),
        (given(journal::CartLine { quantity: 0, ..line }), "cart_given.lines[0].quantity VALUE_OUT_OF_RANGE"),
        (to_product(step::Action::Reserve(reserve)), "reserve.quantity VALUE_OUT_OF_RANGE"),
        (to_product(step::Action::Release(Default::default())), "release.user_id FIELD_MISSING"),
        (step(step::Action::CartTake(journal::CartTake { user_id: user(), merge_id: 1 })), ""),
        (
            step(step::Action::Settled(journal::Settled { order_id: o(), ..Default::default() })),
            "settled.product_id FIELD_MISSING",
        ),
        (
            step(step::Action::Reserved(journal::Reserved {
                order_id: o(),
                product_id: o(),
                reason: 9_999,
                ..Default::default()
            })),
            "reserved.reason FIELD_INVALID",
        ),
    ] {
        assert_eq!(refused(validate_step(&step)), want, "{step:?}");
    }
}
