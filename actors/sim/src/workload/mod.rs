//! The workload: what the people of a small shop do, and what goes wrong on their side. One stream of requests per seed.
//!
//! [`people`] reports events of users and guests, [`orders`] the money, [`commands`] asks for decisions, [`shelf`] moves products.

mod build;
mod commands;
mod orders;
mod people;
mod shelf;

use std::collections::VecDeque;

use prost::Message;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::time::{DAY, HOUR, MINUTE, Millis, SECOND};
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1;

use crate::faults::{Chaos, Fault};
use crate::rng::Rng;
use crate::settings;

pub use build::{SHOP, command_record};

pub const USERS: usize = 8;
pub const GUESTS: usize = 4;
pub const PRODUCTS: usize = 6;
/// Carts asked of one guest in a seed: with repeats under new ids still within what it remembers for an hour.
const MERGES_OF_A_GUEST: u32 = 6;
/// Events remembered to be sent again.
const RECENT: usize = 24;

/// One thing a client wants appended.
#[derive(Debug, Clone)]
pub struct Request {
    pub journal: Journal,
    pub key: ActorKey,
    pub record: journal::Record,
    /// The event's id or the command's request id; empty for settings and poison.
    pub id: String,
    pub is_command: bool,
    /// Bytes in place of the record: poison.
    pub raw: Option<Vec<u8>>,
}

impl Request {
    pub fn bytes(&self) -> Vec<u8> {
        self.raw.clone().unwrap_or_else(|| self.record.encode_to_vec())
    }
}

#[derive(Debug)]
pub struct Workload {
    rng: Rng,
    made: u64,
    recent: VecDeque<Request>,
    /// Orders somebody asked for, commanded or reported: (user, order).
    orders: VecDeque<(String, String)>,
    /// What the catalogue says of each product, as intake would stamp it.
    prices: [i64; PRODUCTS],
    settings_version: u32,
    /// Carts asked of each guest: it remembers only so many, and answers no more.
    merges: [u32; GUESTS],
}

impl Workload {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::of(seed, "workload");
        let prices = std::array::from_fn(|_| rng.between(100, 9_900));
        Self {
            rng,
            made: 0,
            recent: VecDeque::new(),
            orders: VecDeque::new(),
            prices,
            settings_version: 0,
            merges: [0; GUESTS],
        }
    }

    /// What opens the shop: every product with a price and a scarce stock.
    pub fn opening(&mut self) -> Vec<Request> {
        (0..PRODUCTS).map(|at| self.new_product(at)).collect()
    }

    /// The next request, at about this broker time.
    pub fn next(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        if chaos.strikes(Fault::EraseUser, 120) {
            let user = self.user(chaos);
            return self.erase(&user);
        }
        if chaos.strikes(Fault::PoisonBytes, 90) {
            return self.poison();
        }
        if chaos.strikes(Fault::FoldPanics, 250) {
            let user = self.user(chaos);
            return self.event(
                now,
                &user,
                v1::event::Kind::Custom(v1::Custom { r#type: PANICS.into() }),
                chaos,
            );
        }
        if self.rng.one_in(20)
            && let Some(again) = self.recent.get(self.rng.index(self.recent.len().max(1)))
        {
            return again.clone();
        }
        let request = match self.rng.below(100) {
            0..=47 => self.person(now, chaos),
            48..=65 => self.money(now, chaos),
            66..=87 => self.command(chaos),
            _ => self.shelf(now, chaos),
        };
        if !request.is_command {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(request.clone());
        }
        request
    }

    /// Settings for every partition: a metric added or a timeout changed.
    pub fn new_settings(&mut self) -> journal::Record {
        self.settings_version += 1;
        let body = settings::version(self.settings_version, &mut self.rng);
        let hash = xxhash_rust::xxh3::xxh3_64(body.as_bytes());
        journal::Record { body: Some(Body::Settings(journal::Settings { hash, body })) }
    }

    /// A record of a foreign topic: somebody's transaction or trip, or an event of a known user.
    pub fn foreign(&mut self, now: Millis, chaos: &mut Chaos) -> Request {
        match self.rng.below(3) {
            0 => self.person(now, chaos),
            1 => self.transaction(now, chaos),
            _ => self.trip(now, chaos),
        }
    }

    fn poison(&mut self) -> Request {
        let bytes = (0..self.rng.between(0, 40)).map(|_| self.rng.draw() as u8).collect();
        let journal = if self.rng.one_in(3) { Journal::Products } else { Journal::Users };
        let key = ActorKey::new(SHOP, &format!("poison-{}", self.rng.below(64)));
        Request {
            journal,
            key,
            record: journal::Record { body: None },
            id: String::new(),
            is_command: false,
            raw: Some(bytes),
        }
    }

    /// A user, a guest now and then; nearly always the same one when keys are skewed.
    fn user(&mut self, chaos: &mut Chaos) -> String {
        if chaos.is_on(Fault::KeySkew) && self.rng.percent(99) {
            chaos.done(Fault::KeySkew);
            return "u-0".into();
        }
        if self.rng.one_in(4) {
            return format!("guest:s-{}", self.rng.below(GUESTS as u64));
        }
        format!("u-{}", self.rng.below(USERS as u64))
    }

    /// A guest whose cart may still be asked for.
    fn guest(&mut self) -> Option<usize> {
        let guest = self.rng.index(GUESTS);
        self.merges[guest] += 1;
        (self.merges[guest] <= MERGES_OF_A_GUEST).then_some(guest)
    }

    fn product(&mut self, chaos: &Chaos) -> usize {
        if chaos.is_on(Fault::KeySkew) && self.rng.percent(99) { 0 } else { self.rng.index(PRODUCTS) }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}-{}", self.made)
    }

    /// An event time around now: mostly a little old, sometimes late, too old, or of another age altogether.
    fn event_time(&mut self, now: Millis, chaos: &mut Chaos) -> Option<Millis> {
        if chaos.strikes(Fault::FarFutureEvent, 60) {
            return Some(4_070_908_800_000);
        }
        match self.rng.below(100) {
            0..=14 => None,
            15..=79 => Some(now - self.rng.between(0, 3 * SECOND)),
            80..=91 => Some(now - self.rng.between(0, MINUTE)),
            92..=95 => Some(now - self.rng.between(0, 20 * MINUTE)),
            96 => Some(now - self.rng.between(0, 30 * HOUR)),
            97 => Some(now - self.rng.between(6 * DAY, 8 * DAY)),
            _ => Some(now + self.rng.between(0, 8 * MINUTE)),
        }
    }
}

/// A custom event of this type panics a fold built with planted bugs.
const PANICS: &str = "souk.sim.panic";
