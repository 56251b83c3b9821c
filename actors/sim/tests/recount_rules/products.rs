//! Sections 8 and 12: stock, holds and alerts.

use souk_proto::journal::v1::{Commit, Release, Reserve, SetPrice, UpsertProduct, command, step};
use souk_proto::v1::event::Kind;
use souk_proto::v1::stock::Mode;
use souk_proto::v1::{ErrorReason, Product, Stock, StockStep, stock_step};
use souk_sim::recount::{AlertKind, Recount, ShardName, Verdict};

use super::journal::{DAY0, FACTS, HOUR, MINUTE, Shard, by, counted, eur};

fn shard(mode: Mode, available: i64) -> Shard {
    let mut products = Shard::products();
    let stock = Some(Stock { mode: mode.into(), available: Some(available), ..Stock::default() });
    let product = Some(Product { stock, price: Some(eur(1_000)), ..Product::default() });
    let upsert = UpsertProduct { product, update_mask: None };
    products.command(DAY0, "p", command::Action::UpsertProduct(upsert.into()), Vec::new());
    products
}

fn reserve(order: &str, quantity: i64) -> step::Action {
    step::Action::Reserve(Reserve { user_id: "a".to_owned(), order_id: order.to_owned(), quantity })
}

fn commit(order: &str, quantity: i64) -> step::Action {
    step::Action::Commit(Commit { user_id: "a".to_owned(), order_id: order.to_owned(), quantity })
}

fn release(order: &str) -> step::Action {
    step::Action::Release(Release { user_id: "a".to_owned(), order_id: order.to_owned() })
}

/// Received, available, reserved, sold.
fn stock(result: &Recount) -> (i64, Option<i64>, i64, i64) {
    let product = &result.products["main/p"];
    (product.received, product.available, product.reserved, product.sold)
}

fn alerts(result: &Recount) -> Vec<AlertKind> {
    result.alerts[&ShardName::products(0)].iter().map(|alert| alert.kind).collect()
}

#[test]
fn holds_are_all_or_nothing_and_asked_for_once() {
    let mut products = shard(Mode::ReserveOnOrder, 5);
    products.step(DAY0, "p", DAY0, reserve("o1", 3));
    products.step(DAY0, "p", DAY0, reserve("o1", 3)); // known
    products.step(DAY0, "p", DAY0, reserve("o2", 3)); // too many
    products.step(DAY0, "p", DAY0, release("o3"));
    products.step(DAY0, "p", DAY0, reserve("o3", 1)); // released before it came
    assert_eq!(stock(&counted(FACTS, &[&products])), (5, Some(2), 3, 0));
    products.step(DAY0, "p", DAY0, commit("o1", 3));
    products.step(DAY0, "p", DAY0, release("o1")); // too late, it is sold
    assert_eq!(stock(&counted(FACTS, &[&products])), (5, Some(2), 0, 3));
}

#[test]
fn a_reserve_an_hour_after_its_order_is_refused() {
    let mut products = shard(Mode::ReserveOnOrder, 5);
    products.step(DAY0 + HOUR, "p", DAY0, reserve("o1", 1));
    products.step(DAY0 + HOUR + 1, "p", DAY0, reserve("o2", 1));
    assert_eq!(stock(&counted(FACTS, &[&products])), (5, Some(4), 1, 0));
}

#[test]
fn tracked_stock_takes_what_was_oversold_as_received() {
    let mut products = shard(Mode::Track, 2);
    products.step(DAY0, "p", DAY0, reserve("o1", 5));
    assert_eq!(stock(&counted(FACTS, &[&products])), (2, Some(2), 0, 0));
    products.step(DAY0, "p", DAY0, commit("o1", 5));
    assert_eq!(stock(&counted(FACTS, &[&products])), (5, Some(0), 0, 5));
}

#[test]
fn stock_never_falls_below_none() {
    let mut products = Shard::products();
    let change = |delta| {
        let change = Some(stock_step::Change::Delta(delta));
        Kind::StockStep(StockStep { product_id: "p".to_owned(), change, reason: String::new() })
    };
    products.event(DAY0, by("", "1", change(4)));
    products.event(DAY0, by("", "2", change(-5)));
    products.event(DAY0, by("", "1", change(4)));
    let result = counted(FACTS, &[&products]);
    let verdicts: Vec<_> = result.verdicts.values().copied().collect();
    let below = Verdict::Rejected(ErrorReason::ValueOutOfRange);
    assert_eq!(verdicts, [Verdict::Counted, below, Verdict::Duplicate]);
    assert_eq!(stock(&result), (4, Some(4), 0, 0));
}

#[test]
fn alerts_tell_each_crossing_once() {
    let mut products = shard(Mode::ReserveOnOrder, 12);
    products.step(DAY0, "p", DAY0, reserve("o1", 3)); // 9: low
    products.step(DAY0, "p", DAY0, reserve("o2", 1)); // 8: still low
    products.step(DAY0, "p", DAY0, reserve("o3", 8)); // 0: out
    products.step(DAY0, "p", DAY0, release("o2")); // 1: back
    for price in [900, 809] {
        let set = SetPrice { price: Some(eur(price)) }; // 10 %: none; 10.1 %: a drop
        products.command(DAY0, "p", command::Action::SetPrice(set), Vec::new());
    }
    products.tick(DAY0 + HOUR - 1);
    products.tick(DAY0 + HOUR);
    products.tick(DAY0 + HOUR + MINUTE);
    let kinds = alerts(&counted(FACTS, &[&products]));
    let (low, out, back) = (AlertKind::LowStock, AlertKind::OutOfStock, AlertKind::BackInStock);
    assert_eq!(kinds, [low, out, back, AlertKind::PriceDrop, AlertKind::StaleStock]);
}

#[test]
fn a_product_that_does_not_exist_refuses_for_good() {
    let mut products = Shard::products();
    products.step(DAY0, "p", DAY0, reserve("o1", 1));
    for record in shard(Mode::ReserveOnOrder, 5).0.records {
        products.raw(DAY0, record.bytes);
    }
    products.step(DAY0, "p", DAY0, reserve("o1", 1)); // answered before
    products.step(DAY0, "p", DAY0, reserve("o2", 1));
    assert_eq!(stock(&counted(FACTS, &[&products])), (5, Some(4), 1, 0));
}
