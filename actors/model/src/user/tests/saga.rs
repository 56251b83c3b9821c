//! Checkout and merge, as the user sees them: every answer in any order, twice, or never.

use super::super::State;
use super::*;
use souk_proto::journal::v1::step::Action as Step;

fn add_item(product: &str) -> Action {
    Action::AddCartItem(journal::AddCartItem { product_id: product.into(), quantity: Some(2) })
}

fn reserved(product: &str, granted: bool) -> Step {
    let reason = if granted { Reason::Unspecified } else { Reason::OutOfStock };
    Step::Reserved(journal::Reserved {
        order_id: "o".into(),
        product_id: product.into(),
        granted,
        reason: reason.into(),
        available: 1,
    })
}

fn settled(product: &str) -> Step {
    Step::Settled(journal::Settled { order_id: "o".into(), product_id: product.into() })
}

/// A PENDING order of two lines, asked for.
fn pending() -> Bench {
    let mut bench = Bench::new();
    for product in ["mug", "pot"] {
        assert_eq!(bench.command(0, add_item(product)), Outcome::Done);
    }
    let checkout = Action::Checkout(journal::Checkout { order_id: "o".into(), ..Default::default() });
    assert_eq!(bench.command(0, checkout), Outcome::Done);
    bench.facts();
    bench
}

fn names(steps: &[(String, Step)]) -> Vec<(&str, &'static str)> {
    let name = |step: &Step| match step {
        Step::Reserve(_) => "reserve",
        Step::Commit(_) => "commit",
        Step::Release(_) => "release",
        Step::Reserved(_) | Step::Settled(_) => "answer",
        Step::CartTake(_) => "take",
        Step::CartGiven(_) => "given",
        Step::CartTaken(_) => "taken",
    };
    steps.iter().map(|(to, step)| (to.as_str(), name(step))).collect()
}

fn state(bench: &Bench) -> Option<State> {
    bench.user.order("o").map(|order| order.state)
}

#[test]
fn all_granted_is_confirmed_and_settles() {
    let mut bench = pending();
    assert_eq!(names(&bench.steps()), [("mug", "reserve"), ("pot", "reserve")]);
    bench.step(1, ZERO, reserved("pot", true));
    bench.step(1, ZERO, reserved("pot", true));
    assert_eq!(names(&bench.resent()), [("mug", "reserve")]);
    bench.step(2, ZERO, reserved("mug", true));
    // 2,200 + 19.5 % + 490 shipping.
    assert_eq!(
        bench.facts(),
        ["+2 order_placed o 3119", "+2 order_line mug 2 200", "+2 order_line pot 2 2000"]
    );
    assert_eq!(names(&bench.steps()), [("mug", "commit"), ("pot", "commit")]);
    assert!(bench.user.cart().is_some_and(|cart| cart.lines.is_empty()));
    bench.step(3, ZERO, settled("mug"));
    assert_eq!(names(&bench.resent()), [("pot", "commit")]);
    bench.step(3, ZERO, settled("pot"));
    bench.step(3, ZERO, reserved("pot", true));
    assert!(!bench.user.has_open_saga() && bench.resent().is_empty());
    assert_eq!(state(&bench), Some(State::Confirmed));
}

#[test]
fn one_refusal_cancels_and_releases_the_rest() {
    let mut bench = pending();
    bench.steps();
    bench.step(1, ZERO, reserved("pot", false));
    assert_eq!(state(&bench), Some(State::Cancelled));
    assert_eq!(names(&bench.steps()), [("mug", "release")]);
    bench.step(2, ZERO, reserved("mug", true));
    assert_eq!(names(&bench.resent()), [("mug", "release")]);
    bench.step(3, ZERO, settled("mug"));
    assert!(!bench.user.has_open_saga() && bench.facts().is_empty());
    let order = bench.user.order("o").expect("an order");
    assert_eq!(
        (&*order.cancel_reason, order.lines[1].reason, order.lines[1].available),
        ("OUT_OF_STOCK", Reason::OutOfStock, Some(1))
    );
}

#[test]
fn an_order_nobody_answers_is_given_up() {
    let mut bench = pending();
    bench.steps();
    bench.tick(9);
    assert_eq!(state(&bench), Some(State::Pending));
    bench.tick(10);
    assert_eq!(state(&bench), Some(State::Cancelled));
    assert_eq!(names(&bench.steps()), [("mug", "release"), ("pot", "release")]);
}

