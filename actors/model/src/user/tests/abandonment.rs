//! Abandonment: each line of SEMANTICS.md section 6.

use super::*;
use crate::output::{AbandonedChange, AbandonedNews};

const ABANDONED: [&str; 2] = ["cart_abandoned", "cart_recovered"];

fn abandoned() -> Bench {
    let mut bench = Bench::new();
    bench.counted(0, add("mug", 2, 100));
    bench.tick(31);
    assert_eq!(bench.facts_of(&ABANDONED), ["+30 cart_abandoned cart 200"]);
    bench
}

fn news(bench: &mut Bench) -> Vec<AbandonedChange> {
    let news = bench.outputs().into_iter().filter_map(|output| match output {
        Output::Abandoned(AbandonedNews { change, deadline, .. }) => {
            assert_eq!(deadline, ZERO + 30 * MINUTE);
            Some(change)
        }
        _ => None,
    });
    news.collect()
}

#[test]
fn an_add_before_the_deadline_arms_anew() {
    let mut bench = Bench::new();
    bench.counted(0, add("mug", 2, 100));
    bench.counted(20, add("mug", 1, 100));
    bench.late(20, 10, add("mug", 1, 100));
    bench.tick(50);
    assert!(bench.facts_of(&ABANDONED).is_empty());
    bench.tick(51);
    assert_eq!(bench.facts_of(&ABANDONED), ["+50 cart_abandoned cart 400"]);
}

#[test]
fn a_late_add_takes_the_abandonment_back() {
    let mut bench = abandoned();
    bench.late(31, 25, add("pot", 1, 7));
    assert_eq!(bench.facts_of(&ABANDONED), ["-30 cart_abandoned cart 200"]);
    assert_eq!(news(&mut bench).last(), Some(&AbandonedChange::Retracted));
    bench.tick(56);
    assert_eq!(bench.facts_of(&ABANDONED), ["+55 cart_abandoned cart 207"]);
}

#[test]
fn an_add_no_later_than_the_latest_changes_nothing() {
    let mut bench = abandoned();
    bench.late(31, 0, add("pot", 1, 7));
    bench.late(31, -5, add("pot", 1, 7));
    bench.tick(100);
    assert!(bench.facts_of(&ABANDONED).is_empty());
}

#[test]
fn an_add_after_the_deadline_leaves_it_open_and_makes_no_second() {
    let mut bench = abandoned();
    bench.counted(40, add("pot", 1, 7));
    bench.tick(100);
    assert!(bench.facts_of(&ABANDONED).is_empty());
    assert_eq!(bench.event(110, placed("o", 300)), Verdict::Counted);
    assert_eq!(bench.facts_of(&ABANDONED), ["+110 cart_recovered cart 200"]);
}

#[test]
fn an_add_past_the_deadline_fires_before_the_watermark_does() {
    let mut bench = Bench::new();
    bench.settings.fold.lateness = 10 * MINUTE;
    bench.counted(0, add("mug", 2, 100));
    let facts = bench.counted(35, add("pot", 1, 7));
    assert_eq!(facts[2..4], ["+30 cart_abandoned cart 200", "+35 cart_add pot 1 7"]);
}

#[test]
fn an_order_settles_it_either_way() {
    let table: [(i64, &[&str]); 3] = [
        (25, &["-30 cart_abandoned cart 200"]),
        (30, &["-30 cart_abandoned cart 200"]),
        (31, &["+31 cart_recovered cart 200"]),
    ];
    for (minute, facts) in table {
        let mut bench = abandoned();
        bench.late(31, minute, placed("o", 300));
        assert_eq!(bench.facts_of(&ABANDONED), facts);
        bench.tick(200);
        assert!(bench.facts_of(&ABANDONED).is_empty());
    }
    let mut bench = abandoned();
    bench.late(31, 31, placed("o", 300));
    assert_eq!(news(&mut bench).last(), Some(&AbandonedChange::Recovered { order_id: "o".into() }));
}

#[test]
fn a_cart_emptied_otherwise_is_over() {
    let mut bench = abandoned();
    bench.counted(32, clear());
    bench.counted(33, placed("o", 300));
    bench.counted(34, add("pot", 1, 7));
    bench.tick(65);
    assert_eq!(bench.facts_of(&ABANDONED), ["+64 cart_abandoned cart 7"]);
}

#[test]
fn a_checkout_started_is_a_later_stage() {
    let mut bench = Bench::new();
    bench.counted(0, add("mug", 2, 100));
    bench.counted(1, order(order_step::Stage::CheckoutStarted, "o", Vec::new(), None));
    bench.tick(31);
    assert_eq!(bench.facts_of(&ABANDONED), ["+30 cart_abandoned checkout 200"]);
}

#[test]
fn a_restored_cart_comes_back_once() {
    let mut bench = abandoned();
    bench.counted(32, clear());
    bench.counted(33, add("mug", 1, 90));
    bench.facts();
    let restore =
        || Action::RestoreCart(journal::RestoreCart { recovery_token: (ZERO + 30 * MINUTE).to_string() });
    assert_eq!(bench.command(40, restore()), Outcome::Done);
    assert_eq!(bench.facts(), ["+40 cart_add mug 1 90"], "a line that is there keeps its price");
    assert_eq!(bench.user.cart().and_then(|cart| cart.deadline), Some(ZERO + 70 * MINUTE));
    assert_eq!(bench.refused(41, restore()), Reason::RecoveryTokenUsed);
    let unknown = Action::RestoreCart(journal::RestoreCart { recovery_token: "17".into() });
    assert_eq!(bench.refused(41, unknown), Reason::ResourceUnknown);
}
