//! Draws records: who, what about, and what goes wrong with it. What they say is in `events` and `asks`.

use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::time::Millis;
use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::{BridgeStamp, Command, EventRecord, Record, Stamp, VersionBarrier, command};
use souk_proto::v1::event::Kind;
use souk_proto::v1::{Event, Line, Money};
use souk_sim::rng::Rng;

use crate::case::{elsewhere, home};
use crate::shape::Shape;

/// A record and the shard it belongs to.
pub(crate) type Drawn = (ShardId, Vec<u8>);

/// Draws one record after the other.
#[derive(Debug)]
pub(crate) struct Author {
    pub(crate) rng: Rng,
    pub(crate) shape: Shape,
    pub(crate) now: Millis,
    /// Ids given out.
    next: u64,
    /// Records drawn before, to be repeated.
    sent: Vec<Drawn>,
    bridged: u64,
    /// Tokens and alerts the folds gave out.
    pub(crate) tokens: Vec<String>,
    pub(crate) alerts: Vec<String>,
}

impl Author {
    pub(crate) fn new(seed: u64, shape: Shape, now: Millis) -> Self {
        Self {
            rng: Rng::of(seed, "author"),
            shape,
            now,
            next: 0,
            sent: Vec::new(),
            bridged: 0,
            tokens: Vec::new(),
            alerts: Vec::new(),
        }
    }

    pub(crate) fn draw(&mut self) -> Drawn {
        if self.rng.percent(self.shape.repeated)
            && let Some(before) = self.rng.pick(&self.sent)
        {
            return before.clone();
        }
        let drawn = match (self.rng.percent(self.shape.goods), self.rng.percent(self.shape.commands)) {
            (false, false) => self.event(),
            (false, true) => self.ask(),
            (true, false) => self.goods_event(),
            (true, true) => self.goods_ask(),
        };
        self.sent.push(drawn.clone());
        drawn
    }

    fn event(&mut self) -> Drawn {
        if self.rng.one_in(60) {
            return self.barrier();
        }
        let mut event = self.envelope();
        if self.rng.one_in(12) {
            let kind = self.ledger_kind();
            if self.rng.one_in(2) {
                (event.user_id, event.session_id) = Default::default();
            }
            event.kind = Some(kind);
        } else {
            self.pick_person(&mut event);
            event.kind = Some(self.person_kind(&event.user_id));
        }
        self.finish(Journal::Users, event)
    }

    fn goods_event(&mut self) -> Drawn {
        let mut event = self.envelope();
        event.kind = Some(self.goods_kind());
        let journal = if self.rng.one_in(30) { Journal::Users } else { Journal::Products };
        self.finish(journal, event)
    }

    fn envelope(&mut self) -> Event {
        let shape = self.shape.clone();
        let rng = &mut self.rng;
        let at = (!rng.one_in(10)).then(|| self.now - shape.delay(rng));
        let colors = ["", "red", "blue"];
        let color = colors[rng.index(3)];
        let mut event = Event {
            event_time: at.map(timestamp),
            device_id: ["", "phone", "laptop"][rng.index(3)].to_owned(),
            shop: ["", "main", "main", "main", "b"][rng.index(5)].to_owned(),
            source: ["", "web", "app"][rng.index(3)].to_owned(),
            ..Event::default()
        };
        if !color.is_empty() {
            event.labels.insert("color".to_owned(), color.to_owned());
        }
        event.event_id = self.id("e");
        event
    }

    fn pick_person(&mut self, event: &mut Event) {
        let user = format!("u{}", self.rng.index(self.shape.users));
        let session = format!("s{}", self.rng.index(self.shape.guests));
        match self.rng.below(10) {
            0..3 => event.session_id = session,
            3..6 => event.user_id = user,
            _ => (event.user_id, event.session_id) = (user, session),
        }
    }

    /// Stamps, a bridge, and now and then one thing wrong.
    fn finish(&mut self, journal: Journal, mut event: Event) -> Drawn {
        let key = key_of(&event);
        if self.rng.percent(self.shape.malformed) {
            self.spoil(&mut event);
        }
        let stamps = if self.rng.one_in(5) { Vec::new() } else { self.stamps() };
        let bridge = self.rng.one_in(12).then(|| self.bridge());
        let record = EventRecord { event: Some(event), stamps, bridge };
        let mut bytes = Record { body: Some(Body::Event(record)) }.encode_to_vec();
        if self.rng.percent(self.shape.malformed) && self.rng.one_in(3) {
            bytes = vec![0xff; 5];
        }
        (home(journal, &key), bytes)
    }

    fn spoil(&mut self, event: &mut Event) {
        match self.rng.below(6) {
            0 => event.event_id = "no id".to_owned(),
            1 => event.event_id.clear(),
            2 => event.kind = None,
            3 => event.user_id = "x".repeat(65),
            4 => event.source = "y".repeat(1_025),
            _ => self.spoil_kind(event),
        }
    }

