//! Commands: remembered, versioned, refused with a reason.

use super::*;

fn add_mug() -> Action {
    Action::AddCartItem(journal::AddCartItem { product_id: "mug".into(), quantity: None })
}

fn named(id: &str, body_hash: u64) -> journal::Command {
    journal::Command { request_id: id.into(), body_hash, ..command(add_mug()) }
}

fn pieces(bench: &Bench) -> u32 {
    bench.user.cart().and_then(|cart| cart.line("mug")).map_or(0, |line| line.quantity)
}

#[test]
fn a_repeat_gets_the_same_outcome_for_a_day() {
    let mut bench = Bench::new();
    for minute in [0, 1, 24 * 60] {
        assert_eq!(bench.send(minute, named("r", 1)), Outcome::Done);
        assert_eq!(pieces(&bench), 1);
    }
    assert!(
        matches!(bench.send(24 * 60, named("r", 2)), Outcome::Refused(refusal) if refusal.reason == Reason::RequestIdReused)
    );
    bench.send(24 * 60 + 1, named("r", 2));
    assert_eq!(pieces(&bench), 2);
    bench.send(24 * 60 + 1, command(add_mug()));
    bench.send(24 * 60 + 1, command(add_mug()));
    assert_eq!(pieces(&bench), 4);
}

#[test]
fn a_refusal_is_remembered_too() {
    let mut bench = Bench::new();
    let stale = journal::Command { if_version: Some(7), ..named("r", 1) };
    let first = bench.send(0, stale.clone());
    assert!(matches!(&first, Outcome::Refused(refusal) if refusal.reason == Reason::VersionMismatch));
    bench.command(1, add_mug());
    assert_eq!(bench.send(2, stale), first);
    let current = journal::Command { if_version: Some(1), ..command(add_mug()) };
    assert_eq!(bench.send(3, current), Outcome::Done);
}

#[test]
fn of_too_many_requests_the_oldest_is_forgotten() {
    let mut bench = Bench::new();
    for request in 0..257 {
        bench.send(0, named(&format!("r{request}"), 1));
    }
    bench.send(0, named("r1", 1));
    assert_eq!(pieces(&bench), 257);
    bench.send(0, named("r0", 1));
    assert_eq!(pieces(&bench), 258);
}

#[test]
fn refusals_say_why() {
    let mut bench = Bench::new();
    let checkout =
        |id: &str| Action::Checkout(journal::Checkout { order_id: id.into(), ..Default::default() });
    let cancel = |id: &str| {
        Action::CancelOrder(journal::CancelOrder { order_id: id.into(), reason: "changed my mind".into() })
    };
    let refund = |id: &str, amount| {
        let amount = Some(euro(amount));
        Action::RefundOrder(journal::RefundOrder { order_id: id.into(), amount, ..Default::default() })
    };
    let pay = |id: &str, amount| {
        let payment =
            v1::Payment { payment_id: "p".into(), amount: Some(euro(amount)), ..Default::default() };
        Action::RecordPayment(journal::RecordPayment { order_id: id.into(), payment: Some(payment) })
    };
    let unknown = Action::AddCartItem(journal::AddCartItem { product_id: "tin".into(), quantity: None });
    assert_eq!(bench.refused(0, checkout("o")), Reason::CartEmpty);
    assert_eq!(bench.refused(0, unknown), Reason::ProductUnknown);
    assert_eq!(bench.refused(0, cancel("o")), Reason::OrderUnknown);
    assert_eq!(bench.refused(0, pay("o", 1)), Reason::OrderUnknown);
    assert!(bench.user.is_empty(), "refusals leave nothing behind");

    bench.command(1, add_mug());
    assert_eq!(bench.command(1, checkout("o")), Outcome::Done);
    assert_eq!(bench.command(1, checkout("o")), Outcome::Done, "it was asked before");
    assert_eq!(bench.refused(1, checkout("other")), Reason::CheckoutPending);
    assert_eq!(bench.refused(1, add_mug()), Reason::CheckoutPending);
    assert_eq!(bench.refused(1, refund("o", 1)), Reason::OrderUnknown);
    assert_eq!(bench.refused(1, pay("o", 1)), Reason::PaymentMismatch);
    assert_eq!(bench.command(1, pay("o", 610)), Outcome::Done);
    assert_eq!(bench.command(1, cancel("o")), Outcome::Done);
    assert_eq!(bench.refused(1, cancel("o")), Reason::OrderFinal);

    bench.counted(2, placed("r", 900));
    assert_eq!(bench.command(3, refund("r", 200)), Outcome::Done);
    assert_eq!(bench.refused(3, refund("r", 701)), Reason::RefundExceedsTotal);
    bench.facts();
    assert_eq!(bench.command(3, cancel("r")), Outcome::Done);
    assert_eq!(bench.facts(), ["+3 refund r -700"]);
    assert_eq!(bench.command(3, cancel("r")), Outcome::Done);
    assert_eq!(bench.facts(), Vec::<String>::new(), "nothing is left");
    assert_eq!(bench.refused(3, checkout("r")), Reason::OrderFinal);
}

#[test]
fn updates_and_removals_tell_the_difference() {
    let mut bench = Bench::new();
    let update = |quantity| {
        Action::UpdateCartItem(journal::UpdateCartItem { product_id: "mug".into(), quantity: Some(quantity) })
    };
    let facts = [
        (3, "+0 cart_add mug 3 300"),
        (5, "+0 cart_add mug 2 200"),
        (4, "+0 cart_remove mug 1 100"),
        (0, "+0 cart_remove mug 4 400"),
    ];
    for (quantity, fact) in facts {
        assert_eq!(bench.command(0, update(quantity)), Outcome::Done);
        assert_eq!(bench.facts(), [fact]);
    }
    assert_eq!(bench.refused(0, update(1_001)), Reason::ValueOutOfRange);
    assert_eq!(bench.command(0, Action::ClearCart(journal::ClearCart {})), Outcome::Done);
    assert!(bench.facts().is_empty());
}
