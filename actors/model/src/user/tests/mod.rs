//! A bench for users: folds records as a shard would, timers first, and checks after each that the state survives its encoding.

mod abandonment;
mod cart;
mod command;
mod journey;
mod model;
mod orders;
mod render;
mod saga;
mod sessions;
mod state;

use souk_proto::journal::v1::{self as journal, command::Action, step};
use souk_proto::v1::{self, cart_step, event::Kind, order_step};
use xxhash_rust::xxh3::xxh3_64;

use super::User;
use crate::actor::{Actor, Context, TimerClock};
use crate::fact::{Detail, Fact, FactSink, Item, Sign};
use crate::key::ActorKey;
use crate::money::{Currency, Money};
use crate::output::{Outcome, Output, Outputs};
use crate::planted::Planted;
use crate::record;
use crate::settings::{Clock, FoldSettings, Settings};
use crate::tally::Presence;
use crate::time::{DAY, HOUR, MINUTE, Millis, Now};
use crate::verdict::{Reason, Verdict};

/// Some midnight; times below are minutes after it.
pub(super) const ZERO: Millis = 20_000 * 24 * HOUR;

pub(super) fn settings() -> Settings {
    let eur = Currency::parse("EUR").expect("a currency");
    Settings {
        fold: FoldSettings {
            clock: Clock::Live,
            lateness: 5_000,
            currency: eur,
            abandon_after: 30 * MINUTE,
            session_gap: 30 * MINUTE,
            order_timeout: 10 * MINUTE,
            low_stock_below: 5,
            stale_stock_after: HOUR,
            price_drop_basis_points: 1_000,
            tax_basis_points: 1_950,
            shipping: Money { currency: eur, minor: 490 },
        },
        horizon: 24 * HOUR,
        ..Settings::builtin()
    }
}

/// Facts as lines: sign, minute, kind and fields; `<` before what is known of the session, if anything.
#[derive(Debug, Default)]
pub(super) struct Told(pub(super) Vec<String>);

impl FactSink for Told {
    fn fact(&mut self, fact: &Fact<'_>, _: Option<&mut Presence>) {
        let sign = if fact.sign == Sign::Counted { '+' } else { '-' };
        let mut line = format!("{sign}{} {}", (fact.time - ZERO) / MINUTE, fact.detail.kind().name());
        let money = |amount: &Option<Money>| amount.map_or("-".to_owned(), |money| money.minor.to_string());
        let fields = match &fact.detail {
            Detail::Event { kind } => (*kind).to_owned(),
            Detail::PageView { page, .. } => (*page).to_owned(),
            Detail::CartAdd(item)
            | Detail::CartRemove(item)
            | Detail::OrderLine(item)
            | Detail::RefundLine(item) => {
                let Item { product, quantity, amount, .. } = item;
                format!("{product} {quantity} {}", money(amount))
            }
            Detail::CheckoutStarted { order, amount }
            | Detail::OrderPlaced { order, amount }
            | Detail::Refund { order, amount } => format!("{order} {}", money(amount)),
            Detail::CartAbandoned { stage, amount } | Detail::CartRecovered { stage, amount } => {
                format!("{stage} {}", money(amount))
            }
            Detail::SessionEnded { pages, duration } => format!("{pages} {}", duration / MINUTE),
            Detail::JourneyStep { from, to } => format!("{from}>{to}"),
            Detail::SessionStarted => String::new(),
            other => format!("{other:?}"),
        };
        if !fields.is_empty() {
            line = format!("{line} {fields}");
        }
        if !fact.who.session_referrer.is_empty() {
            line = format!("{line} <{}", fact.who.session_referrer);
        }
        self.0.push(line);
    }
}