    fn spoil_kind(&mut self, event: &mut Event) {
        match event.kind.as_mut() {
            Some(Kind::PageView(view)) => view.page.clear(),
            Some(Kind::ProductView(view)) => view.product_id.clear(),
            Some(Kind::CartStep(step)) => step.action = 0,
            Some(Kind::OrderStep(step)) => step.stage = 0,
            Some(Kind::Review(review)) => review.rating = 6,
            Some(Kind::Transaction(entry)) => entry.amount = None,
            Some(Kind::Trip(trip)) => trip.region_id = 101,
            Some(Kind::StockStep(step)) => step.change = None,
            _ => event.kind = None,
        }
    }

    fn bridge(&mut self) -> BridgeStamp {
        self.bridged += 1;
        let offset = (self.bridged + self.rng.below(8)).saturating_sub(self.rng.below(12));
        let stable = self.rng.one_in(4).then(|| offset.saturating_sub(self.rng.below(8)));
        BridgeStamp { source: "topic".to_owned(), partition: self.rng.below(2) as u32, offset, stable }
    }

    /// What intake knew of the products.
    pub(crate) fn stamps(&mut self) -> Vec<Stamp> {
        let moving = (self.now / (self.shape.beat * 50)) % 7;
        let stamp = |at: usize| Stamp {
            product_id: product(at),
            title: format!("Product {at}"),
            category: ["mugs", "shirts", ""][at % 3].to_owned(),
            brand: ["acme", ""][at % 2].to_owned(),
            currency_code: "EUR".to_owned(),
            price_minor_units: 100 * (at as i64 + 1) + moving,
            position: 1,
        };
        (0..self.shape.products).filter(|at| at % 5 != 4).map(stamp).collect()
    }

    pub(crate) fn command(&mut self, journal: Journal, actor: String, action: command::Action) -> Drawn {
        let shop = if self.rng.one_in(6) { "b" } else { "main" }.to_owned();
        let request_id = match self.rng.below(8) {
            0 => String::new(),
            1 => format!("r{}", self.rng.below(6)),
            _ => self.id("r"),
        };
        let if_version = self.rng.one_in(8).then(|| self.rng.between(0, 6));
        let mut command = Command {
            shop,
            actor_id: actor,
            request_id,
            if_version,
            action: Some(action),
            ..Command::default()
        };
        command.body_hash = xxhash_rust::xxh3::xxh3_64(&command.encode_to_vec());
        if !self.rng.one_in(6) {
            command.stamps = self.stamps();
        }
        if self.rng.percent(self.shape.malformed) {
            command.actor_id = "no id".to_owned();
        }
        let journal = match (self.rng.one_in(80), journal) {
            (true, Journal::Users) => Journal::Products,
            (true, Journal::Products) => Journal::Users,
            (false, journal) => journal,
        };
        let home = home(journal, &ActorKey::new(&command.shop, &command.actor_id));
        let shard = if self.rng.percent(self.shape.malformed) { elsewhere(home) } else { home };
        (shard, Record { body: Some(Body::Command(command)) }.encode_to_vec())
    }

    fn barrier(&mut self) -> Drawn {
        let barrier = VersionBarrier { fold_version: 1 };
        let shard = crate::case::SHARDS[self.rng.index(4)];
        (shard, Record { body: Some(Body::VersionBarrier(barrier)) }.encode_to_vec())
    }

    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    pub(crate) fn user(&mut self) -> String {
        if self.rng.one_in(8) {
            return format!("guest:s{}", self.rng.index(self.shape.guests));
        }
        format!("u{}", self.rng.index(self.shape.users))
    }

    pub(crate) fn product(&mut self) -> String {
        product(self.rng.index(self.shape.products))
    }

    pub(crate) fn money(&mut self, most: i64) -> Money {
        let currency = ["EUR", "USD", "JPY"][self.rng.index(self.shape.currencies)];
        Money { currency_code: currency.to_owned(), minor_units: Some(self.rng.between(0, most)) }
    }

    pub(crate) fn line(&mut self) -> Line {
        let quantity = match self.rng.below(20) {
            0..6 => None,
            6 => Some(999),
            _ => Some(self.rng.between(1, 5) as i32),
        };
        let unit_price = if self.rng.one_in(2) { Some(self.money(900)) } else { None };
        let category = ["", "", "mugs", "hats"][self.rng.index(4)].to_owned();
        let brand = ["", "", "umbra"][self.rng.index(3)].to_owned();
        Line { product_id: self.product(), quantity, unit_price, title: String::new(), category, brand }
    }
}

pub(crate) fn product(at: usize) -> String {
    format!("p{at}")
}

pub(crate) fn timestamp(at: Millis) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.div_euclid(1_000), nanos: (at.rem_euclid(1_000) * 1_000_000) as i32 }
}

/// The actor of an event; one that has none yet keeps its own id.
fn key_of(event: &Event) -> ActorKey {
    let record = EventRecord { event: Some(event.clone()), ..EventRecord::default() };
    let key = souk_model::record::key_of(&Record { body: Some(Body::Event(record)) });
    key.unwrap_or_else(|| ActorKey::new("main", &event.event_id))
}
