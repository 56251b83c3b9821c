//! The rules of a product, one table or story each.

use std::sync::LazyLock;

use proptest::prelude::*;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::command::Action as Asked;
use souk_proto::journal::v1::step::Action;
use souk_proto::v1;
use souk_proto::v1::alert::Kind;
use souk_proto::v1::stock_step::Change::{Delta, Level};

use super::*;
use crate::actor::{Actor, StateError, TimerClock};
use crate::fact::{Fact, FactSink};
use crate::journal::Journal;
use crate::output::{Outcome, Outputs};
use crate::planted::Planted;
use crate::record::{Command, Event, Step};
use crate::settings::Settings;
use crate::tally::Presence;
use crate::time::{HOUR, MINUTE, Now, SECOND, to_timestamp};
use crate::verdict::{Reason, Verdict};

struct NoFacts;

impl FactSink for NoFacts {
    fn fact(&mut self, _: &Fact<'_>, _: Option<&mut Presence>) {
        panic!("a product makes no facts");
    }
}

/// One product, folded as its shard would: due timers first, then the record.
struct Shop {
    product: Product,
    key: ActorKey,
    now: Now,
    planted: Planted,
    next_id: u64,
    out: Vec<Output>,
}

fn euro(minor: i64) -> Option<v1::Money> {
    Some(v1::Money { currency_code: "EUR".into(), minor_units: Some(minor) })
}

/// Low below 10, stale after an hour, a drop of more than 10 %.
static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::builtin);

impl Shop {
    fn empty() -> Self {
        Self {
            product: Product::default(),
            key: ActorKey::new("main", "p-1"),
            now: Now { offset: 1, log_time: 1_000_000_000, high_water: 0, watermark: 0, out_of_reach: 0 },
            planted: Planted::default(),
            next_id: 0,
            out: Vec::new(),
        }
    }

    /// A product of 10 EUR with `available` pieces.
    fn stocked(mode: Mode, available: i64) -> Self {
        let mut shop = Self::empty();
        let stock =
            v1::Stock { mode: mode.to_proto().into(), available: Some(available), ..Default::default() };
        let product = v1::Product { price: euro(1_000), stock: Some(stock), ..Default::default() };
        assert_eq!(shop.upsert(product, &[]), Outcome::Done);
        shop.out.clear();
        shop
    }

    fn pass(&mut self, time: Millis) {
        self.now.offset += 1;
        self.now.log_time += time;
        while let Some(due) = self.product.deadlines().log_time.filter(|due| *due <= self.now.log_time) {
            self.fold(|product, ctx, key| product.fire(ctx, key, TimerClock::LogTime, due));
        }
    }