/// One user and the shard's part around it.
pub(super) struct Bench {
    pub(super) user: User,
    /// The same, stored and loaded again after every record.
    stored: User,
    pub(super) settings: Settings,
    pub(super) now: Now,
    pub(super) key: ActorKey,
    told: Told,
    out: Outputs,
    events: u64,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::of("alice")
    }

    pub(super) fn of(id: &str) -> Self {
        Self {
            user: User::default(),
            stored: User::default(),
            settings: settings(),
            now: Now {
                offset: 0,
                log_time: ZERO,
                high_water: ZERO - HOUR,
                watermark: ZERO - HOUR,
                out_of_reach: ZERO - 400 * DAY,
            },
            key: ActorKey::new("main", id),
            told: Told::default(),
            out: Outputs::default(),
            events: 0,
        }
    }

    /// Does the same to the user and to its stored twin; facts and outputs must agree.
    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        act: impl Fn(&mut User, &mut Context<'_>, &ActorKey) -> T,
    ) -> T {
        let run = |user: &mut User, settings: &Settings, now: Now, key: &ActorKey| {
            let (mut told, mut out) = (Told::default(), Outputs::default());
            let mut ctx =
                Context { now, settings, facts: &mut told, out: &mut out, planted: Planted::default() };
            let result = act(user, &mut ctx, key);
            (result, told, out)
        };
        let (result, told, out) = run(&mut self.user, &self.settings, self.now, &self.key);
        let twin = run(&mut self.stored, &self.settings, self.now, &self.key);
        assert_eq!(
            (&result, &told.0, &out.items),
            (&twin.0, &twin.1.0, &twin.2.items),
            "a stored user folds differently"
        );
        let bytes = encoded(&self.user);
        assert_eq!(bytes, encoded(&self.stored), "a stored user has another state");
        self.stored = User::decode(&bytes).expect("what was encoded can be decoded");
        assert_eq!(bytes, encoded(&self.stored), "decoding changed the state");
        assert_eq!(self.user.is_empty(), bytes.len() == 2);
        assert_eq!(self.user.deadlines(), self.stored.deadlines());
        self.told.0.extend(told.0);
        self.out.items.extend(out.items);
        result
    }

    /// Moves time as a record at `log_time` with event time `time` would, timers first.
    pub(super) fn advance(&mut self, log_time: Millis, time: Millis) {
        let before = self.now.watermark;
        self.now.offset += 1;
        self.now.log_time = self.now.log_time.max(log_time);
        self.now.high_water = self.now.high_water.max(time.min(self.now.log_time));
        let after = self.now.high_water - self.settings.fold.lateness;
        let reach = self.settings.horizon + self.settings.fold.session_gap;
        self.now.out_of_reach = self.now.out_of_reach.max(self.now.high_water - reach);
        for _ in 0..1_000 {
            let deadlines = self.user.deadlines();
            let (clock, deadline) = match (deadlines.watermark, deadlines.log_time) {
                (Some(deadline), _) if deadline <= after => (TimerClock::Watermark, deadline),
                (_, Some(deadline)) if deadline <= self.now.log_time => (TimerClock::LogTime, deadline),
                _ => {
                    self.now.watermark = after;
                    return;
                }
            };
            self.now.watermark = before.max(deadline);
            self.both(|user, ctx, key| user.fire(ctx, key, clock, deadline));
        }
        panic!("timers do not come to an end");
    }

    /// A record at `minute` that says nothing to this user.
    pub(super) fn tick(&mut self, minute: i64) {
        let at = ZERO + minute * MINUTE;
        self.advance(at, at);
    }

    /// An event that happens at `minute` and arrives at `log_minute`.
    pub(super) fn late(&mut self, log_minute: i64, minute: i64, kind: Kind) -> Verdict {
        self.events += 1;
        let id = format!("e{}", self.events);
        self.named(&id, log_minute, minute, kind)
    }

    pub(super) fn named(&mut self, id: &str, log_minute: i64, minute: i64, kind: Kind) -> Verdict {
        let (log_time, time) = (ZERO + log_minute * MINUTE, ZERO + minute * MINUTE);
        self.advance(log_time, time);
        let event = event(&self.key, id, time, kind);
        let before = encoded(&self.user);
        let verdict = self.both(|user, ctx, _| user.event(ctx, &event));
        if verdict != Verdict::Counted {
            assert_eq!(before, encoded(&self.user), "an event that was not counted left a trace");
        }
        verdict
    }

    /// An event that arrives when it happens.
    pub(super) fn event(&mut self, minute: i64, kind: Kind) -> Verdict {
        self.late(minute, minute, kind)
    }

    pub(super) fn counted(&mut self, minute: i64, kind: Kind) -> Vec<String> {
        assert_eq!(self.event(minute, kind), Verdict::Counted);
        self.facts()
    }

    pub(super) fn rejected(&mut self, minute: i64, kind: Kind) -> Reason {
        match self.event(minute, kind) {
            Verdict::Rejected(refusal) => refusal.reason,
            verdict => panic!("not rejected but {verdict:?}"),
        }
    }

    pub(super) fn send(&mut self, minute: i64, command: journal::Command) -> Outcome {
        let at = ZERO + minute * MINUTE;
        self.advance(at, at);
        let command = record::Command { key: self.key.clone(), command };
        self.both(|user, ctx, key| user.command(ctx, key, &command))
    }

    pub(super) fn command(&mut self, minute: i64, action: Action) -> Outcome {
        self.send(minute, command(action))
    }

    pub(super) fn refused(&mut self, minute: i64, action: Action) -> Reason {
        match self.command(minute, action) {
            Outcome::Refused(refusal) => refusal.reason,
            Outcome::Done => panic!("not refused"),
        }
    }

    pub(super) fn step(&mut self, minute: i64, created: Millis, action: step::Action) {
        let at = ZERO + minute * MINUTE;
        self.advance(at, at);
        let step = journal::Step {
            shop: "main".into(),
            actor_id: self.key.id().into(),
            created_ms: created,
            action: Some(action),
        };
        let step = record::Step { key: self.key.clone(), step };
        self.both(|user, ctx, key| user.step(ctx, key, &step));
    }

    /// Facts since the last look.
    pub(super) fn facts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told.0)
    }

    /// Those of them that are of these kinds.
    pub(super) fn facts_of(&mut self, kinds: &[&str]) -> Vec<String> {
        let mut facts = self.facts();
        facts.retain(|fact| kinds.contains(&fact.split(' ').nth(1).expect("a kind")));
        facts
    }

    pub(super) fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out.items)
    }

    /// Saga steps since the last look: whom for, and what.
    pub(super) fn steps(&mut self) -> Vec<(String, step::Action)> {
        let steps = self.outputs().into_iter().filter_map(|output| match output {
            Output::Step { to, step, .. } => Some((to.id().to_owned(), step.action?)),
            _ => None,
        });
        steps.collect()
    }

    /// What the state would send again.
    pub(super) fn resent(&self) -> Vec<(String, step::Action)> {
        let mut out = Outputs::default();
        self.user.resend(&self.key, &self.now, &mut out);
        let steps = out.items.into_iter().filter_map(|output| match output {
            Output::Step { to, step, .. } => Some((to.id().to_owned(), step.action?)),
            _ => None,
        });
        steps.collect()
    }
}

