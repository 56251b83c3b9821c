//! Small journals, built from proto types.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::Timestamp;
use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::{Command, EventRecord, Record, Settings, Stamp, Step, Tick, command, step};
use souk_proto::v1::event::Kind;
use souk_proto::v1::{CartStep, Event, Line, Money, OrderStep, PageView, cart_step, order_step};
use souk_sim::recount::{
    Input, Instance, JournalRecord, Partition, Recount, ShardName, Span, UserView, Value, Verdict, compare,
    recount,
};

/// 2026-01-01 00:00 UTC, a Thursday.
pub(crate) const DAY0: i64 = 1_767_225_600_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// A shard's records, one offset after the other.
pub(crate) struct Shard(pub(crate) Partition);

impl Shard {
    pub(crate) fn users() -> Self {
        Self::of(ShardName::users(0))
    }

    pub(crate) fn products() -> Self {
        Self::of(ShardName::products(0))
    }

    pub(crate) fn of(shard: ShardName) -> Self {
        Self(Partition { shard, records: Vec::new(), skipped: BTreeSet::new() })
    }

    pub(crate) fn raw(&mut self, append_ms: i64, bytes: Vec<u8>) -> u64 {
        let offset = self.0.records.len() as u64;
        self.0.records.push(JournalRecord { offset, append_ms, bytes });
        offset
    }

    pub(crate) fn record(&mut self, append_ms: i64, body: Body) -> u64 {
        self.raw(append_ms, Record { body: Some(body) }.encode_to_vec())
    }

    /// An event that arrives when it happens.
    pub(crate) fn event(&mut self, at: i64, event: Event) -> u64 {
        self.record(at, Body::Event(EventRecord { event: Some(event), ..EventRecord::default() }))
    }

    /// An event that happened earlier than it arrives.
    pub(crate) fn late(&mut self, append_ms: i64, at: i64, mut event: Event) -> u64 {
        event.event_time = Some(time(at));
        self.event(append_ms, event)
    }

    pub(crate) fn command(
        &mut self,
        at: i64,
        actor: &str,
        action: command::Action,
        stamps: Vec<Stamp>,
    ) -> u64 {
        let (shop, actor_id) = ("main".to_owned(), actor.to_owned());
        self.record(
            at,
            Body::Command(Command { shop, actor_id, stamps, action: Some(action), ..Command::default() }),
        )
    }

    pub(crate) fn step(&mut self, at: i64, actor: &str, created_ms: i64, action: step::Action) -> u64 {
        let (shop, actor_id) = ("main".to_owned(), actor.to_owned());
        self.record(at, Body::Step(Step { shop, actor_id, created_ms, action: Some(action) }))
    }

    pub(crate) fn tick(&mut self, at: i64) -> u64 {
        self.record(at, Body::Tick(Tick {}))
    }

    pub(crate) fn settings(&mut self, at: i64, body: &str) -> u64 {
        let revision = self.0.records.len() as u64 + 1;
        let hash = xxhash_rust::xxh3::xxh3_64(body.as_bytes());
        self.record(at, Body::Settings(Settings { hash, body: body.to_owned(), revision }))
    }
}

pub(crate) fn time(ms: i64) -> Timestamp {
    Timestamp { seconds: ms.div_euclid(1_000), nanos: (ms.rem_euclid(1_000) * 1_000_000) as i32 }
}

pub(crate) fn by(user: &str, id: &str, kind: Kind) -> Event {
    Event { event_id: id.to_owned(), user_id: user.to_owned(), kind: Some(kind), ..Event::default() }
}

pub(crate) fn page(page: &str, referrer: &str) -> Kind {
    Kind::PageView(PageView { page: page.to_owned(), referrer: referrer.to_owned(), campaign: String::new() })
}

pub(crate) fn eur(minor: i64) -> Money {
    Money { currency_code: "EUR".to_owned(), minor_units: Some(minor) }
}

pub(crate) fn line(product: &str, quantity: Option<i32>, price: Option<i64>) -> Line {
    Line { product_id: product.to_owned(), quantity, unit_price: price.map(eur), ..Line::default() }
}

pub(crate) fn cart(action: cart_step::Action, line: Line) -> Kind {
    Kind::CartStep(CartStep { action: action.into(), line: Some(line), ..CartStep::default() })
}

pub(crate) fn add(product: &str, quantity: i32, price: i64) -> Kind {
    cart(cart_step::Action::Add, line(product, Some(quantity), Some(price)))
}

pub(crate) fn order(stage: order_step::Stage, id: &str, lines: Vec<Line>, total: Option<i64>) -> Kind {
    let (stage, total) = (stage.into(), total.map(eur));
    Kind::OrderStep(OrderStep { stage, order_id: id.to_owned(), lines, total, ..OrderStep::default() })
}

pub(crate) fn stamp(product: &str, minor: i64) -> Stamp {
    let (product_id, currency_code) = (product.to_owned(), "EUR".to_owned());
    Stamp {
        product_id,
        currency_code,
        price_minor_units: minor,
        category: "mugs".to_owned(),
        ..Stamp::default()
    }
}

/// Counts of every fact that carts, orders and sessions make, over all time, by the shop alone.
pub(crate) const FACTS: &str = r#"
    defaults = { lateness = "5s", correct_for = "24h", keep = "8d", windows = ["total"] }
    [metric.facts.measures]
    adds      = { count = true, from = "cart_add" }
    removes   = { count = true, from = "cart_remove" }
    removed   = { sum = "quantity", from = "cart_remove" }
    abandoned = { count = true, from = "cart_abandoned" }
    left      = { sum = "amount", from = "cart_abandoned" }
    recovered = { count = true, from = "cart_recovered" }
    placed    = { count = true, from = "order_placed" }
    lines     = { count = true, from = "order_line" }
    revenue   = { sum = "amount", from = ["order_placed", "refund"] }
    refunds   = { count = true, from = "refund" }
    back      = { sum = "quantity", from = "refund_line" }
    started   = { count = true, from = "session_started" }
    ended     = { count = true, from = "session_ended" }
    pages     = { sum = "pages", from = "session_ended" }
"#;

/// The recount of these shards; its own laws must hold.
pub(crate) fn counted(settings: &str, shards: &[&Shard]) -> Recount {
    let partitions = shards.iter().map(|shard| shard.0.clone()).collect();
    let result = recount(&Input { settings: settings.to_owned(), partitions }).unwrap();
    assert_eq!(compare::broken_laws(&result), []);
    result
}

pub(crate) fn user(result: &Recount, id: &str) -> UserView {
    result.users.get(&format!("main/{id}")).cloned().unwrap_or_default()
}

/// A measure of `facts` in window `total`: a number, or its amount in EUR.
pub(crate) fn fact(result: &Recount, measure: &str) -> i128 {
    let total = Span { start: i64::MIN, end: i64::MAX };
    number(result, "facts", &[], "total", total, measure)
}

pub(crate) fn number(
    result: &Recount,
    metric: &str,
    key: &[(&str, &str)],
    window: &str,
    span: Span,
    measure: &str,
) -> i128 {
    let key = key.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (metric, shop, window) = (metric.to_owned(), "main".to_owned(), window.to_owned());
    let instances = result.instances();
    match instances.get(&Instance { metric, shop, key, window, span }).map(|values| &values[measure].value) {
        Some(Value::Integer(number)) => *number,
        Some(Value::Money(amounts)) => amounts.get("EUR").copied().unwrap_or(0),
        _ => 0,
    }
}

pub(crate) fn verdict(result: &Recount, offset: u64) -> Verdict {
    result.verdicts[&(ShardName::users(0), offset)]
}
