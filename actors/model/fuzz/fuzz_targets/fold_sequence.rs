//! Any sequence of records, lawful or not, folds without a panic, its counts add up, and folding it again gives the same digest.
//!
//! Bytes are read as a script: few ids, so that records meet; raw bytes in between, so that decoding is met too.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use prost::Message;
use souk_model::journal::{Entry, Partitions, ShardId};
use souk_model::output::Outputs;
use souk_model::owner::fold::{Fold, Progress};
use souk_model::planted::Planted;
use souk_model::settings::Settings;
use souk_model::shard::{FOLD_VERSION, SettingsLibrary, Shard, ShardConfig};
use souk_proto::journal::v1::{self as journal, command::Action, record::Body, step::Action as StepAction};
use souk_proto::v1::{self, event::Kind};

/// Records folded per input: enough for state to meet state.
const RECORDS: usize = 64;

/// Reads the script; past its end everything is 0.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn id(&mut self, prefix: &str) -> String {
        format!("{prefix}-{}", self.byte() % 4)
    }

    fn money(&mut self) -> v1::Money {
        let currency_code = ["EUR", "EUR", "USD", "JPY"][usize::from(self.byte() % 4)].to_owned();
        v1::Money { currency_code, minor_units: Some(i64::from(self.byte()) * 7) }
    }

    fn line(&mut self) -> v1::Line {
        let quantity = Some(i32::from(self.byte() % 9));
        v1::Line { product_id: self.id("p"), quantity, unit_price: Some(self.money()), ..Default::default() }
    }

    fn lines(&mut self) -> Vec<v1::Line> {
        (0..self.byte() % 3).map(|_| self.line()).collect()
    }

    fn kind(&mut self) -> Kind {
        let step = i32::from(self.byte() % 8);
        match self.byte() % 9 {
            0 => Kind::PageView(v1::PageView { page: self.id("/"), ..Default::default() }),
            1 | 2 => Kind::CartStep(v1::CartStep { action: step, line: Some(self.line()), ..Default::default() }),
            3 | 4 => Kind::OrderStep(v1::OrderStep {
                stage: step,
                order_id: self.id("o"),
                lines: self.lines(),
                total: (step % 2 == 0).then(|| self.money()),
                ..Default::default()
            }),
            5 => Kind::Login(v1::Login { guest_id: self.id("s") }),
            6 => Kind::StockStep(v1::StockStep {
                product_id: self.id("p"),
                change: Some(v1::stock_step::Change::Delta(i64::from(self.byte()) - 100)),
                ..Default::default()
            }),
            7 => Kind::Transaction(v1::Transaction {
                r#type: step % 4,
                transaction_id: self.id("t"),
                amount: Some(self.money()),
                ..Default::default()
            }),
            _ => Kind::Search(v1::Search { query: self.id("q"), ..Default::default() }),
        }
    }

    fn event(&mut self, now: i64) -> Body {
        let at = now - i64::from(self.byte()) * 60_000 + i64::from(self.byte()) * 1_000;
        let event = v1::Event {
            event_id: format!("e-{}", self.byte()),
            event_time: Some(prost_types::Timestamp { seconds: at.div_euclid(1_000), nanos: 0 }),
            user_id: if self.byte() % 4 == 0 { String::new() } else { self.id("u") },
            session_id: self.id("s"),
            kind: Some(self.kind()),
            ..Default::default()
        };
        Body::Event(journal::EventRecord { event: Some(event), ..Default::default() })
    }

    fn command(&mut self, users: bool) -> Body {
        let quantity = Some(i32::from(self.byte() % 9));
        let order_id = self.id("o");
        let product_id = self.id("p");
        let action = match (users, self.byte() % 8) {
            (true, 0 | 1) => Action::AddCartItem(journal::AddCartItem { product_id: product_id.clone(), quantity }),
            (true, 2) => Action::Checkout(journal::Checkout { order_id, ..Default::default() }),
            (true, 3) => Action::CancelOrder(journal::CancelOrder { order_id, ..Default::default() }),
            (true, 4) => Action::RefundOrder(journal::RefundOrder { order_id, lines: self.lines(), ..Default::default() }),
            (true, 5) => Action::EraseUser(journal::EraseUser { salt: vec![self.byte(); 16] }),
            (true, 6) => Action::MergeCarts(journal::MergeCarts { source_user_id: self.id("guest:s"), policy: 0 }),
            (true, _) => Action::ClearCart(journal::ClearCart {}),
            (false, 0..4) => Action::AdjustStock(journal::AdjustStock {
                change: Some(journal::adjust_stock::Change::Level(i64::from(self.byte()))),
                ..Default::default()
            }),
            (false, _) => Action::SetPrice(journal::SetPrice { price: Some(self.money()) }),
        };
        let stamps = vec![journal::Stamp {
            product_id,
            currency_code: "EUR".into(),
            price_minor_units: 500,
            ..Default::default()
        }];
        Body::Command(journal::Command {
            shop: "main".into(),
            actor_id: self.id(if users { "u" } else { "p" }),
            request_id: self.id("r"),
            body_hash: u64::from(self.byte() % 2),
            stamps,
            action: Some(action),
            ..Default::default()
        })
    }

    fn step(&mut self, users: bool, now: i64) -> Body {
        let (user_id, order_id, product_id) = (self.id("u"), self.id("o"), self.id("p"));
        let merge_id = u64::from(self.byte() % 8);
        let action = match (users, self.byte() % 4) {
            (true, 0) => StepAction::Reserved(journal::Reserved {
                order_id,
                product_id,
                granted: merge_id % 2 == 0,
                ..Default::default()
            }),
            (true, 1) => StepAction::Settled(journal::Settled { order_id, product_id }),
            (true, 2) => StepAction::CartTake(journal::CartTake { user_id, merge_id }),
            (true, _) => StepAction::CartGiven(journal::CartGiven { guest_id: "guest:s-0".into(), merge_id, lines: vec![] }),
            (false, 0 | 1) => StepAction::Reserve(journal::Reserve { user_id, order_id, quantity: 1 + merge_id as i64 }),
            (false, 2) => StepAction::Commit(journal::Commit { user_id, order_id, quantity: 1 + merge_id as i64 }),
            (false, _) => StepAction::Release(journal::Release { user_id, order_id }),
        };
        let actor_id = self.id(if users { "u" } else { "p" });
        let created_ms = now - i64::from(self.byte()) * 60_000;
        Body::Step(journal::Step { shop: "main".into(), actor_id, created_ms, action: Some(action) })
    }

    fn record(&mut self, users: bool, now: i64) -> Vec<u8> {
        let body = match self.byte() % 8 {
            0..4 => self.event(now),
            4 | 5 => self.command(users),
            6 => self.step(users, now),
            _ => {
                let (raw, rest) = self.0.split_at(self.0.len().min(usize::from(self.byte())).min(self.0.len()));
                self.0 = rest;
                return raw.to_vec();
            }
        };
        journal::Record { body: Some(body) }.encode_to_vec()
    }
}