    fn fold<T>(&mut self, folds: impl FnOnce(&mut Product, &mut Context<'_>, &ActorKey) -> T) -> T {
        let mut out = Outputs::default();
        let ctx = &mut Context {
            now: self.now,
            settings: &SETTINGS,
            facts: &mut NoFacts,
            out: &mut out,
            planted: self.planted,
        };
        let result = folds(&mut self.product, ctx, &self.key);
        self.out.append(&mut out.items);
        result
    }

    fn event(&mut self, kind: v1::event::Kind) -> Verdict {
        self.next_id += 1;
        self.event_with_id(self.next_id, kind)
    }

    fn event_with_id(&mut self, fingerprint: u64, kind: v1::event::Kind) -> Verdict {
        self.pass(1);
        let event = Event {
            key: self.key.clone(),
            keyless: true,
            time: None,
            fingerprint,
            event: v1::Event { kind: Some(kind), ..Default::default() },
            stamps: Vec::new(),
            bridge: None,
        };
        self.fold(|product, ctx, _| product.event(ctx, &event))
    }

    fn stock_step(&mut self, change: v1::stock_step::Change) -> Verdict {
        let step = v1::StockStep { product_id: "p-1".into(), change: Some(change), reason: String::new() };
        self.event(v1::event::Kind::StockStep(step))
    }

    fn command(&mut self, command: journal::Command) -> Outcome {
        self.pass(1);
        let command = Command { key: self.key.clone(), command };
        self.fold(|product, ctx, key| product.command(ctx, key, &command))
    }

    fn ask(&mut self, action: Asked) -> Outcome {
        self.command(journal::Command { action: Some(action), ..Default::default() })
    }

    fn upsert(&mut self, product: v1::Product, mask: &[&str]) -> Outcome {
        let paths = mask.iter().map(|path| (*path).to_owned()).collect();
        let update_mask = (!mask.is_empty()).then_some(prost_types::FieldMask { paths });
        self.ask(Asked::UpsertProduct(Box::new(journal::UpsertProduct {
            product: Some(product),
            update_mask,
        })))
    }

    fn set_price(&mut self, minor: i64) -> Outcome {
        self.ask(Asked::SetPrice(journal::SetPrice { price: euro(minor) }))
    }

    fn start_sale(&mut self, sale: journal::StartSale) -> Outcome {
        self.ask(Asked::StartSale(sale))
    }

    fn step(&mut self, created: Millis, action: Action) -> Option<journal::Step> {
        self.pass(1);
        let step = journal::Step {
            shop: "main".into(),
            actor_id: "p-1".into(),
            created_ms: created,
            action: Some(action),
        };
        let step = Step { key: self.key.clone(), step };
        self.fold(|product, ctx, key| product.step(ctx, key, &step));
        match self.out.pop() {
            Some(Output::Step { journal: Journal::Users, to, step }) => {
                assert_eq!((to.shop(), to.id(), step.created_ms), ("main", step.actor_id.as_str(), created));
                Some(*step)
            }
            Some(other) => {
                self.out.push(other);
                None
            }
            None => None,
        }
    }

    /// Reserves for an order created now. `Err` says why not.
    fn reserve(&mut self, user: &str, order: &str, quantity: i64) -> Result<(), (Reason, i64)> {
        self.reserve_created(self.now.log_time, user, order, quantity)
    }

    fn reserve_created(
        &mut self,
        created: Millis,
        user: &str,
        order: &str,
        quantity: i64,
    ) -> Result<(), (Reason, i64)> {
        let reserve = journal::Reserve { user_id: user.into(), order_id: order.into(), quantity };
        let answer = self.step(created, Action::Reserve(reserve)).expect("every Reserve is answered");
        match answer.action {
            Some(Action::Reserved(answer)) if answer.granted => Ok(()),
            Some(Action::Reserved(answer)) => Err((answer.reason(), answer.available)),
            other => panic!("{other:?}"),
        }
    }

    fn commit(&mut self, user: &str, order: &str) {
        let commit = journal::Commit { user_id: user.into(), order_id: order.into(), quantity: 1 };
        let answer = self.step(self.now.log_time, Action::Commit(commit));
        assert!(matches!(answer.and_then(|step| step.action), Some(Action::Settled(_))));
    }

    fn release(&mut self, user: &str, order: &str) {
        let release = journal::Release { user_id: user.into(), order_id: order.into() };
        let answer = self.step(self.now.log_time, Action::Release(release));
        assert!(matches!(answer.and_then(|step| step.action), Some(Action::Settled(_))));
    }

    fn alerts(&mut self) -> Vec<Kind> {
        let kind = |output: Output| match output {
            Output::Alert { kind, .. } => Some(kind),
            _ => None,
        };
        self.out.drain(..).filter_map(kind).collect()
    }

    /// (received, available, reserved, sold)
    fn pieces(&self) -> (i64, i64, i64, i64) {
        let Stock { received, available, reserved, sold, .. } = *self.product.stock();
        (received, available, reserved, sold)
    }
}

fn reason(outcome: Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Done => None,
        Outcome::Refused(refusal) => Some(refusal.reason),
    }
}

fn sale_of(minor: i64) -> journal::StartSale {
    journal::StartSale { price: euro(minor), ..Default::default() }
}

#[test]
fn stock_steps_move_available_and_received() {
    for (change, counted, pieces) in [
        (Delta(5), true, (25, 25, 0, 0)),
        (Delta(-20), true, (0, 0, 0, 0)),
        (Delta(-21), false, (20, 20, 0, 0)),
        (Level(3), true, (3, 3, 0, 0)),
        (Level(-1), false, (20, 20, 0, 0)),
        (Level(i64::MAX), false, (20, 20, 0, 0)),
        (Delta(i64::MAX), false, (20, 20, 0, 0)),
        (Delta(i64::MIN), false, (20, 20, 0, 0)),
    ] {
        let mut shop = Shop::stocked(Mode::Track, 20);
        assert_eq!(shop.stock_step(change) == Verdict::Counted, counted, "{change:?}");
        assert_eq!(shop.pieces(), pieces, "{change:?}");
    }
}

