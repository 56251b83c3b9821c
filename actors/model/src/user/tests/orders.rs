//! Reported orders: counted once, refunded never beyond what is left.

use super::*;
use order_step::Stage;

const ORDERS: [&str; 5] = ["checkout_started", "order_placed", "order_line", "refund", "refund_line"];

fn lines() -> Vec<v1::Line> {
    vec![line("pot", Some(1), Some(1_000)), line("mug", Some(3), Some(100))]
}

fn bench_with_order() -> Bench {
    let mut bench = Bench::new();
    bench.counted(0, order(Stage::Placed, "o", lines(), None));
    bench
}

#[test]
fn steps_tell_once_whatever_comes_in_whatever_order() {
    let table: [(&[Kind], &[&str]); 7] = [
        (
            &[order(Stage::Placed, "o", lines(), None), order(Stage::Paid, "o", Vec::new(), Some(1_300))],
            &["+0 order_placed o 1300", "+0 order_line pot 1 1000", "+0 order_line mug 3 300"],
        ),
        (&[order(Stage::Paid, "", Vec::new(), Some(9)), placed("e1", 9)], &["+0 order_placed e1 9"]),
        (
            &[
                placed("o", 9),
                order(Stage::CheckoutStarted, "o", Vec::new(), Some(5)),
                order(Stage::CheckoutStarted, "o", Vec::new(), None),
            ],
            &["+0 order_placed o 9", "+0 checkout_started o 5"],
        ),
        (&[order(Stage::Cancelled, "o", Vec::new(), None), placed("o", 9)], &[]),
        (
            &[
                placed("o", 9),
                order(Stage::Refunded, "o", Vec::new(), Some(4)),
                order(Stage::Cancelled, "o", Vec::new(), None),
                order(Stage::Cancelled, "o", Vec::new(), None),
            ],
            &["+0 order_placed o 9", "+0 refund o -4", "+0 refund o -5"],
        ),
        (
            &[
                order(Stage::PaymentFailed, "o", Vec::new(), None),
                order(Stage::PaymentStarted, "o", Vec::new(), None),
            ],
            &[],
        ),
        (&[placed("o", 9), placed("o", 10)], &["+0 order_placed o 9"]),
    ];
    for (steps, facts) in table {
        let mut bench = Bench::new();
        for step in steps {
            assert_eq!(bench.event(0, step.clone()), Verdict::Counted, "{step:?}");
        }
        assert_eq!(bench.facts_of(&ORDERS), facts, "{steps:?}");
    }
}

#[test]
fn refunds_take_from_the_lines_and_a_cancel_takes_the_rest() {
    let mut bench = bench_with_order();
    bench.facts();
    bench.counted(1, order(Stage::Refunded, "o", vec![line("mug", Some(1), None)], None));
    bench.counted(2, order(Stage::Refunded, "o", vec![line("mug", Some(1), Some(60))], None));
    let facts = {
        bench.event(3, order(Stage::Cancelled, "o", Vec::new(), None));
        bench.facts_of(&ORDERS)
    };
    assert_eq!(facts, ["+3 refund o -1140", "+3 refund_line pot -1 -1000", "+3 refund_line mug -1 -140"]);
    assert_eq!(bench.user.order("o").map(Order::left), Some(0));
}

#[test]
fn more_than_is_left_is_rejected() {
    let refund = |lines, total| order(Stage::Refunded, "o", lines, total);
    let mut bench = bench_with_order();
    let table = [
        (refund(Vec::new(), Some(1_301)), Reason::RefundExceedsTotal),
        (refund(vec![line("mug", Some(4), None)], None), Reason::RefundExceedsTotal),
        (
            refund(vec![line("mug", Some(2), None), line("mug", Some(2), None)], None),
            Reason::RefundExceedsTotal,
        ),
        (refund(vec![line("tin", None, None)], None), Reason::RefundExceedsTotal),
        (order(Stage::Refunded, "p", Vec::new(), None), Reason::OrderUnknown),
        (order(Stage::Placed, "q", Vec::new(), None), Reason::FieldMissing),
        (order(Stage::Placed, "q", vec![line("mug", None, None)], Some(9)), Reason::FieldMissing),
    ];
    for (step, reason) in table {
        assert_eq!(bench.rejected(1, step.clone()), reason, "{step:?}");
    }
    let mut dollars = v1::OrderStep {
        stage: Stage::Placed.into(),
        order_id: "q".into(),
        lines: lines(),
        ..Default::default()
    };
    dollars.total = Some(v1::Money { currency_code: "USD".into(), minor_units: Some(1) });
    assert_eq!(bench.rejected(1, Kind::OrderStep(dollars)), Reason::CurrencyMismatch);
    assert_eq!(bench.event(2, refund(Vec::new(), None)), Verdict::Counted);
    assert!(bench.facts().contains(&"+2 refund o -1300".to_owned()));
}

#[test]
fn of_too_many_orders_the_oldest_gives_way() {
    let mut bench = Bench::new();
    for order in 0..257 {
        bench.counted(0, placed(&format!("o{order}"), 1));
    }
    assert!(bench.user.order("o0").is_none());
    assert_eq!(bench.user.orders().count(), 256);
}

use super::super::Order;
