//! One actor of a users shard: what it remembers, and what every step of it has in common.

use std::collections::BTreeMap;

use souk_proto::journal::v1::Stamp;
use souk_proto::v1::{ErrorReason, Line, Money};

use super::cart::{Cart, Goods, Lines, Moved};
use super::dedup::{EventIds, Requests};
use super::fact::{Amount, Base, Fact};
use super::merge::{Given, Merge};
use super::order::Order;
use super::session::Sessions;
use super::settings::Settings;
use super::time::Ms;

const STEPS: usize = 64;
const ABANDONED: usize = 16;

/// An abandoned cart that can be put back.
#[derive(Debug, Clone)]
pub(super) struct Abandoned {
    pub(super) token: String,
    pub(super) lines: Lines,
    pub(super) used: bool,
}

/// A user or a guest.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    pub(super) shop: String,
    pub(super) id: String,
    /// How often this key was erased.
    pub(super) generation: u32,
    pub(super) erased_at: Option<Ms>,
    pub(super) ids: EventIds,
    pub(super) requests: Requests,
    pub(super) sessions: Sessions,
    pub(super) journey: Vec<(Ms, String)>,
    pub(super) cart: Cart,
    pub(super) abandoned: Vec<Abandoned>,
    pub(super) orders: Vec<Order>,
    pub(super) merges: Vec<Merge>,
    pub(super) given: Vec<Given>,
}

/// Where a step happens, and the facts it leaves.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) offset: u64,
    pub(super) log: Ms,
    /// The time of what happens: the event's, or log time.
    pub(super) at: Ms,
    pub(super) settings: &'a Settings,
    pub(super) stamps: &'a [Stamp],
    pub(super) base: Base,
    pub(super) facts: Vec<Fact>,
}

impl Scene<'_> {
    pub(super) fn stamp(&self, product: &str) -> Option<&Stamp> {
        self.stamps.iter().find(|stamp| stamp.product_id == product)
    }

    pub(super) fn stamped_price(&self, product: &str) -> Option<Amount> {
        let stamp = self.stamp(product).filter(|stamp| !stamp.currency_code.is_empty())?;
        Some(Amount::new(&stamp.currency_code, stamp.price_minor_units))
    }

    /// What a line says of its product, and where it is silent the stamp.
    pub(super) fn goods(&self, line: &Line, quantity: i64) -> Goods {
        let stamp = self.stamp(&line.product_id).cloned().unwrap_or_default();
        let or = |said: &String, stamped: String| if said.is_empty() { stamped } else { said.clone() };
        Goods {
            product: line.product_id.clone(),
            quantity,
            price: line.unit_price.as_ref().and_then(amount).or_else(|| self.stamped_price(&line.product_id)),
            title: or(&line.title, stamp.title),
            category: or(&line.category, stamp.category),
            brand: or(&line.brand, stamp.brand),
        }
    }

    /// A fact of one line at the time of the scene.
    pub(super) fn line_fact(&mut self, moved: &Moved) {
        let fact = Fact::new(moved.kind, self.at, &self.base)
            .text("product", &moved.product)
            .text("category", &moved.category)
            .text("brand", &moved.brand)
            .number("quantity", moved.quantity)
            .amount("amount", moved.amount.clone());
        self.facts.push(fact);
    }
}

/// An amount as reported; none if it has no number.
pub(super) fn amount(money: &Money) -> Option<Amount> {
    money.minor_units.map(|minor| Amount::new(&money.currency_code, minor))
}

impl Person {
    pub(super) fn new(shop: &str, id: &str) -> Self {
        Self { shop: shop.to_owned(), id: id.to_owned(), ..Self::default() }
    }

    /// `shop/id`, as keys are ordered.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.shop, self.id)
    }

    /// What facts of state tell beside their own: who, and the session holding the moment.
    pub(super) fn base(&self, at: Ms, gap: Ms) -> Base {
        let mut texts = self.known().texts;
        if let Some(tale) = self.sessions.holding(at, gap) {
            texts.insert("session.referrer".to_owned(), tale.referrer);
            texts.insert("session.campaign".to_owned(), tale.campaign);
        }
        Base { texts, ..self.known() }
    }

    /// Who, and nothing of any session.
    pub(super) fn known(&self) -> Base {
        let texts = BTreeMap::from([("user".to_owned(), self.id.clone())]);
        Base { shop: self.shop.clone(), person: Some((self.key(), self.generation)), texts }
    }

    /// Changes the cart: the abandonment rule where something was added, then the facts, then the version.
    pub(super) fn change_cart(
        &mut self,
        scene: &mut Scene<'_>,
        change: impl FnOnce(&mut Cart) -> Result<Vec<Moved>, ErrorReason>,
    ) -> Result<(), ErrorReason> {
        let before = self.cart.lines.clone();
        let moved = change(&mut self.cart)?;
        if moved.iter().any(|moved| moved.kind == "cart_add") {
            self.added(&before, scene);
        }
        for moved in &moved {
            scene.line_fact(moved);
        }
        self.lines_changed(&before);
        Ok(())
    }

    /// Raises the version if lines differ, and lets an emptied cart start anew.
    pub(super) fn lines_changed(&mut self, before: &Lines) {
        if *before != self.cart.lines {
            self.cart.version += 1;
            if self.cart.lines.is_empty() {
                self.cart.start_anew();
            }
        }
    }

    /// Remembers an abandoned cart; the oldest gives way.
    pub(super) fn remember_abandoned(&mut self, deadline: Ms, lines: &Lines) {
        self.abandoned.push(Abandoned { token: deadline.to_string(), lines: lines.clone(), used: false });
        if self.abandoned.len() > ABANDONED {
            self.abandoned.remove(0);
        }
    }

    /// The newest cart abandoned at this deadline was ordered: its token is used.
    pub(super) fn use_up(&mut self, deadline: Ms) {
        if let Some(cart) = self.abandoned.iter_mut().rev().find(|cart| cart.token == deadline.to_string()) {
            cart.used = true;
        }
    }

    /// Takes one step of the journey; says where it came from.
    pub(super) fn step(&mut self, at: Ms, name: &str, gap: Ms) -> String {
        let from = match self.journey.last() {
            Some((before, name)) if (at - before).abs() <= gap => name.clone(),
            _ => "start".to_owned(),
        };
        self.journey.push((at, name.to_owned()));
        if self.journey.len() > STEPS {
            self.journey.remove(0);
        }
        from
    }

    /// Forgets the oldest steps as long as they are out of reach.
    pub(super) fn drop_steps(&mut self, floor: Ms) {
        let gone = self.journey.iter().take_while(|(at, _)| *at < floor).count();
        self.journey.drain(..gone);
    }

    /// Forgets everything but what the products journal is still owed.
    pub(super) fn erase(&mut self, at: Ms) {
        let orders = self.orders.iter().filter(|order| order.is_owed()).map(Order::bared).collect();
        *self = Self {
            generation: self.generation + 1,
            erased_at: Some(at),
            orders,
            ..Self::new(&self.shop, &self.id)
        };
    }
}
