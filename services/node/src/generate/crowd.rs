//! Everybody who is in the shop: three pools by how far they are. An event takes a visit out of its pool, and puts it where it belongs then.

use std::collections::BTreeSet;

use rand::{Rng, RngExt};
use rand_distr::Zipf;

use super::catalogue::{draw, zipf};
use super::limits::{TRIES, VISITS};
use super::options::Options;
use super::visit::{Intent, Visit};

/// Seconds between two events of one visit, in the middle.
const PAUSE: u32 = 4;

#[derive(Debug)]
pub(super) struct Crowd {
    /// Just looking, or with a cart that is left behind.
    browsing: Vec<Visit>,
    /// With a cart that will be bought.
    buying: Vec<Visit>,
    /// With an order on its way.
    paying: Vec<Visit>,
    /// People who are here: a person is here once.
    here: BTreeSet<u32>,
    /// As many as come before others have left.
    full: usize,
    visits: u64,
    people: Zipf<f64>,
}

impl Crowd {
    pub(super) fn new(options: &Options) -> Self {
        let full = options.rate.saturating_mul(PAUSE).min(options.users / 2).clamp(4, VISITS) as usize;
        Self {
            browsing: Vec::new(),
            buying: Vec::new(),
            paying: Vec::new(),
            here: BTreeSet::new(),
            full,
            visits: 0,
            people: zipf(options.users, options.user_skew),
        }
    }

    fn count(&self) -> usize {
        self.browsing.len() + self.buying.len() + self.paying.len()
    }

    /// Whether there is room for somebody to come in.
    pub(super) fn has_room(&self) -> bool {
        self.count() < self.full
    }

    /// Whether so many carts wait to be bought that further things go into those.
    pub(super) fn has_carts(&self) -> bool {
        self.buying.len() >= (self.full / 8).max(2)
    }

    /// A person by activity, here or not.
    pub(super) fn anybody(&self, rng: &mut impl Rng) -> u32 {
        draw(&self.people, rng)
    }

    /// Somebody comes in.
    pub(super) fn enter(&mut self, rng: &mut impl Rng) -> Visit {
        let person = (0..TRIES).map(|_| draw(&self.people, rng)).find(|person| !self.here.contains(person));
        self.here.extend(person);
        let number = self.next_visit();
        Visit::new(number, person, rng)
    }

    pub(super) fn next_visit(&mut self) -> u64 {
        self.visits += 1;
        self.visits
    }

    /// Takes out somebody who is not paying and of whom this holds.
    pub(super) fn find(&mut self, rng: &mut impl Rng, fits: impl Fn(&Visit) -> bool) -> Option<Visit> {
        let free = self.browsing.len() + self.buying.len();
        for _ in 0..if free == 0 { 0 } else { TRIES } {
            let place = rng.random_range(0..free);
            let (pool, place) = match place.checked_sub(self.browsing.len()) {
                None => (&mut self.browsing, place),
                Some(place) => (&mut self.buying, place),
            };
            if fits(&pool[place]) {
                return Some(pool.swap_remove(place));
            }
        }
        None
    }

    /// Takes out anybody, or lets somebody in where it is too quiet.
    pub(super) fn anyone(&mut self, rng: &mut impl Rng) -> Visit {
        let quiet = self.count() < self.full / 2;
        let found = if quiet { None } else { self.find(rng, |_| true) };
        found.unwrap_or_else(|| self.enter(rng))
    }

    /// Takes out somebody who is to take the next step of a purchase.
    pub(super) fn buyer(&mut self, rng: &mut impl Rng) -> Option<Visit> {
        let all = self.paying.len() + self.buying.len();
        if all == 0 {
            return None;
        }
        let place = rng.random_range(0..all);
        Some(match place.checked_sub(self.paying.len()) {
            None => self.paying.swap_remove(place),
            Some(place) => self.buying.swap_remove(place),
        })
    }

    /// Puts a visit where it belongs after an event, or lets it end.
    pub(super) fn put(&mut self, mut visit: Visit) {
        visit.left = visit.left.saturating_sub(1);
        if visit.order.is_none() && !visit.has_room() {
            // A cart that can take no more and that nobody has bought by now never will be.
            visit.intent = Some(Intent::Leave);
            visit.left = 0;
        }
        if visit.order.is_some() {
            self.paying.push(visit);
        } else if visit.is_buying() {
            self.buying.push(visit);
        } else if visit.left > 0 {
            self.browsing.push(visit);
        } else if let Some(person) = visit.person {
            self.here.remove(&person);
        }
    }
}