#[test]
fn a_stock_step_creates_an_unknown_product_but_a_command_does_not() {
    let mut shop = Shop::empty();
    let adjust =
        journal::AdjustStock { change: Some(journal::adjust_stock::Change::Level(5)), ..Default::default() };
    for action in [
        Asked::AdjustStock(adjust),
        Asked::SetPrice(journal::SetPrice { price: euro(1) }),
        Asked::StartSale(sale_of(1)),
        Asked::EndSale(journal::EndSale {}),
    ] {
        assert_eq!(reason(shop.ask(action)), Some(Reason::ProductUnknown));
    }
    assert!(matches!(shop.stock_step(Delta(-1)), Verdict::Rejected(_)));
    assert!(shop.product.is_empty());
    assert_eq!(shop.stock_step(Level(50)), Verdict::Counted);
    assert_eq!((shop.product.version(), shop.product.stock().mode), (1, Mode::Track));
    assert_eq!(shop.product.to_proto(&shop.key).create_time, Some(to_timestamp(shop.now.log_time)));
}

#[test]
fn a_repeated_event_is_a_duplicate_for_an_hour() {
    let mut shop = Shop::stocked(Mode::Track, 20);
    let step = |delta| {
        let change = Some(Delta(delta));
        v1::event::Kind::StockStep(v1::StockStep { product_id: "p-1".into(), change, reason: String::new() })
    };
    assert!(
        matches!(shop.event_with_id(7, step(-100)), Verdict::Rejected(_)),
        "refused ones are not remembered"
    );
    assert_eq!(shop.event_with_id(7, step(1)), Verdict::Counted);
    assert_eq!(shop.event_with_id(7, step(1)), Verdict::Duplicate);
    shop.pass(62 * MINUTE);
    assert_eq!(shop.event_with_id(7, step(1)), Verdict::Counted);
    assert_eq!(shop.product.stock().available, 22);
}

#[test]
fn a_mask_says_which_fields_count() {
    let full = v1::Product {
        title: "Mug".into(),
        brand: "Acme".into(),
        tags: vec!["blue".into()],
        price: euro(500),
        rating: Some(4.5),
        stock: Some(v1::Stock { available: Some(7), low_below: Some(2), ..Default::default() }),
        ..Default::default()
    };
    let mut shop = Shop::empty();
    assert_eq!(shop.upsert(full.clone(), &[]), Outcome::Done);
    let created = shop.product.clone();

    assert_eq!(shop.upsert(v1::Product::default(), &[]), Outcome::Done);
    assert_eq!(shop.product.version(), created.version(), "nothing set, nothing changed");

    let cleared = v1::Product { title: "Cup".into(), ..Default::default() };
    assert_eq!(shop.upsert(cleared, &["title", "brand", "rating", "stock"]), Outcome::Done);
    let proto = shop.product.to_proto(&shop.key);
    assert_eq!((proto.title.as_str(), proto.brand.as_str(), proto.rating), ("Cup", "", None));
    assert_eq!((proto.price, proto.tags), (euro(500), vec!["blue".to_owned()]), "not named, not touched");
    let stock = proto.stock.expect("stock");
    assert_eq!(
        (stock.available, stock.low_below),
        (Some(7), None),
        "pieces do not vanish for being left out"
    );
    assert_eq!(shop.product.version(), created.version() + 1);

    assert_eq!(shop.upsert(full, &["title", "brand", "tags", "price", "rating", "stock"]), Outcome::Done);
    assert_eq!(shop.product.text(), created.text());
}

#[test]
fn what_does_not_fit_the_product_changes_nothing_at_all() {
    let now = Shop::stocked(Mode::Track, 20).now.log_time;
    let dollars = v1::Money { currency_code: "USD".into(), minor_units: Some(5) };
    let sale = |price: v1::Money, end: Option<Millis>| {
        Some(v1::Sale { price: Some(price), end_time: end.map(to_timestamp), ..Default::default() })
    };
    let euros = euro(5).expect("an amount");
    let base = || v1::Product { title: "New".into(), ..Default::default() };
    for (product, want) in [
        (v1::Product { sale: sale(dollars.clone(), None), ..base() }, Reason::CurrencyMismatch),
        (v1::Product { sale: sale(euros, Some(now)), ..base() }, Reason::ValueOutOfRange),
        (v1::Product { sale: Some(v1::Sale::default()), ..base() }, Reason::FieldMissing),
        (v1::Product { price: Some(v1::Money::default()), ..base() }, Reason::CurrencyUnknown),
    ] {
        let mut shop = Shop::stocked(Mode::Track, 20);
        let before = shop.product.clone();
        assert_eq!(reason(shop.upsert(product.clone(), &[])), Some(want), "{product:?}");
        assert_eq!(shop.product, before);
        let step = v1::ProductStep { product: Some(product), update_mask: None };
        let verdict = shop.event(v1::event::Kind::ProductStep(step.into()));
        assert!(matches!(verdict, Verdict::Rejected(refusal) if refusal.reason == want));
        assert_eq!(shop.product, before);
    }
    let unpriced = v1::Product { sale: sale(dollars, None), ..base() };
    assert_eq!(reason(Shop::empty().upsert(unpriced, &[])), Some(Reason::FieldMissing));
}

