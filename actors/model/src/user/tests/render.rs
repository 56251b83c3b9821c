//! Users as readers see them.

use super::*;
use crate::journal::ShardId;
use crate::ring::RingId;
use crate::shard::{AbandonedCart, AbandonedState};
use crate::time::to_timestamp;
use crate::user::abandoned_cart;

fn at(minute: i64) -> Option<prost_types::Timestamp> {
    Some(to_timestamp(ZERO + minute * MINUTE))
}

fn name(minute: i64) -> String {
    format!("users/alice/sessions/{}", ZERO + minute * MINUTE)
}

fn sessions(bench: &Bench) -> Vec<v1::Session> {
    bench.user.to_proto(&bench.key, &bench.now).sessions
}

#[test]
fn nobody_has_an_empty_cart_and_nothing_else() {
    let bench = Bench::new();
    let rendered = bench.user.to_proto(&bench.key, &bench.now);
    let cart = v1::Cart {
        name: "users/alice/cart".into(),
        quantity: Some(0),
        state: v1::cart::State::Active.into(),
        ..Default::default()
    };
    let nobody = v1::UserState { name: "users/alice".into(), cart: Some(cart), ..Default::default() };
    assert_eq!(rendered, nobody);
}

#[test]
fn a_session_shows_what_happened_in_it() {
    let mut bench = Bench::new();
    bench.counted(0, view("/mugs", "ads"));
    bench.counted(5, search());
    bench.counted(50, view("/pots", ""));
    let [newest, oldest] = sessions(&bench).try_into().expect("two sessions");
    assert_eq!(
        (&newest.name, newest.state(), newest.end_time),
        (&name(50), v1::session::State::Active, None)
    );
    assert_eq!((&oldest.name, oldest.state()), (&name(0), v1::session::State::Ended));
    assert_eq!((oldest.start_time, oldest.last_event_time, oldest.end_time), (at(0), at(5), at(35)));
    assert_eq!((&*oldest.landing_page, &*oldest.referrer), ("/mugs", "ads"));
    let counts = [("page_view".to_owned(), 1), ("search".to_owned(), 1)];
    assert_eq!(oldest.event_counts.into_iter().collect::<Vec<_>>(), counts);
    let steps: Vec<(&str, &str)> = oldest.journey.iter().map(|step| (&*step.kind, &*step.target)).collect();
    assert_eq!((steps, oldest.journey_truncated), (vec![("page_view", "/mugs"), ("search", "")], false));
}

#[test]
fn a_session_says_that_steps_gave_way() {
    let mut bench = Bench::new();
    for _ in 0..65 {
        bench.counted(0, view("/", ""));
    }
    let session = sessions(&bench).remove(0);
    assert_eq!((session.journey.len(), session.journey_truncated), (64, true));
}

#[test]
fn a_sessions_name_stays_good_when_a_late_event_moves_its_start() {
    let mut bench = Bench::new();
    bench.counted(20, view("/", ""));
    let id = (ZERO + 20 * MINUTE).to_string();
    bench.late(20, 10, view("/", ""));
    let session = bench.user.session(&id).expect("the session");
    assert_eq!(bench.user.session_to_proto(&bench.key, session, &bench.now).name, name(10));
    assert!(bench.user.session("0").is_none() && bench.user.session("latest").is_none());
}

#[test]
fn a_cart_is_abandoned_until_somebody_shops_on() {
    let mut bench = Bench::new();
    bench.counted(0, add("pot", 1, 1_000));
    bench.counted(1, add("mug", 2, 100));
    let cart = bench.user.cart_to_proto(&bench.key);
    let items: Vec<(&str, Option<i32>)> =
        cart.items.iter().map(|item| (&*item.name, item.quantity)).collect();
    assert_eq!(items, [("users/alice/cart/items/mug", Some(2)), ("users/alice/cart/items/pot", Some(1))]);
    assert_eq!((cart.version, cart.quantity, cart.subtotal.clone()), (2, Some(3), Some(euro(1_200))));
    assert_eq!((cart.state(), cart.abandon_time, cart.update_time), (v1::cart::State::Active, at(31), at(1)));
    assert_eq!((&*cart.items[0].product, cart.items[0].subtotal.clone()), ("products/mug", Some(euro(200))));
    bench.tick(32);
    let cart = bench.user.cart_to_proto(&bench.key);
    assert_eq!((cart.state(), cart.abandon_time), (v1::cart::State::Abandoned, at(31)));
    bench.counted(40, add("mug", 1, 100));
    let cart = bench.user.cart_to_proto(&bench.key);
    assert_eq!((cart.state(), cart.abandon_time), (v1::cart::State::Active, at(70)));
}

