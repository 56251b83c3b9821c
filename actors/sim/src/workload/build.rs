//! Records by hand: keys, stamps, envelopes.

use prost::Message;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::time::Millis;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1;
use souk_proto::v1::event::Kind;

use super::{PRODUCTS, Request, Workload};
use crate::faults::Chaos;

pub const SHOP: &str = "main";
const CATEGORIES: [&str; 3] = ["mugs", "shirts", "books"];
const BRANDS: [&str; 2] = ["acme", "umbra"];

pub(super) fn timestamp(at: Millis) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.div_euclid(1_000), nanos: (at.rem_euclid(1_000) * 1_000_000) as i32 }
}

pub(super) fn euros(minor: i64) -> v1::Money {
    money("EUR", minor)
}

pub(super) fn money(currency: &str, minor: i64) -> v1::Money {
    v1::Money { currency_code: currency.into(), minor_units: Some(minor) }
}

pub(super) fn product_id(at: usize) -> String {
    format!("p-{at}")
}

/// A command as intake appends it; the body hash leaves the stamps out.
pub fn command_record(
    actor: &str,
    request_id: &str,
    action: Action,
    stamps: Vec<journal::Stamp>,
) -> journal::Record {
    let mut command = journal::Command {
        shop: SHOP.into(),
        actor_id: actor.into(),
        request_id: request_id.into(),
        action: Some(action),
        ..journal::Command::default()
    };
    command.body_hash = xxhash_rust::xxh3::xxh3_64(&command.encode_to_vec());
    command.stamps = stamps;
    journal::Record { body: Some(Body::Command(command)) }
}

impl Workload {
    pub(super) fn stamp(&self, at: usize) -> journal::Stamp {
        journal::Stamp {
            product_id: product_id(at),
            title: format!("Product {at}"),
            category: CATEGORIES[at % CATEGORIES.len()].into(),
            brand: BRANDS[at % BRANDS.len()].into(),
            currency_code: "EUR".into(),
            price_minor_units: self.prices[at],
            position: 1,
        }
    }

    pub(super) fn catalogue_entry(&self, at: usize) -> v1::Product {
        let stamp = self.stamp(at);
        v1::Product {
            name: format!("products/{}", stamp.product_id),
            title: stamp.title,
            category: stamp.category,
            brand: stamp.brand,
            price: Some(euros(stamp.price_minor_units)),
            ..v1::Product::default()
        }
    }

    /// An event of a user (or of `guest:<session>`) at a time of its own.
    pub(super) fn event(&mut self, now: Millis, user: &str, kind: Kind, chaos: &mut Chaos) -> Request {
        let (user_id, session_id) = match user.strip_prefix("guest:") {
            Some(session) => (String::new(), session.to_owned()),
            None => (user.to_owned(), format!("{user}-web")),
        };
        let event = v1::Event {
            event_id: self.id("e"),
            event_time: self.event_time(now, chaos).map(timestamp),
            user_id,
            session_id,
            device_id: ["phone", "laptop", ""][self.rng.index(3)].into(),
            shop: SHOP.into(),
            source: "web".into(),
            kind: Some(kind),
            ..v1::Event::default()
        };
        let stamps =
            (0..PRODUCTS).filter(|at| names(&event, &product_id(*at))).map(|at| self.stamp(at)).collect();
        self.enveloped(Journal::Users, user, event, stamps)
    }

    /// An event of nobody, keyed by an id of its own.
    pub(super) fn keyless(&mut self, now: Millis, key: &str, kind: Kind, chaos: &mut Chaos) -> Request {
        let event = self.anonymous(now, kind, chaos);
        self.enveloped(Journal::Users, key, event, Vec::new())
    }

    /// An event that names no user.
    fn anonymous(&mut self, now: Millis, kind: Kind, chaos: &mut Chaos) -> v1::Event {
        let event_time = self.event_time(now, chaos).map(timestamp);
        v1::Event {
            event_id: self.id("e"),
            event_time,
            shop: SHOP.into(),
            kind: Some(kind),
            ..v1::Event::default()
        }
    }

    /// An event about a product, for the products journal.
    pub(super) fn product_event(&mut self, now: Millis, at: usize, kind: Kind, chaos: &mut Chaos) -> Request {
        let event = self.anonymous(now, kind, chaos);
        self.enveloped(Journal::Products, &product_id(at), event, Vec::new())
    }

    fn enveloped(
        &self,
        journal: Journal,
        key: &str,
        event: v1::Event,
        stamps: Vec<journal::Stamp>,
    ) -> Request {
        let id = event.event_id.clone();
        let record = journal::EventRecord { event: Some(event), stamps, bridge: None };
        let record = journal::Record { body: Some(Body::Event(record)) };
        Request { journal, key: ActorKey::new(SHOP, key), record, id, is_command: false, raw: None }
    }

    pub(super) fn ask(
        &mut self,
        journal: Journal,
        actor: &str,
        action: Action,
        stamped: &[usize],
    ) -> Request {
        let id = self.id("r");
        let stamps = stamped.iter().map(|at| self.stamp(*at)).collect();
        let record = command_record(actor, &id, action, stamps);
        Request { journal, key: ActorKey::new(SHOP, actor), record, id, is_command: true, raw: None }
    }
}

/// Whether an event names a product: then intake stamps it.
fn names(event: &v1::Event, product: &str) -> bool {
    match &event.kind {
        Some(Kind::ProductView(view)) => view.product_id == product,
        Some(Kind::Review(review)) => review.product_id == product,
        Some(Kind::CartStep(step)) => step.line.as_ref().is_some_and(|line| line.product_id == product),
        Some(Kind::OrderStep(step)) => step.lines.iter().any(|line| line.product_id == product),
        _ => false,
    }
}
