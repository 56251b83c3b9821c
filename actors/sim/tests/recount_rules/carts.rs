//! Sections 5 and 6: carts, and who leaves them.

use souk_proto::journal::v1::{
    AddCartItem, CartGiven, CartLine, CartTake, MergeCarts, RestoreCart, command, step,
};
use souk_proto::v1::cart_step::Action;
use souk_proto::v1::order_step::Stage;
use souk_proto::v1::{ErrorReason, MergePolicy, Money};
use souk_sim::recount::Verdict;

use super::journal::{
    DAY0, FACTS, HOUR, MINUTE, SECOND, Shard, add, by, cart, counted, fact, line, order, stamp, user, verdict,
};

fn lines(result: &souk_sim::recount::Recount, id: &str) -> Vec<(String, i64, i64)> {
    user(result, id).cart.into_iter().map(|line| (line.product, line.quantity, line.unit_price)).collect()
}

#[test]
fn steps_change_the_lines_and_say_by_how_much() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", add("p", 2, 500)));
    users.event(DAY0, by("a", "2", add("p", 1, 400)));
    users.event(DAY0, by("a", "3", cart(Action::SetQuantity, line("p", Some(3), None)))); // the same: no fact
    users.event(DAY0, by("a", "4", cart(Action::SetQuantity, line("p", Some(5), None))));
    users.event(DAY0, by("a", "5", cart(Action::Remove, line("p", Some(9), None))));
    users.event(DAY0, by("a", "6", cart(Action::Remove, line("p", None, None)))); // not there: no fact
    let result = counted(FACTS, &[&users]);
    assert_eq!((fact(&result, "adds"), fact(&result, "removes"), fact(&result, "removed")), (3, 1, 5));
    assert_eq!((lines(&result, "a"), user(&result, "a").cart_version), (vec![], 4));
}

#[test]
fn a_cart_has_one_currency_and_needs_a_price() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", add("p", 1, 500)));
    let mut yen = line("q", None, Some(5));
    yen.unit_price = Some(Money { currency_code: "JPY".to_owned(), minor_units: Some(5) });
    users.event(DAY0, by("a", "2", cart(Action::Add, yen)));
    users.event(DAY0, by("a", "3", cart(Action::Add, line("q", None, None))));
    users.event(DAY0, by("a", "4", add("p", 1_000, 500)));
    let result = counted(FACTS, &[&users]);
    let reasons = [ErrorReason::CurrencyMismatch, ErrorReason::FieldMissing, ErrorReason::ValueOutOfRange];
    for (offset, reason) in (1..).zip(reasons) {
        assert_eq!(verdict(&result, offset), Verdict::Rejected(reason));
    }
    assert_eq!(lines(&result, "a"), [("p".to_owned(), 1, 500)]);
}

#[test]
fn from_the_first_command_reports_no_longer_move_the_cart() {
    let mut users = Shard::users();
    let bought = AddCartItem { product_id: "p".to_owned(), quantity: Some(2) };
    users.command(DAY0, "a", command::Action::AddCartItem(bought), vec![stamp("p", 300)]);
    users.event(DAY0, by("a", "1", add("p", 1, 500)));
    let result = counted(FACTS, &[&users]);
    assert_eq!(lines(&result, "a"), [("p".to_owned(), 2, 300)]);
    assert_eq!((verdict(&result, 1), fact(&result, "adds")), (Verdict::Counted, 1));
    assert_eq!(user(&result, "a").journey, [(DAY0, "cart_step".to_owned())]);
}

#[test]
fn a_late_add_before_the_deadline_takes_the_abandonment_back() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", add("p", 2, 500)));
    users.tick(DAY0 + HOUR);
    let left = counted(FACTS, &[&users]);
    assert_eq!((fact(&left, "abandoned"), fact(&left, "left")), (1, 1_000));
    assert_eq!(user(&left, "a").abandoned, Some(DAY0 + 30 * MINUTE));
    users.late(DAY0 + HOUR, DAY0 + 20 * MINUTE, by("a", "2", add("p", 1, 500)));
    let back = counted(FACTS, &[&users]);
    assert_eq!((fact(&back, "abandoned"), fact(&back, "left")), (0, 0));
    assert_eq!((user(&back, "a").abandoned, user(&back, "a").deadline), (None, Some(DAY0 + 50 * MINUTE)));
    users.tick(DAY0 + HOUR);
    assert_eq!((fact(&counted(FACTS, &[&users]), "left")), 1_500);
}

#[test]
fn a_late_add_before_the_latest_changes_nothing_about_it() {
    let mut users = Shard::users();
    users.event(DAY0 + MINUTE, by("a", "1", add("p", 1, 500)));
    users.tick(DAY0 + HOUR);
    users.late(DAY0 + HOUR, DAY0 + MINUTE, by("a", "2", add("q", 1, 500)));
    let result = counted(FACTS, &[&users]);
    assert_eq!((fact(&result, "abandoned"), user(&result, "a").deadline), (1, None));
}

