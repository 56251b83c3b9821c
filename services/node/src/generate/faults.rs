//! Faults on purpose: events that come late, twice, or malformed. They have a generator of their own, so that asking for them does not
//! change what the shoppers do.

use std::collections::VecDeque;

use rand::{Rng, RngExt as _, SeedableRng as _};
use souk_formats::time::timestamp;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::limits::RECENT_EVENTS;
use super::options::Options;
use super::shop::Dice;
use super::shoppers::Shoppers;
use super::traffic::What;

/// The least an event comes late, doubled up to so often: 5 s to two days.
const LATE_MILLIS: i64 = 5_000;
const LATE_DOUBLED: u32 = 15;
/// Told apart from the shoppers' generator under the same seed.
const OTHER_SEED: u64 = 0x5bd1_e995;

#[derive(Debug)]
pub(super) struct Faults {
    dice: Dice,
    late: f64,
    duplicates: f64,
    malformed: f64,
    broken_lines: bool,
    users: u32,
    recent: VecDeque<v1::Event>,
}

impl Faults {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            dice: Dice::seed_from_u64(options.seed ^ OTHER_SEED),
            late: options.late.part(),
            duplicates: options.duplicates.part(),
            malformed: options.malformed.part(),
            broken_lines: options.broken_lines,
            users: options.users,
            recent: VecDeque::with_capacity(RECENT_EVENTS),
        }
    }

    /// Fills one slot. Announcements of products are spared: everything else rests on them.
    pub(super) fn pass(&mut self, shoppers: &mut Shoppers, id: String, millis: i64) -> What {
        let spared = shoppers.is_announcing();
        if !spared && self.dice.random_bool(self.malformed) {
            return self.malformed(id, millis);
        }
        if !self.recent.is_empty() && self.dice.random_bool(self.duplicates) {
            let place = self.dice.random_range(0..self.recent.len());
            return What::Event(self.recent[place].clone());
        }
        let mut event = shoppers.next();
        let of_a_system = matches!(event.kind, Some(Body::ProductStep(_) | Body::StockStep(_)));
        let late = if !of_a_system && self.dice.random_bool(self.late) { self.delay() } else { 0 };
        event.event_id = id;
        event.event_time = Some(timestamp(millis - late));
        if !spared && self.duplicates > 0.0 {
            if self.recent.len() == RECENT_EVENTS {
                self.recent.pop_front();
            }
            self.recent.push_back(event.clone());
        }
        What::Event(event)
    }

    /// As often seconds as hours: each doubling alike.
    fn delay(&mut self) -> i64 {
        let doubled = LATE_MILLIS << self.dice.random_range(0..LATE_DOUBLED);
        self.dice.random_range(doubled..doubled * 2)
    }

    /// An event with one thing wrong with it, each refused with another reason; where lines are written, half of them are no events.
    fn malformed(&mut self, id: String, millis: i64) -> What {
        let user_id = format!("u-{}", self.dice.random_range(1..=self.users));
        if self.broken_lines && self.dice.random_bool(0.5) {
            return What::Broken(broken(&mut self.dice, &id, &user_id));
        }
        let euros = |minor_units| v1::Money { currency_code: "EUR".to_owned(), minor_units };
        let line = v1::Line {
            product_id: "p-1".to_owned(),
            unit_price: Some(euros(Some(1_990))),
            ..Default::default()
        };
        let add = |line| {
            Body::CartStep(v1::CartStep {
                action: v1::cart_step::Action::Add.into(),
                line,
                ..Default::default()
            })
        };
        let transaction = v1::Transaction {
            r#type: v1::transaction::Type::Purchase.into(),
            amount: Some(v1::Money { currency_code: "EURO".to_owned(), minor_units: Some(100) }),
            ..Default::default()
        };
        let trip = v1::Trip {
            region_id: 101,
            fare: Some(euros(Some(1_200))),
            duration: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
            distance_meters: 3_000,
            ..Default::default()
        };
        let review = v1::Review { product_id: "p-1".to_owned(), rating: 9, title: String::new() };
        let mut event = v1::Event {
            event_id: id,
            event_time: Some(timestamp(millis)),
            user_id,
            source: "malformed".to_owned(),
            ..v1::Event::default()
        };
        event.kind = match self.dice.random_range(0..8) {
            0 => None,
            1 => Some(Body::ProductView(v1::ProductView::default())),
            2 => Some(add(None)),
            3 => Some(add(Some(v1::Line { quantity: Some(0), ..line }))),
            4 => Some(add(Some(v1::Line { unit_price: Some(euros(None)), ..line }))),
            5 => Some(Body::Transaction(transaction)),
            6 => Some(Body::Trip(trip)),
            _ => Some(Body::Review(review)),
        };
        What::Event(event)
    }
}

/// A line that is cut off, of an unknown field, of a wrong type, or no JSON at all.
fn broken(dice: &mut impl Rng, id: &str, user: &str) -> String {
    match dice.random_range(0..4) {
        0 => format!(r#"{{"eventId":"{id}","userId":"{user}","pageView":{{"page":"/mu"#),
        1 => format!(r#"{{"eventId":"{id}","userId":"{user}","colour":"red"}}"#),
        2 => format!(r#"{{"eventId":"{id}","userId":["{user}"],"pageView":{{"page":7}}}}"#),
        _ => format!("{id} {user} page_view /mugs"),
    }
}
