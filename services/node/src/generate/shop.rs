//! What visits have in common, and what happens without one: the catalogue, the ids of the run, placed orders, ledgers and fleets.

use std::collections::VecDeque;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt};
use rand_distr::Zipf;
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::catalogue::{Catalogue, Market, any_category, draw, zipf};
use super::limits::PLACED_ORDERS;
use super::options::{Exponent, Options};
use super::visit::{CartLine, user_id};

/// The generator of everything that is drawn. Named, so that another version of the library does not choose another one.
pub(super) type Dice = Xoshiro256PlusPlus;

/// An order that may still be refunded or called off, by whoever placed it.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) number: u64,
    pub(super) by: v1::Event,
    pub(super) lines: Vec<CartLine>,
}

#[derive(Debug)]
pub(super) struct Shop {
    pub(super) dice: Dice,
    pub(super) run: String,
    pub(super) catalogue: Catalogue,
    pub(super) placed: VecDeque<Placed>,
    regions: Zipf<f64>,
    carts: u64,
    orders: u64,
    /// Transactions, trips and recommendations so far.
    others: u64,
}

/// Regions of the fleet.
const REGIONS: u32 = 100;

impl Shop {
    pub(super) fn new(options: &Options, dice: Dice, region_skew: Exponent) -> Self {
        Self {
            dice,
            run: options.run.clone(),
            catalogue: Catalogue::new(options.products, options.product_skew),
            placed: VecDeque::with_capacity(PLACED_ORDERS),
            regions: zipf(REGIONS, region_skew),
            carts: 0,
            orders: 0,
            others: 0,
        }
    }

    pub(super) fn next_cart(&mut self) -> u64 {
        self.carts += 1;
        self.carts
    }

    pub(super) fn next_order(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }

    /// An id for something told by no number of its own.
    pub(super) fn next_id(&mut self, letter: char) -> String {
        self.others += 1;
        format!("{}-{letter}{}", self.run, self.others)
    }

    pub(super) fn chance(&mut self, part: f64) -> bool {
        self.dice.random_bool(part)
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.dice.random_range(0..all.len())]
    }

    /// Remembers an order; the oldest gives way.
    pub(super) fn remember(&mut self, placed: Placed) {
        if self.placed.len() == PLACED_ORDERS {
            self.placed.pop_front();
        }
        self.placed.push_back(placed);
    }

    /// One placed order, forgotten with this.
    pub(super) fn any_placed(&mut self) -> Option<Placed> {
        if self.placed.is_empty() {
            return None;
        }
        let place = self.dice.random_range(0..self.placed.len());
        self.placed.swap_remove_back(place)
    }

    /// A ledger's word on a person.
    pub(super) fn transaction(&mut self, person: u32) -> v1::Event {
        use v1::transaction::Type;
        let r#type = match self.dice.random_range(0..100) {
            0..80 => Type::Purchase,
            80..92 => Type::Refund,
            _ => Type::Transfer,
        };
        let amount = self.dice.random_range(100..25_000);
        let transaction = v1::Transaction {
            r#type: r#type.into(),
            transaction_id: self.next_id('t'),
            amount: Some(Market::of(person).money(amount)),
            category: any_category(&mut self.dice).to_owned(),
            merchant: self.one_of(&["Souk", "Souk Outlet", "Corner Stand", "Harbour Kiosk"]).to_owned(),
            location: self.one_of(&["Lyon", "Porto", "Leeds", "Austin", "Graz", "Turku"]).to_owned(),
        };
        v1::Event {
            user_id: user_id(person),
            source: "ledger".to_owned(),
            kind: Some(Body::Transaction(transaction)),
            ..v1::Event::default()
        }
    }

    /// A fleet's word on a trip; nobody's.
    pub(super) fn trip(&mut self) -> v1::Event {
        let distance = self.dice.random_range(400..28_000_i64);
        // City traffic, between 4 and 12 m/s.
        let seconds = (distance / self.dice.random_range(4..=12)).max(60);
        let region = draw(&self.regions, &mut self.dice) + 1;
        let placed = self.chance(0.5);
        let trip = v1::Trip {
            trip_id: self.next_id('r'),
            region_id: region as i32,
            fare: Some(Market::Dollar.money(250 + distance / 1_000 * 135 + seconds / 60 * 35)),
            duration: Some(prost_types::Duration { seconds, nanos: 0 }),
            distance_meters: distance,
            pickup: placed.then(|| point(region, &mut self.dice)),
            dropoff: placed.then(|| point(region, &mut self.dice)),
            driver_id: format!("driver-{}", self.dice.random_range(1..=400)),
            vehicle_type: self.one_of(&["car", "car", "car", "van", "bike"]).to_owned(),
            payment_method: self.one_of(&["card", "cash", "wallet"]).to_owned(),
        };
        v1::Event { source: "fleet".to_owned(), kind: Some(Body::Trip(trip)), ..v1::Event::default() }
    }

    /// A warehouse's word on a product: a delivery, or a count that sometimes finds little.
    pub(super) fn stock(&mut self) -> v1::Event {
        use v1::stock_step::Change;
        let product = self.dice.random_range(0..self.catalogue.count());
        let (change, reason) = if self.chance(0.7) {
            (Change::Delta(self.dice.random_range(10..200)), "delivery")
        } else {
            (Change::Level(self.dice.random_range(0..40)), "stocktaking")
        };
        let product_id = self.catalogue.get(product).id();
        let step = v1::StockStep { product_id, change: Some(change), reason: reason.to_owned() };
        v1::Event {
            source: "warehouse".to_owned(),
            kind: Some(Body::StockStep(step)),
            ..v1::Event::default()
        }
    }

    /// The catalogue's word on a new price.
    pub(super) fn price(&mut self) -> v1::Event {
        let product = self.dice.random_range(0..self.catalogue.count());
        let body = self.catalogue.get_mut(product).repriced(&mut self.dice);
        v1::Event { source: "catalogue".to_owned(), kind: Some(body), ..v1::Event::default() }
    }
}

/// A place in a region: each is a tenth of a degree wide. To five digits, about a metre.
fn point(region: u32, dice: &mut Dice) -> v1::Point {
    let mut degrees = |corner: u32| f64::from(corner * 10_000 + dice.next_u32() % 10_000) / 100_000.0;
    v1::Point { latitude: 40.0 + degrees((region - 1) / 10), longitude: degrees((region - 1) % 10) - 74.5 }
}