#[test]
fn a_request_is_decided_once() {
    let mut shop = Shop::stocked(Mode::Track, 20);
    let adjust = |body_hash, delta| journal::Command {
        request_id: "r-1".into(),
        body_hash,
        action: Some(Asked::AdjustStock(journal::AdjustStock {
            change: Some(journal::adjust_stock::Change::Delta(delta)),
            ..Default::default()
        })),
        ..Default::default()
    };
    assert_eq!(shop.command(adjust(1, 5)), Outcome::Done);
    assert_eq!(shop.command(adjust(1, 5)), Outcome::Done);
    assert_eq!(reason(shop.command(adjust(2, 6))), Some(Reason::RequestIdReused));
    assert_eq!(shop.product.stock().available, 25);
}

#[test]
fn if_version_guards_every_command() {
    let mut shop = Shop::stocked(Mode::Track, 20);
    let set = |if_version, minor| journal::Command {
        if_version: Some(if_version),
        action: Some(Asked::SetPrice(journal::SetPrice { price: euro(minor) })),
        ..Default::default()
    };
    assert_eq!(reason(shop.command(set(0, 1))), Some(Reason::VersionMismatch));
    assert_eq!(shop.command(set(1, 999)), Outcome::Done);
    assert_eq!(reason(shop.command(set(1, 1))), Some(Reason::VersionMismatch));
    assert_eq!(shop.product.version(), 2);
}

#[test]
fn stock_alerts_tell_the_edges() {
    for (before, level, want) in [
        (Some(20), 10, None),
        (Some(20), 9, Some(Kind::LowStock)),
        (Some(9), 8, None),
        (Some(8), 12, None),
        (Some(20), 0, Some(Kind::OutOfStock)),
        (Some(5), 0, Some(Kind::OutOfStock)),
        (Some(0), 0, None),
        (Some(0), 3, Some(Kind::BackInStock)),
        (None, 3, Some(Kind::LowStock)),
        (None, 0, Some(Kind::OutOfStock)),
        (None, 10, None),
    ] {
        let mut shop = match before {
            Some(available) => Shop::stocked(Mode::Track, available),
            None => Shop::empty(),
        };
        assert_eq!(shop.stock_step(Level(level)), Verdict::Counted);
        assert_eq!(shop.alerts(), Vec::from_iter(want), "{before:?} to {level}");
    }
}

#[test]
fn low_below_of_the_product_wins_and_zero_switches_off() {
    for (low_below, want) in [(Some(3), None), (Some(6), Some(Kind::LowStock)), (Some(0), None)] {
        let mut shop = Shop::stocked(Mode::Track, 20);
        let stock = Some(v1::Stock { low_below, ..Default::default() });
        shop.upsert(v1::Product { stock, ..Default::default() }, &[]);
        shop.stock_step(Level(5));
        assert_eq!(shop.alerts(), Vec::from_iter(want), "{low_below:?}");
    }
}

#[test]
fn orders_raise_stock_alerts_too() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 11);
    shop.reserve("u", "o-1", 2).expect("enough");
    shop.reserve("u", "o-2", 9).expect("enough");
    shop.release("u", "o-2");
    assert_eq!(shop.alerts(), [Kind::LowStock, Kind::OutOfStock, Kind::BackInStock]);
}

#[test]
fn a_price_drop_is_more_than_the_settings_say() {
    for (minor, want) in
        [(900, None), (899, Some(Kind::PriceDrop)), (2_000, None), (0, Some(Kind::PriceDrop))]
    {
        let mut shop = Shop::stocked(Mode::Track, 20);
        assert_eq!(shop.set_price(minor), Outcome::Done);
        assert_eq!(shop.alerts(), Vec::from_iter(want), "{minor}");
    }
    let mut shop = Shop::stocked(Mode::Track, 20);
    let dollars = v1::Money { currency_code: "USD".into(), minor_units: Some(1) };
    shop.ask(Asked::SetPrice(journal::SetPrice { price: Some(dollars) }));
    assert_eq!(shop.alerts(), [], "another currency is no fall");
}

#[test]
fn stale_stock_is_told_once_until_the_next_update() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 20);
    shop.pass(30 * MINUTE);
    shop.reserve("u", "o-1", 1).expect("enough");
    shop.pass(30 * MINUTE);
    assert_eq!(shop.alerts(), [Kind::StaleStock], "an order is no news of the stock");
    shop.pass(5 * HOUR);
    assert_eq!(shop.alerts(), []);
    shop.stock_step(Level(19));
    shop.pass(HOUR);
    let stale = shop.out.pop();
    let armed = shop.now.log_time;
    assert!(matches!(stale, Some(Output::Alert { kind: Kind::StaleStock, time, .. }) if time == armed));
}