/// The built-in settings, laid out once.
static SETTINGS: LazyLock<String> = LazyLock::new(|| Settings::builtin().text);

fn shard(users: bool, library: &Arc<SettingsLibrary>) -> Shard {
    let id = if users { ShardId::users(0) } else { ShardId::products(0) };
    let mut shard = Shard::new(ShardConfig {
        id,
        partitions: Partitions { users: 1, products: 1 },
        keying: souk_model::keying::Keying::Own,
        settings: SETTINGS.clone(),
        library: Arc::clone(library),
        build_version: FOLD_VERSION,
        planted: Planted::default(),
    })
    .expect("the built-in settings are lawful");
    for section in (0..64).chain(if users { 128..256 } else { 128..192 }) {
        shard.load(section, &[]).expect("an empty section loads");
    }
    shard
}

fuzz_target!(|data: &[u8]| {
    thread_local! {
        static LIBRARY: Arc<SettingsLibrary> = Arc::default();
    }
    let library = LIBRARY.with(Arc::clone);
    let mut script = Script(data);
    let users = script.byte() % 3 != 0;
    let mut now = 1_790_000_000_000;
    let mut entries = Vec::new();
    while !script.0.is_empty() && entries.len() < RECORDS {
        now += i64::from(script.byte()).pow(2) * 100;
        entries.push(Entry::new(entries.len() as u64 + 1, now, script.record(users, now).into()));
    }
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mut shard = shard(users, &library);
        let mut out = Outputs::default();
        for entry in &entries {
            while shard.step(entry, &mut out) == Progress::More {}
            out.items.clear();
        }
        assert!(shard.counts().add_up());
        digests.push(shard.digest());
    }
    assert_eq!(digests[0], digests[1]);
});
