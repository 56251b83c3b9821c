//! The shop: visits under way, and the next event of any of them.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use souk_proto::v1;
use souk_proto::v1::event::Kind;

use super::range::CURRENCIES;
use super::visit::{Visit, Who};
use super::{Meant, Range, Scenario, Sent, misfit};
use crate::limits;
use crate::measure::clock::{self, HOUR, MINUTE, Millis, SECOND};

/// Draws for a user who is free before a guest comes instead.
const DRAWS: usize = 16;
/// Behind every metric's lateness and correction time by half a day.
const PAST: Millis = 36 * HOUR;
const LATEST: Millis = 3 * HOUR;

#[derive(Debug)]
pub struct Shop {
    scenario: Scenario,
    rng: StdRng,
    range: Range,
    visits: Vec<Visit>,
    /// By user: from when on a new visit may begin.
    free_from: Vec<Millis>,
    /// Time between two visits of one user.
    between_visits: Millis,
    /// Starts every id, so that two runs on one server share none.
    prefix: String,
    serial: u64,
    closing: bool,
    repeatable: VecDeque<v1::Event>,
}

impl Shop {
    pub fn new(scenario: Scenario, seed: u64, prefix: &str, between_visits: Millis) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let range = Range::new(&scenario, &mut rng);
        Self {
            rng,
            range,
            visits: Vec::new(),
            free_from: vec![Millis::MIN; scenario.users],
            between_visits,
            prefix: prefix.to_owned(),
            serial: 0,
            closing: false,
            repeatable: VecDeque::new(),
            scenario,
        }
    }

    /// From now on visits are finished and none begins.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// Visits begin again.
    pub fn open(&mut self) {
        self.closing = false;
    }

    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Whether every visit is finished.
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Something that happens at `at`. Times must rise from call to call.
    pub fn next(&mut self, at: Millis) -> Sent {
        if self.closing {
            return self.visit_step(at);
        }
        let mut draw: f64 = self.rng.random();
        let mut falls = |share: f64| {
            draw -= share;
            draw < 0.0
        };
        let share = self.scenario.share.clone();
        if falls(share.malformed) {
            let kind = misfit::malformed(&mut self.rng);
            let event = self.of_somebody(at, kind);
            Sent { event, meant: Meant::Rejected }
        } else if falls(share.late) {
            let behind = self.rng.random_range(SECOND..LATEST);
            let view = self.look();
            self.counted(at - behind, Some(view), true)
        } else if falls(share.past) {
            let view = self.look();
            Sent { event: self.of_somebody(at - PAST, Some(view)), meant: Meant::Late }
        } else if falls(share.duplicates) && !self.repeatable.is_empty() {
            let again = self.rng.random_range(0..self.repeatable.len());
            Sent { event: self.repeatable[again].clone(), meant: Meant::Duplicate }
        } else if falls(share.trips) {
            let trip = misfit::trip(&mut self.rng, self.serial);
            self.counted(at, Some(trip), false)
        } else if falls(share.transactions) {
            let transaction = misfit::transaction(&mut self.rng, self.serial);
            let named = self.rng.random_bool(0.5);
            self.counted(at, Some(transaction), named)
        } else {
            self.visit_step(at)
        }
    }

    /// Somebody who is there right now: a page view of a crowd of their own, whose sessions touch nobody else's.
    pub fn live_view(&mut self, at: Millis) -> Sent {
        let live = self.rng.random_range(0..self.scenario.users);
        let mut event = self
            .event(at, Some(Kind::PageView(v1::PageView { page: "/live".to_owned(), ..Default::default() })));
        event.user_id = format!("live-{live}");
        Sent { event, meant: Meant::Counted }
    }

    /// Something that counts the same in whatever order it comes beside others: nothing a cart, an order or a journey is made of.
    pub fn anytime(&mut self, at: Millis) -> Sent {
        let (kind, named) = match self.rng.random_range(0..10) {
            0 | 1 => (misfit::trip(&mut self.rng, self.serial), false),
            2 => (misfit::transaction(&mut self.rng, self.serial), true),
            3 | 4 => (self.look(), false),
            _ => {
                (Kind::Browse(v1::Browse { category: self.range.pick(&mut self.rng).category.clone() }), true)
            }
        };
        self.counted(at, Some(kind), named)
    }

    fn look(&mut self) -> Kind {
        let product = self.range.pick(&mut self.rng);
        Kind::ProductView(v1::ProductView {
            product_id: product.id.clone(),
            category: product.category.clone(),
            brand: product.brand.clone(),
        })
    }

    fn counted(&mut self, at: Millis, kind: Option<Kind>, named: bool) -> Sent {
        let event = if named { self.of_somebody(at, kind) } else { self.event(at, kind) };
        self.remember(&event);
        Sent { event, meant: Meant::Counted }
    }

    fn visit_step(&mut self, at: Millis) -> Sent {
        while !self.closing && self.visits.len() < self.scenario.at_once {
            let visit = self.arrive(at);
            self.visits.push(visit);
        }
        let n = self.rng.random_range(0..self.visits.len());
        let who = self.visits[n].who.clone();
        let kind = self.visits[n].steps.pop_front();
        if self.visits[n].steps.is_empty() {
            self.visits.swap_remove(n);
            if let Some(user) = who.user {
                self.free_from[user] = at + self.between_visits;
            }
        }
        let mut event = self.event(at, kind);
        (event.user_id, event.session_id, event.device_id) = (who.user_id, who.session_id, who.device_id);
        "web".clone_into(&mut event.source);
        self.remember(&event);
        Sent { event, meant: Meant::Counted }
    }

    fn arrive(&mut self, at: Millis) -> Visit {
        self.serial += 1;
        let visit = self.serial;
        let user = if self.rng.random_bool(self.scenario.guests) { None } else { self.free_user(at) };
        if let Some(user) = user {
            self.free_from[user] = Millis::MAX;
        }
        let who = Who {
            user,
            user_id: user.map_or_else(String::new, |user| format!("u-{user}")),
            session_id: format!("{}-s-{visit:x}", self.prefix),
            device_id: format!("d-{}", visit % 977),
            currency: CURRENCIES[user.unwrap_or(visit as usize) % CURRENCIES.len()],
        };
        let order_id = format!("{}-o-{visit:x}", self.prefix);
        Visit::plan(who, &order_id, &self.range, &self.scenario.funnel, &mut self.rng)
    }

    fn free_user(&mut self, at: Millis) -> Option<usize> {
        (0..DRAWS)
            .map(|_| self.rng.random_range(0..self.free_from.len()))
            .find(|user| self.free_from[*user] <= at)
    }

    fn of_somebody(&mut self, at: Millis, kind: Option<Kind>) -> v1::Event {
        let mut event = self.event(at, kind);
        event.user_id = format!("u-{}", self.rng.random_range(0..self.scenario.users));
        event
    }

    fn event(&mut self, at: Millis, kind: Option<Kind>) -> v1::Event {
        self.serial += 1;
        v1::Event {
            event_id: format!("{}-{:012x}", self.prefix, self.serial),
            event_time: Some(clock::timestamp(at)),
            kind,
            ..Default::default()
        }
    }

    fn remember(&mut self, event: &v1::Event) {
        if self.repeatable.len() == limits::REPEATABLE {
            self.repeatable.pop_front();
        }
        self.repeatable.push_back(event.clone());
    }
}

/// Longer than a cart takes to be abandoned, so that each visit's cart is settled before the next one touches it.
pub const SETTLED_BETWEEN: Millis = 46 * MINUTE;