pub(super) fn encoded(user: &User) -> Vec<u8> {
    let mut bytes = Vec::new();
    user.encode(&mut bytes);
    bytes
}

pub(super) fn event(key: &ActorKey, id: &str, time: Millis, kind: Kind) -> record::Event {
    let event = v1::Event { event_id: id.to_owned(), kind: Some(kind), ..Default::default() };
    record::Event {
        key: key.clone(),
        keyless: false,
        time: Some(time),
        fingerprint: xxh3_64(id.as_bytes()),
        event,
        stamps: vec![journal::Stamp {
            product_id: "stamped".into(),
            currency_code: "EUR".into(),
            price_minor_units: 250,
            category: "cups".into(),
            ..Default::default()
        }],
        bridge: None,
    }
}

pub(super) fn command(action: Action) -> journal::Command {
    let stamp = |product: &str, price| journal::Stamp {
        product_id: product.into(),
        currency_code: "EUR".into(),
        price_minor_units: price,
        ..Default::default()
    };
    let stamps = vec![stamp("mug", 100), stamp("pot", 1_000)];
    journal::Command { shop: "main".into(), stamps, action: Some(action), ..Default::default() }
}

pub(super) fn view(page: &str, referrer: &str) -> Kind {
    Kind::PageView(v1::PageView { page: page.into(), referrer: referrer.into(), campaign: String::new() })
}

pub(super) fn search() -> Kind {
    Kind::Search(v1::Search::default())
}

pub(super) fn euro(minor: i64) -> v1::Money {
    v1::Money { currency_code: "EUR".into(), minor_units: Some(minor) }
}

pub(super) fn line(product: &str, quantity: Option<i32>, price: Option<i64>) -> v1::Line {
    v1::Line { product_id: product.into(), quantity, unit_price: price.map(euro), ..Default::default() }
}

fn cart_step(action: cart_step::Action, line: Option<v1::Line>) -> Kind {
    Kind::CartStep(v1::CartStep { action: action.into(), line, ..Default::default() })
}

pub(super) fn add(product: &str, quantity: i32, price: i64) -> Kind {
    cart_step(cart_step::Action::Add, Some(line(product, Some(quantity), Some(price))))
}

pub(super) fn remove(product: &str, quantity: Option<i32>) -> Kind {
    cart_step(cart_step::Action::Remove, Some(line(product, quantity, None)))
}

pub(super) fn set(product: &str, quantity: i32) -> Kind {
    cart_step(cart_step::Action::SetQuantity, Some(line(product, Some(quantity), None)))
}

pub(super) fn clear() -> Kind {
    cart_step(cart_step::Action::Clear, None)
}

pub(super) fn order(stage: order_step::Stage, id: &str, lines: Vec<v1::Line>, total: Option<i64>) -> Kind {
    Kind::OrderStep(v1::OrderStep {
        stage: stage.into(),
        order_id: id.into(),
        lines,
        total: total.map(euro),
        ..Default::default()
    })
}

pub(super) fn placed(id: &str, total: i64) -> Kind {
    order(order_step::Stage::Placed, id, Vec::new(), Some(total))
}