#[test]
fn a_hold_becomes_a_sale_or_comes_back() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
    assert_eq!(shop.reserve("u", "o-1", 4), Ok(()));
    assert_eq!(shop.reserve("u", "o-1", 4), Ok(()), "a known order gets the same answer");
    assert_eq!(shop.reserve("v", "o-1", 3), Ok(()), "another user's order of the same id is another order");
    assert_eq!(shop.pieces(), (10, 3, 7, 0));
    assert_eq!(shop.reserve("u", "o-2", 4), Err((Reason::OutOfStock, 3)));
    shop.commit("u", "o-1");
    shop.commit("u", "o-1");
    shop.release("u", "o-1");
    assert_eq!(shop.pieces(), (10, 3, 3, 4));
    shop.release("v", "o-1");
    shop.release("v", "o-1");
    shop.commit("v", "o-1");
    assert_eq!(shop.pieces(), (10, 6, 0, 4));
    assert_eq!(shop.reserve("u", "o-2", 4), Err((Reason::OutOfStock, 3)), "the same answer, enough or not");
    assert_eq!(shop.reserve("u", "o-1", 4), Ok(()));
    assert_eq!(shop.reserve("v", "o-1", 3), Err((Reason::OrderFinal, 6)));
    assert_eq!(shop.pieces(), (10, 6, 0, 4));
}

#[test]
fn modes_promise_as_they_say() {
    for (mode, held, sold) in [
        (Mode::None, (5, 5, 0, 0), (5, 5, 0, 0)),
        (Mode::Track, (5, 5, 0, 0), (8, 0, 0, 8)),
        (Mode::ReserveOnOrder, (5, 5, 0, 0), (5, 5, 0, 0)),
        (Mode::ReserveOnCart, (5, 5, 0, 0), (5, 5, 0, 0)),
    ] {
        let mut shop = Shop::stocked(mode, 5);
        let granted = shop.reserve("u", "o-1", 8).is_ok();
        assert_eq!(granted, matches!(mode, Mode::None | Mode::Track), "{mode:?}");
        assert_eq!(shop.pieces(), held, "{mode:?}");
        shop.commit("u", "o-1");
        shop.commit("u", "o-1");
        assert_eq!(shop.pieces(), sold, "{mode:?}");
    }
}

#[test]
fn a_mode_changed_under_a_hold_does_not_change_the_hold() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 5);
    shop.reserve("u", "o-1", 5).expect("enough");
    let stock = v1::Stock { mode: v1::stock::Mode::None.into(), ..Default::default() };
    shop.upsert(v1::Product { stock: Some(stock), ..Default::default() }, &[]);
    shop.reserve("u", "o-2", 50).expect("everything is granted");
    shop.commit("u", "o-1");
    shop.commit("u", "o-2");
    assert_eq!(shop.pieces(), (5, 0, 0, 5));
}

#[test]
fn an_old_reserve_is_refused_and_a_release_forbids_one_to_come() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
    let created = shop.now.log_time;
    let release = journal::Release { user_id: "u".into(), order_id: "o-1".into() };
    shop.step(created, Action::Release(release));
    assert_eq!(shop.reserve_created(created, "u", "o-1", 1), Err((Reason::OrderFinal, 10)));
    shop.pass(created + HOUR - shop.now.log_time - 1);
    assert_eq!(
        shop.reserve_created(created, "u", "o-1", 1),
        Err((Reason::OrderFinal, 10)),
        "marks are not early"
    );
    assert_eq!(shop.reserve_created(created, "u", "o-1", 1), Err((Reason::HoldExpired, 10)));
    assert_eq!(shop.reserve_created(created, "u", "o-2", 1), Err((Reason::HoldExpired, 10)), "nor a new one");
    shop.pass(HOUR);
    assert_eq!(shop.reserve_created(created, "u", "o-1", 1), Err((Reason::HoldExpired, 10)));
    assert!(shop.product.orders.is_empty(), "the mark is gone, the age refuses by itself");
    shop.commit("u", "o-9");
    assert_eq!(shop.pieces(), (10, 10, 0, 0), "an unknown order is settled");
}