#[test]
fn an_erased_user_leaves_what_settles_its_orders() {
    let mut bench = pending();
    let kept = bench.user.clone().erase().expect("an order is open");
    bench.user = kept.clone();
    bench.stored = kept;
    bench.steps();
    bench.step(1, ZERO, reserved("mug", true));
    bench.step(1, ZERO, reserved("pot", true));
    assert!(bench.facts().is_empty());
    assert_eq!(names(&bench.steps()), [("mug", "commit"), ("pot", "commit")]);
    bench.step(2, ZERO, settled("mug"));
    bench.step(2, ZERO, settled("pot"));
    assert!(bench.user.is_empty());
    assert!(User::default().erase().is_none());
}

#[test]
fn a_guests_cart_arrives_once() {
    let (mut user, mut guest) = (Bench::new(), Bench::of("guest:s"));
    guest.counted(0, add("mug", 3, 100));
    user.counted(0, add("mug", 2, 90));
    user.counted(1, Kind::Login(v1::Login { guest_id: "s".into() }));
    let (to, take) = user.steps().pop().expect("a take");
    assert_eq!(to, "guest:s");

    guest.step(2, ZERO + MINUTE, take.clone());
    guest.step(2, ZERO + MINUTE, take.clone());
    let given = guest.steps();
    assert_eq!(given[0], given[1]);
    assert!(guest.user.cart().is_some_and(|cart| cart.lines.is_empty() && cart.deadline.is_none()));

    user.facts();
    for _ in 0..2 {
        user.step(3, ZERO + MINUTE, given[0].1.clone());
    }
    assert!(user.facts().is_empty() && !user.user.has_open_saga());
    let cart = user.user.cart().expect("a cart");
    assert_eq!((cart.version, cart.lines[0].quantity, cart.lines[0].unit_price), (2, 3, 90));

    let (_, taken) = user.steps().pop().expect("a taken");
    guest.step(4, ZERO + MINUTE, taken);
    assert!(!guest.user.has_open_saga());
    // A take that comes once more does not empty the next cart.
    guest.counted(5, add("pot", 1, 5));
    guest.step(6, ZERO + MINUTE, take);
    assert!(guest.user.cart().is_some_and(|cart| cart.lines.len() == 1));
}

#[test]
fn a_take_that_is_too_late_gives_nothing() {
    let mut guest = Bench::of("guest:s");
    guest.counted(100, add("mug", 3, 100));
    let take = Step::CartTake(journal::CartTake { user_id: "alice".into(), merge_id: 1 });
    guest.step(100, ZERO + 39 * MINUTE, take);
    assert!(matches!(&guest.steps()[..], [(_, Step::CartGiven(given))] if given.lines.is_empty()));
    assert!(guest.user.cart().is_some_and(|cart| cart.lines.len() == 1) && !guest.user.has_open_saga());
}

#[test]
fn the_policy_decides_whose_quantity_counts() {
    use v1::MergePolicy::{Customer, Guest, Max, Sum};
    for (policy, quantity) in [(Max, 5), (Sum, 7), (Guest, 5), (Customer, 2)] {
        let mut bench = Bench::new();
        bench.counted(0, add("mug", 2, 90));
        let merge = journal::MergeCarts { source_user_id: "guest:s".into(), policy: policy.into() };
        assert_eq!(bench.command(1, Action::MergeCarts(merge)), Outcome::Done);
        let merge_id = bench.now.offset;
        let line = |product: &str, currency: &str| journal::CartLine {
            product_id: product.into(),
            quantity: 5,
            currency_code: currency.into(),
            ..Default::default()
        };
        let lines = vec![line("mug", "EUR"), line("pot", "EUR"), line("tin", "USD")];
        bench.step(
            2,
            ZERO,
            Step::CartGiven(journal::CartGiven { guest_id: "guest:s".into(), merge_id, lines }),
        );
        let cart = bench.user.cart().expect("a cart");
        let quantities: Vec<_> = cart.lines.iter().map(|line| (&*line.product, line.quantity)).collect();
        assert_eq!(quantities, [("mug", quantity), ("pot", 5)], "{policy:?}");
    }
}