#[test]
fn an_abandoned_cart_shows_its_lines_and_gives_its_token_once() {
    let mut bench = Bench::new();
    bench.counted(0, add("mug", 2, 100));
    bench.tick(31);
    let mut entry = AbandonedCart {
        actor: bench.key.clone(),
        deadline: ZERO + 30 * MINUTE,
        stage: "cart".into(),
        currency_code: "EUR".into(),
        minor: 200,
        state: AbandonedState::Open,
    };
    fn shown(entry: &AbandonedCart, user: Option<&User>) -> v1::AbandonedCart {
        abandoned_cart(ShardId::users(17), RingId { position: 48_211, n: 0 }, entry, user)
    }
    let cart = shown(&entry, Some(&bench.user));
    assert_eq!(cart.name, "users/alice/abandonedCarts/users-17.48211.0");
    assert_eq!(
        (cart.state(), cart.stage()),
        (v1::abandoned_cart::State::Open, v1::abandoned_cart::Stage::Cart)
    );
    assert_eq!((cart.items.len(), cart.value.clone()), (1, Some(euro(200))));
    assert_eq!((&*cart.items[0].name, cart.recovery_token), ("", (ZERO + 30 * MINUTE).to_string()));
    assert_eq!(shown(&entry, None).recovery_token, "");
    bench.counted(40, placed("o-1", 200));
    entry.state = AbandonedState::Recovered { order_id: "o-1".into() };
    let cart = shown(&entry, Some(&bench.user));
    assert_eq!((&*cart.order, &*cart.recovery_token, cart.items.len()), ("users/alice/orders/o-1", "", 1));
}

#[test]
fn a_reported_order_shows_what_it_is_made_of() {
    let mut bench = Bench::new();
    let lines = vec![line("mug", Some(2), Some(100)), line("pot", Some(1), Some(1_000))];
    bench.counted(0, order(order_step::Stage::Placed, "o-1", lines, None));
    bench.counted(1, order(order_step::Stage::Refunded, "o-1", Vec::new(), Some(300)));
    let shown = bench.user.to_proto(&bench.key, &bench.now).orders.remove(0);
    assert_eq!((&*shown.name, shown.state()), ("users/alice/orders/o-1", v1::order::State::Confirmed));
    assert_eq!(
        (shown.subtotal, shown.total, shown.refunded),
        (Some(euro(1_200)), Some(euro(1_200)), Some(euro(300)))
    );
    assert_eq!((shown.tax, shown.shipping, shown.refund_due), (None, None, None));
    assert_eq!((shown.create_time, shown.update_time), (at(0), at(1)));
    assert_eq!(
        (&*shown.lines[0].product, shown.lines[0].subtotal.clone()),
        ("products/mug", Some(euro(200)))
    );
    assert_eq!((&*shown.lines[0].reason, shown.lines[0].available), ("", None));
}

#[test]
fn an_order_of_a_total_alone_has_no_subtotal() {
    let mut bench = Bench::new();
    bench.counted(0, placed("o-1", 500));
    let shown = bench.user.to_proto(&bench.key, &bench.now).orders.remove(0);
    assert_eq!((shown.subtotal, shown.total, shown.refunded), (None, Some(euro(500)), None));
}

#[test]
fn a_cancelled_checkout_says_why_and_what_is_due() {
    let mut bench = Bench::new();
    for product in ["mug", "pot"] {
        let item = journal::AddCartItem { product_id: product.into(), quantity: Some(2) };
        assert_eq!(bench.command(0, Action::AddCartItem(item)), Outcome::Done);
    }
    let checkout = Action::Checkout(journal::Checkout { order_id: "o".into(), ..Default::default() });
    assert_eq!(bench.command(0, checkout), Outcome::Done);
    let total = bench.user.order("o").and_then(|order| order.total).expect("a total");
    let payment = v1::Payment {
        payment_id: "pay".into(),
        state: v1::payment::State::Succeeded.into(),
        amount: Some(euro(total)),
        ..Default::default()
    };
    let record = journal::RecordPayment { order_id: "o".into(), payment: Some(payment) };
    assert_eq!(bench.command(1, Action::RecordPayment(record)), Outcome::Done);
    let pending = bench.user.to_proto(&bench.key, &bench.now).orders.remove(0);
    assert_eq!((pending.state(), pending.refund_due.clone()), (v1::order::State::Pending, None));
    assert_eq!((pending.tax, pending.shipping), (Some(euro(429)), Some(euro(490))));
    let refused = journal::Reserved {
        order_id: "o".into(),
        product_id: "pot".into(),
        granted: false,
        reason: Reason::OutOfStock.into(),
        available: 1,
    };
    bench.step(2, ZERO, step::Action::Reserved(refused));
    let granted = journal::Reserved {
        order_id: "o".into(),
        product_id: "mug".into(),
        granted: true,
        ..Default::default()
    };
    bench.step(2, ZERO, step::Action::Reserved(granted));
    let shown = bench.user.to_proto(&bench.key, &bench.now).orders.remove(0);
    assert_eq!((shown.state(), &*shown.cancel_reason), (v1::order::State::Cancelled, "OUT_OF_STOCK"));
    assert_eq!((&*shown.lines[1].reason, shown.lines[1].available), ("OUT_OF_STOCK", Some(1)));
    assert_eq!(shown.refund_due, Some(euro(total)));
}