#[test]
fn what_no_longer_matters_is_forgotten_by_itself() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
    shop.stock_step(Delta(1));
    shop.reserve("u", "o-1", 4).expect("enough");
    shop.reserve("u", "o-2", 40).expect_err("too many");
    shop.commit("u", "o-1");
    shop.set_price(5);
    shop.pass(2 * HOUR);
    assert!(shop.product.orders.is_empty() && shop.product.events.is_empty());
    assert_eq!(shop.product.deadlines().log_time, None);

    let mut unknown = Shop::empty();
    unknown.reserve("u", "o-1", 4).expect_err("unknown");
    unknown.pass(2 * HOUR);
    assert!(unknown.product.is_empty());
}

#[test]
fn many_marks_are_forgotten_in_several_turns() {
    let mut shop = Shop::empty();
    for order in 0..600 {
        shop.reserve_created(shop.now.log_time, "u", &format!("o-{order}"), 1).expect_err("unknown");
    }
    shop.pass(2 * HOUR);
    assert!(shop.product.is_empty());
}

#[test]
fn a_hold_never_expires_by_itself() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
    shop.reserve("u", "o-1", 4).expect("enough");
    shop.pass(1_000 * HOUR);
    shop.reserve("v", "o-2", 7).expect_err("held for ever");
    shop.commit("u", "o-1");
    assert_eq!(shop.pieces(), (10, 6, 0, 4));
}

#[test]
fn an_unknown_product_grants_nothing() {
    let mut shop = Shop::empty();
    assert_eq!(shop.reserve("u", "o-1", 1), Err((Reason::ProductUnknown, 0)));
    assert_eq!(shop.product.version(), 0);
    assert!(!shop.product.is_empty(), "its answer is remembered");
}

#[test]
fn a_sale_has_its_price_from_start_to_end() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 100);
    let start = shop.now.log_time + MINUTE;
    let sale = journal::StartSale {
        start_time: Some(to_timestamp(start)),
        end_time: Some(to_timestamp(start + MINUTE)),
        ..sale_of(700)
    };
    let charged = |shop: &Shop| shop.product.price_now().map(|money| money.minor);
    assert_eq!(shop.start_sale(sale), Outcome::Done);
    assert_eq!((charged(&shop), shop.alerts()), (Some(1_000), vec![]), "announced");
    shop.pass(start - shop.now.log_time);
    assert_eq!((charged(&shop), shop.alerts()), (Some(700), vec![Kind::SaleStarted]));
    assert_eq!(shop.product.to_proto(&shop.key).price, euro(1_000), "the product's own price stays its own");
    shop.pass(MINUTE - 1);
    assert_eq!(charged(&shop), Some(700));
    shop.pass(1);
    assert_eq!((charged(&shop), shop.product.sale()), (Some(1_000), None));
    assert_eq!(shop.alerts(), [], "going back to the own price is no edge");
    assert_eq!(reason(shop.ask(Asked::EndSale(journal::EndSale {}))), Some(Reason::SaleNotRunning));
}

#[test]
fn a_sale_whose_whole_time_has_passed_starts_and_ends() {
    let mut shop = Shop::stocked(Mode::Track, 100);
    let start = shop.now.log_time + MINUTE;
    let end_time = Some(to_timestamp(start + SECOND));
    shop.start_sale(journal::StartSale { start_time: Some(to_timestamp(start)), end_time, ..sale_of(700) });
    let version = shop.product.version();
    shop.pass(2 * MINUTE);
    assert_eq!((shop.alerts(), shop.product.version()), (vec![Kind::SaleStarted], version + 2));
}

#[test]
fn a_sale_limits_its_pieces_and_each_users() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 100);
    let limits = journal::StartSale { quantity: Some(5), per_user: Some(3), ..sale_of(700) };
    shop.reserve("u", "before", 50).expect("no sale runs");
    assert_eq!(shop.start_sale(limits), Outcome::Done);
    let limit = |available| Err((Reason::SaleLimitReached, available));
    assert_eq!(shop.reserve("u", "o-1", 4), limit(50), "more than one user may have");
    assert_eq!(shop.reserve("u", "o-2", 2), Ok(()));
    assert_eq!(shop.reserve("u", "o-3", 2), limit(48));
    assert_eq!(shop.reserve("v", "o-1", 3), Ok(()));
    assert_eq!(shop.reserve("w", "o-1", 1), limit(45), "all are taken");
    shop.release("v", "o-1");
    assert_eq!(shop.reserve("w", "o-2", 3), Ok(()), "released ones are there again");
    shop.commit("u", "o-2");
    assert_eq!(shop.product.sale().map(Sale::sold), Some(2));
    shop.commit("u", "before");
    assert_eq!(shop.product.sale().map(Sale::sold), Some(2), "bought before the sale");
    shop.commit("w", "o-2");
    assert_eq!(shop.product.sale(), None, "its pieces are gone, so it is over");
    assert_eq!(shop.reserve("w", "o-3", 30), Ok(()));
}

