//! The shoppers: one event per slot of the schedule, its kind drawn by weight, then somebody found whom it can happen to. Pure: no
//! clock, no I/O, one seeded generator.
//!
//! The weights decide, so their shares come out as asked. Only what cannot happen becomes its nearest step: a checkout without a cart
//! to buy is an add, a login without a guest a page view, a refund without an order a page view. How many things are in a cart follows
//! from the weights: carts open while few wait to be bought, and fill while many do.

use rand::{RngExt as _, SeedableRng as _};
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::crowd::Crowd;
use super::kind::{Draw, Kind};
use super::options::Options;
use super::shop::{Dice, Shop};
use super::visit::{Intent, Visit};
use super::{browsing, buying};

/// Part of the page views on which a known visitor goes on at another device.
const OTHER_DEVICE: f64 = 0.04;

/// Makes events without end.
#[derive(Debug)]
pub(super) struct Shoppers {
    shop: Shop,
    crowd: Crowd,
    draw: Draw,
    abandon: f64,
    announced: u32,
}

impl Shoppers {
    pub(super) fn new(options: &Options) -> Self {
        let dice = Dice::seed_from_u64(options.seed);
        Self {
            shop: Shop::new(options, dice, options.user_skew),
            crowd: Crowd::new(options),
            draw: Draw::new(&options.weights),
            abandon: options.abandon.part(),
            announced: 0,
        }
    }

    /// Whether products are still being announced.
    pub(super) fn is_announcing(&self) -> bool {
        self.announced < self.shop.catalogue.count()
    }

    /// What happens next, without id and time.
    pub(super) fn next(&mut self) -> v1::Event {
        if self.is_announcing() {
            let body = self.shop.catalogue.get(self.announced).announced();
            self.announced += 1;
            return v1::Event { source: "catalogue".to_owned(), kind: Some(body), ..v1::Event::default() };
        }
        let kind = self.draw.kind(&mut self.shop.dice);
        self.happens(kind)
    }

    fn happens(&mut self, kind: Kind) -> v1::Event {
        match kind {
            Kind::PageView => self.page_view(),
            Kind::CartAdd => self.cart_add(),
            Kind::Checkout => match self.crowd.buyer(&mut self.shop.dice) {
                Some(visit) => self.checkout(visit),
                None => self.cart_add(),
            },
            Kind::Login => self.login(),
            Kind::Logout => self.logout(),
            Kind::Wishlist => self.of_known(browsing::wish),
            Kind::Review => self.of_known(browsing::review),
            Kind::AfterOrder => buying::after_order(&mut self.shop).unwrap_or_else(|| self.page_view()),
            Kind::Transaction => {
                let person = self.crowd.anybody(&mut self.shop.dice);
                self.shop.transaction(person)
            }
            Kind::Trip => self.shop.trip(),
            Kind::Stock => self.shop.stock(),
            Kind::Price => self.shop.price(),
            Kind::Custom => self.custom(),
            Kind::ProductView => self.of_anyone(browsing::product_view),
            Kind::Search => self.of_anyone(|shop, _| browsing::search(shop)),
            Kind::Browse => self.of_anyone(|shop, _| browsing::browse(shop)),
            Kind::CartChange => self.of_anyone(buying::change),
            Kind::Recommendation => self.of_anyone(browsing::recommendation),
        }
    }

    /// Somebody comes in, goes on elsewhere, or turns a page.
    fn page_view(&mut self) -> v1::Event {
        if self.crowd.has_room() {
            let visit = self.crowd.enter(&mut self.shop.dice);
            return self.of(visit, browsing::landing);
        }
        let mut visit = self.crowd.anyone(&mut self.shop.dice);
        if visit.known && self.shop.chance(OTHER_DEVICE) {
            visit.change_device(self.crowd.next_visit(), &mut self.shop.dice);
            return self.of(visit, browsing::landing);
        }
        self.of(visit, browsing::page)
    }

    /// Into a new cart as long as few wait to be bought, else into one that is there.
    fn cart_add(&mut self) -> v1::Event {
        let dice = &mut self.shop.dice;
        let opens = !self.crowd.has_carts() && dice.random_bool(0.5);
        let found = if opens {
            self.crowd.find(dice, |visit| visit.cart.is_empty())
        } else {
            self.crowd.find(dice, |visit| !visit.cart.is_empty() && visit.has_room())
        };
        let visit = found.unwrap_or_else(|| self.crowd.enter(dice));
        let abandon = self.abandon;
        self.of(visit, |shop, visit| buying::add(shop, visit, abandon))
    }

    fn checkout(&mut self, mut visit: Visit) -> v1::Event {
        let number = visit.order.map(|order| order.number);
        let body = buying::checkout(&mut self.shop, &mut visit);
        let event = by(&self.shop, &visit);
        if let (Some(number), None) = (number, visit.order) {
            buying::placed(&mut self.shop, &mut visit, number, event.clone());
        }
        self.crowd.put(visit);
        v1::Event { kind: Some(body), ..event }
    }

    /// Those who leave their cart behind stay guests: nothing then brings the cart back.
    fn login(&mut self) -> v1::Event {
        let guest =
            |visit: &Visit| !visit.known && visit.person.is_some() && visit.intent != Some(Intent::Leave);
        match self.crowd.find(&mut self.shop.dice, guest) {
            Some(visit) => self.of(visit, |shop, visit| browsing::login(shop, visit)),
            None => self.page_view(),
        }
    }

    fn logout(&mut self) -> v1::Event {
        match self.crowd.find(&mut self.shop.dice, |visit| visit.known && visit.cart.is_empty()) {
            Some(visit) => self.of(visit, |_, visit| {
                visit.left = 0;
                Body::Logout(v1::Logout {})
            }),
            None => self.page_view(),
        }
    }

    fn custom(&mut self) -> v1::Event {
        let mut labels = Default::default();
        let mut event = self.of_anyone(|shop, _| {
            let (body, of_it) = browsing::custom(shop);
            labels = of_it;
            body
        });
        event.labels = labels;
        event
    }

    fn of_known(&mut self, what: impl FnOnce(&mut Shop, &mut Visit) -> Body) -> v1::Event {
        let dice = &mut self.shop.dice;
        let visit = self.crowd.find(dice, |visit| visit.known).unwrap_or_else(|| self.crowd.anyone(dice));
        self.of(visit, what)
    }

    fn of_anyone(&mut self, what: impl FnOnce(&mut Shop, &mut Visit) -> Body) -> v1::Event {
        let visit = self.crowd.anyone(&mut self.shop.dice);
        self.of(visit, what)
    }

    fn of(&mut self, mut visit: Visit, what: impl FnOnce(&mut Shop, &mut Visit) -> Body) -> v1::Event {
        let body = what(&mut self.shop, &mut visit);
        let event = v1::Event { kind: Some(body), ..by(&self.shop, &visit) };
        self.crowd.put(visit);
        event
    }
}

/// Whoever it is, and where.
fn by(shop: &Shop, visit: &Visit) -> v1::Event {
    v1::Event {
        user_id: visit.user_id(),
        session_id: visit.session_id(&shop.run),
        device_id: visit.device_id(&shop.run),
        source: visit.source().to_owned(),
        ..v1::Event::default()
    }
}
