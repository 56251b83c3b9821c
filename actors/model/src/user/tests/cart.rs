//! Reported cart steps: what changes, which facts say so, what is refused.

use super::*;
use crate::limits::{CART_LINES, LINE_QUANTITY};

const CART: [&str; 2] = ["cart_add", "cart_remove"];

fn after(steps: &[Kind]) -> (Vec<String>, Bench) {
    let mut bench = Bench::new();
    for step in steps {
        assert_eq!(bench.event(0, step.clone()), Verdict::Counted, "{step:?}");
    }
    (bench.facts_of(&CART), bench)
}

#[test]
fn each_step_tells_what_it_changed() {
    let unpriced = cart_step(cart_step::Action::Add, Some(line("stamped", None, None)));
    let look = cart_step(cart_step::Action::View, None);
    let table: [(&[Kind], &[&str]); 9] = [
        (&[add("mug", 2, 100)], &["+0 cart_add mug 2 200"]),
        (&[unpriced], &["+0 cart_add stamped 1 250"]),
        (&[add("mug", 2, 100), add("mug", 1, 90)], &["+0 cart_add mug 2 200", "+0 cart_add mug 1 90"]),
        (&[add("mug", 2, 100), set("mug", 5)], &["+0 cart_add mug 2 200", "+0 cart_add mug 3 300"]),
        (
            &[add("mug", 2, 100), set("mug", 1), set("mug", 1)],
            &["+0 cart_add mug 2 200", "+0 cart_remove mug 1 100"],
        ),
        (
            &[add("mug", 2, 100), remove("mug", Some(9))],
            &["+0 cart_add mug 2 200", "+0 cart_remove mug 2 200"],
        ),
        (&[add("mug", 2, 100), remove("mug", None)], &["+0 cart_add mug 2 200", "+0 cart_remove mug 2 200"]),
        (&[remove("mug", None), clear(), look], &[]),
        (
            &[add("pot", 1, 5), add("mug", 2, 100), clear()],
            &[
                "+0 cart_add pot 1 5",
                "+0 cart_add mug 2 200",
                "+0 cart_remove mug 2 200",
                "+0 cart_remove pot 1 5",
            ],
        ),
    ];
    for (steps, facts) in table {
        assert_eq!(after(steps).0, facts, "{steps:?}");
    }
}

#[test]
fn a_line_keeps_its_first_time_and_takes_the_newest_price() {
    let mut bench = Bench::new();
    bench.counted(1, add("mug", 1, 100));
    bench.counted(2, add("mug", 1, 80));
    let cart = bench.user.cart().expect("a cart");
    let line = cart.line("mug").expect("a line");
    assert_eq!((line.quantity, line.unit_price, line.add_time), (2, 80, ZERO + MINUTE));
    assert_eq!(
        (cart.version, cart.update_time, cart.value().map(|value| value.minor)),
        (2, ZERO + 2 * MINUTE, Some(160))
    );
}

#[test]
fn what_a_cart_cannot_hold_is_rejected_and_changes_nothing() {
    let (_, mut bench) = after(&[add("mug", 2, 100)]);
    let dollars = v1::Line {
        unit_price: Some(v1::Money { currency_code: "USD".into(), minor_units: Some(1) }),
        ..line("pot", None, None)
    };
    let add_line = |line| cart_step(cart_step::Action::Add, Some(line));
    assert_eq!(bench.rejected(0, add_line(dollars)), Reason::CurrencyMismatch);
    assert_eq!(bench.rejected(0, add_line(line("pot", None, None))), Reason::FieldMissing);
    assert_eq!(bench.rejected(0, set("pot", 3)), Reason::FieldMissing);
    assert_eq!(bench.rejected(0, add("mug", LINE_QUANTITY as i32 - 1, 100)), Reason::ValueOutOfRange);
    for product in 1..CART_LINES {
        bench.counted(0, add(&format!("p{product}"), 1, 1));
    }
    assert_eq!(bench.rejected(0, add("pot", 1, 1)), Reason::TooManyItems);
    bench.counted(0, add("mug", 1, 100));
}

#[test]
fn after_the_first_command_reports_move_the_cart_no_more() {
    let (_, mut bench) = after(&[add("mug", 2, 100)]);
    let add_pot = Action::AddCartItem(journal::AddCartItem { product_id: "pot".into(), quantity: None });
    assert_eq!(bench.command(1, add_pot), Outcome::Done);
    assert_eq!(bench.facts(), ["+1 cart_add pot 1 1000"]);
    let deadline = bench.user.cart().and_then(|cart| cart.deadline);
    assert_eq!(bench.event(2, add("tin", 1, 5)), Verdict::Counted);
    assert_eq!(
        bench.event(2, cart_step(cart_step::Action::Add, Some(line("x", None, None)))),
        Verdict::Counted
    );
    assert!(bench.facts_of(&CART).is_empty());
    assert_eq!(bench.user.cart().and_then(|cart| cart.deadline), deadline);
    // An order still empties it.
    bench.event(3, placed("o", 100));
    assert!(bench.user.cart().is_some_and(|cart| cart.lines.is_empty() && cart.commanded));
}