#[test]
fn pieces_held_in_a_sale_that_is_over_do_not_count_in_the_next() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 100);
    let limits = journal::StartSale { quantity: Some(5), ..sale_of(700) };
    shop.start_sale(limits.clone());
    shop.reserve("u", "o-1", 5).expect("all of the first");
    shop.start_sale(limits);
    shop.commit("u", "o-1");
    assert_eq!(shop.product.sale().map(Sale::sold), Some(0));
    shop.reserve("u", "o-2", 5).expect("all of the second");
    assert_eq!(shop.alerts().len(), 2, "each started");
}

#[test]
fn a_sale_must_fit_its_product() {
    let dollars = Some(v1::Money { currency_code: "USD".into(), minor_units: Some(5) });
    let now = Shop::stocked(Mode::Track, 1).now.log_time;
    for (sale, want) in [
        (journal::StartSale { price: dollars.clone(), ..Default::default() }, Reason::CurrencyMismatch),
        (journal::StartSale::default(), Reason::FieldMissing),
        (journal::StartSale { end_time: Some(to_timestamp(now)), ..sale_of(5) }, Reason::ValueOutOfRange),
    ] {
        let mut shop = Shop::stocked(Mode::Track, 1);
        assert_eq!(reason(shop.start_sale(sale.clone())), Some(want), "{sale:?}");
        assert_eq!(shop.product.sale(), None);
    }
    let mut shop = Shop::stocked(Mode::Track, 1);
    shop.start_sale(sale_of(5));
    let set = shop.ask(Asked::SetPrice(journal::SetPrice { price: dollars }));
    assert_eq!(reason(set), Some(Reason::CurrencyMismatch));
    assert_eq!(reason(shop.upsert(v1::Product::default(), &["price"])), Some(Reason::FieldMissing));
}

#[test]
fn a_reported_sale_said_again_goes_on() {
    let mut shop = Shop::stocked(Mode::Track, 10);
    let sale = Some(v1::Sale { price: euro(5), quantity: Some(8), ..Default::default() });
    let step =
        v1::ProductStep { product: Some(v1::Product { sale, ..Default::default() }), update_mask: None };
    assert_eq!(shop.event(v1::event::Kind::ProductStep(step.clone().into())), Verdict::Counted);
    shop.reserve("u", "o-1", 3).expect("enough");
    shop.commit("u", "o-1");
    let version = shop.product.version();
    assert_eq!(shop.event(v1::event::Kind::ProductStep(step.into())), Verdict::Counted);
    assert_eq!((shop.product.sale().map(Sale::sold), shop.product.version()), (Some(3), version));
    assert_eq!(shop.upsert(v1::Product::default(), &["sale"]), Outcome::Done);
    assert_eq!(shop.product.sale(), None);
}

#[test]
fn changes_are_told_once_each() {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
    let changed = |shop: &mut Shop| {
        let count = shop.out.iter().filter(|output| matches!(output, Output::Changed { .. })).count();
        shop.out.clear();
        count
    };
    shop.reserve("u", "o-1", 1).expect("enough");
    assert_eq!(changed(&mut shop), 1);
    shop.reserve("u", "o-1", 1).expect("enough");
    shop.reserve("u", "o-2", 100).expect_err("too many");
    shop.set_price(1_000);
    assert_eq!(changed(&mut shop), 0, "nothing a reader sees");
}

#[cfg(feature = "planted")]
mod planted {
    use super::*;
    use crate::planted::Bug;

    #[test]
    fn a_hold_that_expires_alone_sells_twice() {
        let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
        shop.planted = Planted::with(Bug::HoldExpiresAlone);
        shop.reserve("u", "o-1", 10).expect("enough");
        shop.pass(HOUR);
        shop.reserve("v", "o-2", 10).expect("sold twice");
    }

    #[test]
    fn a_mark_forgotten_early_lets_a_late_reserve_in() {
        let mut shop = Shop::stocked(Mode::ReserveOnOrder, 10);
        shop.planted = Planted::with(Bug::MarkExpiresWithoutAgeCheck);
        let created = shop.now.log_time;
        shop.release("u", "o-1");
        shop.pass(6 * MINUTE);
        shop.reserve_created(created, "u", "o-1", 10).expect("a hold nobody will end");
    }
}

fn round_trip(product: &Product) -> Vec<u8> {
    let mut bytes = Vec::new();
    product.encode(&mut bytes);
    let back = Product::decode(&bytes).expect("its own encoding");
    assert_eq!(&back, product);
    let mut again = Vec::new();
    back.encode(&mut again);
    assert_eq!(bytes, again);
    bytes
}

