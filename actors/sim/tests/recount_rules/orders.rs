//! Sections 7 and 8: orders, refunds and the checkout's saga on the user's side.

use souk_proto::journal::v1::{AddCartItem, CancelOrder, Checkout, Reserved, command, step};
use souk_proto::v1::ErrorReason;
use souk_proto::v1::order_step::Stage;
use souk_sim::recount::{OrderState, Recount, Verdict};

use super::journal::{
    DAY0, FACTS, MINUTE, SECOND, Shard, by, counted, fact, line, order, stamp, user, verdict,
};

fn state(result: &Recount) -> OrderState {
    user(result, "a").orders["o"].state
}

#[test]
fn an_order_counts_once_whoever_reports_it() {
    let mut users = Shard::users();
    let lines = || vec![line("p", Some(2), Some(500)), line("q", None, Some(250))];
    users.event(DAY0, by("a", "1", order(Stage::CheckoutStarted, "o", vec![], None)));
    users.event(DAY0, by("a", "2", order(Stage::Paid, "o", lines(), None)));
    users.event(DAY0, by("a", "3", order(Stage::Placed, "o", lines(), Some(1_300))));
    let result = counted(FACTS, &[&users]);
    assert_eq!((fact(&result, "placed"), fact(&result, "lines"), fact(&result, "revenue")), (1, 2, 1_250));
    assert_eq!(verdict(&result, 2), Verdict::Counted);
}

#[test]
fn refunds_never_exceed_what_is_left() {
    let mut users = Shard::users();
    let refund = |lines, total| order(Stage::Refunded, "o", lines, total);
    users.event(DAY0, by("a", "1", refund(vec![], None)));
    users.event(
        DAY0,
        by("a", "2", order(Stage::Placed, "o", vec![line("p", Some(3), Some(500))], Some(1_600))),
    );
    users.event(DAY0, by("a", "3", refund(vec![line("p", Some(2), None)], None))); // 1,000 of 1,600
    users.event(DAY0, by("a", "4", refund(vec![line("p", Some(2), None)], None))); // one is left
    users.event(DAY0, by("a", "5", refund(vec![], Some(601))));
    users.event(DAY0, by("a", "6", order(Stage::Cancelled, "o", vec![], None))); // 600, one p
    users.event(DAY0, by("a", "7", order(Stage::Cancelled, "o", vec![], None))); // nothing left
    let result = counted(FACTS, &[&users]);
    assert_eq!(verdict(&result, 0), Verdict::Rejected(ErrorReason::OrderUnknown));
    for offset in [3, 4] {
        assert_eq!(verdict(&result, offset), Verdict::Rejected(ErrorReason::RefundExceedsTotal));
    }
    assert_eq!((fact(&result, "revenue"), fact(&result, "refunds"), fact(&result, "back")), (0, 2, -3));
    assert_eq!(user(&result, "a").orders["o"].refunded, 1_600);
}

#[test]
fn an_order_cancelled_before_it_was_placed_never_counts() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", order(Stage::Cancelled, "o", vec![], None)));
    users.event(DAY0, by("a", "2", order(Stage::Placed, "o", vec![], Some(100))));
    let result = counted(FACTS, &[&users]);
    assert_eq!(
        (fact(&result, "placed"), verdict(&result, 1), state(&result)),
        (0, Verdict::Counted, OrderState::Cancelled)
    );
}

/// A cart of 3 p at 333 and 1 q at 1, checked out with 10 % tax and 1.00 EUR shipping: 1,000 + 100 + 100.
fn checked_out() -> (Shard, String) {
    let mut users = Shard::users();
    for (product, quantity, price) in [("p", 3, 300), ("q", 1, 1)] {
        let item = AddCartItem { product_id: product.to_owned(), quantity: Some(quantity) };
        users.command(DAY0, "a", command::Action::AddCartItem(item), vec![stamp(product, price)]);
    }
    let checkout = Checkout { order_id: "o".to_owned(), ..Checkout::default() };
    users.command(DAY0, "a", command::Action::Checkout(checkout), vec![stamp("p", 333)]);
    let settings = format!("fold = {{ tax = \"10%\", shipping = \"1.00 EUR\" }}\n{FACTS}");
    (users, settings)
}

fn answer(product: &str, granted: bool) -> step::Action {
    let (order_id, product_id) = ("o".to_owned(), product.to_owned());
    step::Action::Reserved(Reserved { order_id, product_id, granted, ..Reserved::default() })
}

#[test]
fn all_lines_granted_confirm_the_order_and_empty_the_cart() {
    let (mut users, settings) = checked_out();
    users.step(DAY0 + SECOND, "a", DAY0, answer("p", true));
    users.step(DAY0 + SECOND, "a", DAY0, answer("p", true)); // said before
    assert_eq!(state(&counted(&settings, &[&users])), OrderState::Pending);
    users.step(DAY0 + SECOND, "a", DAY0, answer("q", true));
    let result = counted(&settings, &[&users]);
    assert_eq!(state(&result), OrderState::Confirmed);
    assert_eq!((fact(&result, "placed"), fact(&result, "revenue"), fact(&result, "lines")), (1, 1_200, 2));
    assert_eq!(user(&result, "a").cart, []);
    let cancel = CancelOrder { order_id: "o".to_owned(), ..CancelOrder::default() };
    users.command(DAY0 + 2 * SECOND, "a", command::Action::CancelOrder(cancel), Vec::new());
    let cancelled = counted(&settings, &[&users]);
    assert_eq!(
        (state(&cancelled), fact(&cancelled, "revenue"), fact(&cancelled, "back")),
        (OrderState::Confirmed, 0, -4)
    );
}

#[test]
fn one_refusal_or_ten_minutes_cancel_it() {
    let (mut refused, settings) = checked_out();
    refused.step(DAY0 + SECOND, "a", DAY0, answer("q", false));
    refused.step(DAY0 + SECOND, "a", DAY0, answer("p", true));
    let result = counted(&settings, &[&refused]);
    assert_eq!((state(&result), fact(&result, "placed")), (OrderState::Cancelled, 0));

    let (mut waiting, settings) = checked_out();
    waiting.tick(DAY0 + 10 * MINUTE - 1);
    assert_eq!(state(&counted(&settings, &[&waiting])), OrderState::Pending);
    waiting.tick(DAY0 + 10 * MINUTE);
    assert_eq!(state(&counted(&settings, &[&waiting])), OrderState::Cancelled);
}