#[test]
fn an_order_after_the_deadline_recovers_and_one_before_retracts() {
    for (at, abandoned, recovered) in [(29 * MINUTE, 0, 0), (30 * MINUTE, 0, 0), (31 * MINUTE, 1, 1)] {
        let mut users = Shard::users();
        users.event(DAY0, by("a", "1", add("p", 2, 500)));
        users.tick(DAY0 + HOUR);
        users.late(DAY0 + HOUR, DAY0 + at, by("a", "2", order(Stage::Placed, "o", vec![], Some(900))));
        let result = counted(FACTS, &[&users]);
        assert_eq!(
            (fact(&result, "abandoned"), fact(&result, "recovered")),
            (abandoned, recovered),
            "at {at}"
        );
        assert_eq!((lines(&result, "a"), fact(&result, "removes")), (vec![], 0));
    }
}

#[test]
fn an_add_past_a_deadline_the_watermark_has_not_reached_fires_first() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", add("p", 1, 500)));
    users.event(DAY0 + 30 * MINUTE + SECOND, by("a", "2", add("p", 1, 500)));
    let result = counted(FACTS, &[&users]);
    assert_eq!((fact(&result, "abandoned"), fact(&result, "left")), (1, 500)); // worth what it was before the add
    assert_eq!(user(&result, "a").deadline, Some(DAY0 + HOUR + SECOND));
}

#[test]
fn an_abandoned_cart_is_put_back_once() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", add("p", 2, 500)));
    users.tick(DAY0 + HOUR);
    users.event(DAY0 + HOUR, by("a", "2", cart(Action::Clear, line("", None, None))));
    let token = RestoreCart { recovery_token: (DAY0 + 30 * MINUTE).to_string() };
    users.command(DAY0 + HOUR, "a", command::Action::RestoreCart(token.clone()), Vec::new());
    users.command(DAY0 + HOUR, "a", command::Action::RestoreCart(token), Vec::new());
    let result = counted(FACTS, &[&users]);
    assert_eq!(lines(&result, "a"), [("p".to_owned(), 2, 500)]);
    assert_eq!(verdict(&result, 4), Verdict::Refused(ErrorReason::RecoveryTokenUsed));
}

#[test]
fn what_is_put_back_is_the_larger_quantity_at_the_cart_s_price() {
    let mut users = Shard::users();
    users.event(DAY0, by("a", "1", add("p", 3, 500)));
    users.event(DAY0, by("a", "2", add("q", 1, 100)));
    users.tick(DAY0 + HOUR);
    users.event(DAY0 + HOUR, by("a", "3", cart(Action::Clear, line("", None, None))));
    users.event(DAY0 + HOUR, by("a", "4", add("p", 1, 450)));
    let token = RestoreCart { recovery_token: (DAY0 + 30 * MINUTE).to_string() };
    users.command(DAY0 + HOUR, "a", command::Action::RestoreCart(token), Vec::new());
    let result = counted(FACTS, &[&users]);
    assert_eq!(lines(&result, "a"), [("p".to_owned(), 3, 450), ("q".to_owned(), 1, 100)]);
    assert_eq!((fact(&result, "adds"), user(&result, "a").cart_version), (5, 5)); // two, a clear, one, and all at once
}

#[test]
fn a_guests_cart_is_merged_by_policy() {
    let given = |product: &str, quantity: u32, currency: &str| CartLine {
        product_id: product.to_owned(),
        quantity,
        currency_code: currency.to_owned(),
        unit_price_minor_units: 700,
        ..CartLine::default()
    };
    for (policy, expected) in [
        (MergePolicy::Unspecified, 3),
        (MergePolicy::Sum, 5),
        (MergePolicy::Guest, 2),
        (MergePolicy::Customer, 3),
    ] {
        let mut users = Shard::users();
        users.event(DAY0, by("a", "1", add("p", 3, 500)));
        let merge = MergeCarts { source_user_id: "guest:s".to_owned(), policy: policy.into() };
        let merge_id = users.command(DAY0, "a", command::Action::MergeCarts(merge), Vec::new());
        let lines_given = vec![given("p", 2, "EUR"), given("q", 1, "EUR"), given("r", 1, "USD")];
        let arrival = CartGiven { guest_id: "guest:s".to_owned(), merge_id, lines: lines_given };
        users.step(DAY0, "a", DAY0, step::Action::CartGiven(arrival.clone()));
        users.step(DAY0, "a", DAY0, step::Action::CartGiven(arrival)); // applied once
        let result = counted(FACTS, &[&users]);
        assert_eq!(
            lines(&result, "a"),
            [("p".to_owned(), expected, 500), ("q".to_owned(), 1, 700)],
            "{policy:?}"
        );
        assert_eq!((user(&result, "a").cart_version, fact(&result, "adds")), (2, 1));
    }
}

#[test]
fn a_guest_gives_its_cart_without_a_fact() {
    let mut users = Shard::users();
    let mut guest = by("", "1", add("p", 3, 500));
    guest.session_id = "s".to_owned();
    users.event(DAY0, guest);
    let take = CartTake { user_id: "a".to_owned(), merge_id: 9 };
    users.step(DAY0 + 2 * HOUR, "guest:s", DAY0, step::Action::CartTake(take.clone())); // asked too late
    let kept = counted(FACTS, &[&users]);
    assert_eq!((lines(&kept, "guest:s").len(), fact(&kept, "abandoned")), (1, 1));
    users.step(DAY0 + 2 * HOUR, "guest:s", DAY0 + HOUR, step::Action::CartTake(take));
    let given = counted(FACTS, &[&users]);
    assert_eq!((lines(&given, "guest:s").len(), fact(&given, "removes")), (0, 0));
    assert_eq!(user(&given, "guest:s").abandoned, None);
}