fn busy() -> Shop {
    let mut shop = Shop::stocked(Mode::ReserveOnOrder, 50);
    let text = v1::Product {
        title: "Blue mug".into(),
        category: "mugs".into(),
        tags: vec!["blue".into(), "clay".into()],
        rating: Some(4.3),
        review_count: Some(12),
        ..Default::default()
    };
    shop.upsert(text, &[]);
    shop.start_sale(journal::StartSale { quantity: Some(20), per_user: Some(9), ..sale_of(700) });
    for (order, quantity) in [("o-1", 3), ("o-2", 4), ("o-3", 100), ("o-4", 1)] {
        shop.reserve("u", order, quantity).ok();
    }
    shop.commit("u", "o-1");
    shop.release("u", "o-4");
    shop.stock_step(Delta(5));
    shop.set_price(800);
    shop
}

#[test]
fn a_product_comes_back_as_it_was() {
    let shop = busy();
    let bytes = round_trip(&shop.product);
    for cut in 0..bytes.len() {
        assert!(Product::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(Product::decode(&newer), Err(StateError::Newer { found: 2, newest: 1 }));
    assert!(round_trip(&Product::default()).len() < 32);
}

#[test]
#[should_panic(expected = "reserved")]
fn a_broken_sum_stops_the_record() {
    let mut shop = busy();
    shop.product.stock.reserved += 1;
    shop.set_price(1);
}

#[derive(Debug, Clone, Copy)]
enum Move {
    Reserve(i64),
    Commit,
    Release,
    Wait(Millis),
    Stock(i64),
}

fn moves() -> impl Strategy<Value = Vec<(u8, Move)>> {
    let one = prop_oneof![
        4 => (1..6_i64).prop_map(Move::Reserve),
        2 => Just(Move::Commit),
        2 => Just(Move::Release),
        1 => (0..40 * MINUTE).prop_map(Move::Wait),
        1 => (-5..8_i64).prop_map(Move::Stock),
    ];
    prop::collection::vec((0..5_u8, one), 1..80)
}

proptest! {
    /// Steps of five orders in any order, repeated and late: the sums hold (the fold asserts them), nothing is sold that was
    /// not granted, and no order both sells and comes back.
    #[test]
    fn orders_settle_once_whatever_comes(mode in 2..=3_u8, steps in moves()) {
        let mut shop = Shop::stocked(Mode::from_number(mode).expect("a mode"), 10);
        let created = shop.now.log_time;
        let mut granted = [None::<i64>; 5];
        let mut ended = [None::<bool>; 5];
        let mut sold = 0;
        for (order, step) in steps {
            let (n, id) = (usize::from(order), format!("o-{order}"));
            let old = shop.now.log_time + 1 - created > HOUR;
            match step {
                Move::Reserve(quantity) => {
                    let answer = shop.reserve_created(created, "u", &id, quantity);
                    if old {
                        prop_assert_eq!(answer.map_err(|(reason, _)| reason), Err(Reason::HoldExpired));
                    } else if ended[n] == Some(false) {
                        prop_assert!(answer.is_err(), "released before");
                    } else if granted[n].is_some() {
                        prop_assert!(answer.is_ok(), "the same answer");
                    } else if answer.is_ok() {
                        granted[n] = Some(quantity);
                    }
                    if answer.is_err() && granted[n].is_none() && !old {
                        ended[n] = ended[n].or(Some(false));
                    }
                }
                Move::Commit => {
                    let commit = journal::Commit { user_id: "u".into(), order_id: id, quantity: 1 };
                    prop_assert!(shop.step(created, Action::Commit(commit)).is_some());
                    if let (Some(quantity), None) = (granted[n], ended[n]) {
                        ended[n] = Some(true);
                        sold += quantity;
                    }
                }
                Move::Release => {
                    let release = journal::Release { user_id: "u".into(), order_id: id };
                    prop_assert!(shop.step(created, Action::Release(release)).is_some());
                    ended[n] = ended[n].or(Some(false));
                }
                Move::Wait(time) => shop.pass(time),
                Move::Stock(delta) => {
                    shop.stock_step(Delta(delta));
                }
            }
            prop_assert_eq!(shop.product.stock().sold, sold);
            round_trip(&shop.product);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(product) = Product::decode(&bytes) {
            let mut again = Vec::new();
            product.encode(&mut again);
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn damaged_bytes_are_read_or_refused(at in 0..500_usize, flip in 1..=255_u8) {
        let mut bytes = round_trip(&busy().product);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(product) = Product::decode(&bytes) {
            let mut again = Vec::new();
            product.encode(&mut again);
            prop_assert_eq!(again, bytes);
        }
    }
}
