//! The user's encoding: a version, one bit per part that is there, the parts. As small as an idle user can be: there are millions.

use super::{Cart, Journey, Rare, User, merge::Merges, orders::Orders, sessions::Sessions};
use crate::actor::{Actor, Deadlines, StateError};
use crate::codec::{Reader, Writer, damaged};
use crate::memory::dedup::Dedup;
use crate::memory::requests::Requests;
use crate::tally::Presence;

/// Newest format this build reads, and the one it writes.
const FORMAT: u8 = 1;

const DEDUP: u8 = 1;
const SESSIONS: u8 = 1 << 1;
const JOURNEY: u8 = 1 << 2;
const CART: u8 = 1 << 3;
const ORDERS: u8 = 1 << 4;
const REQUESTS: u8 = 1 << 5;
const MERGES: u8 = 1 << 6;
const PRESENCE: u8 = 1 << 7;

impl Actor for User {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(FORMAT);
        out.push(self.parts());
        let mut w = Writer::new(out);
        // The ids first: their minute is the time all other times are written against.
        if !self.dedup.is_empty() {
            self.dedup.encode(&mut w);
        }
        if !self.sessions.is_empty() {
            self.sessions.encode(&mut w);
        }
        if let Some(cart) = &self.cart {
            cart.encode(&mut w);
        }
        if !self.journey.is_empty() {
            self.journey.encode(&mut w);
        }
        if let Some(rare) = &self.rare {
            rare.encode(&mut w);
        }
        // Last, and to the end: it knows its own length no better than we do.
        self.presence.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let (parts, mut r) = match bytes {
            [format, ..] if *format > FORMAT => {
                return Err(StateError::Newer { found: *format, newest: FORMAT });
            }
            [FORMAT, parts, rest @ ..] => (*parts, Reader::new(rest)),
            _ => return Err(damaged("it has no format or no parts")),
        };
        let has = |part: u8| parts & part != 0;
        let mut user = Self::default();
        if has(DEDUP) {
            user.dedup = Dedup::decode(&mut r)?;
        }
        if has(SESSIONS) {
            user.sessions = Sessions::decode(&mut r)?;
        }
        if has(CART) {
            user.cart = Some(Box::new(Cart::decode(&mut r)?));
        }
        if has(JOURNEY) {
            user.journey = Journey::decode(&mut r)?;
        }
        if has(ORDERS | REQUESTS | MERGES) {
            user.rare = Some(Box::new(Rare::decode(parts, &mut r)?));
        }
        if has(PRESENCE) {
            user.presence = Presence::decode(r.take_rest())?;
        }
        r.end()?;
        Ok(user)
    }

    fn deadlines(&self) -> Deadlines {
        self.next_deadlines()
    }

    fn is_empty(&self) -> bool {
        self.parts() == 0
    }

    fn touch(&self) -> u64 {
        let cart = self.cart.as_deref().map_or(0, |cart| u64::from(cart.deadline.is_some()));
        self.dedup.touch() ^ self.sessions.touched() ^ self.journey.touch() ^ self.presence.touch() ^ cart
    }
}

impl User {
    fn parts(&self) -> u8 {
        let part = |bit: u8, there: bool| if there { bit } else { 0 };
        let rare = self.rare.as_deref();
        part(DEDUP, !self.dedup.is_empty())
            | part(SESSIONS, !self.sessions.is_empty())
            | part(JOURNEY, !self.journey.is_empty())
            | part(CART, self.cart.is_some())
            | part(ORDERS, rare.is_some_and(|rare| !rare.orders.is_empty()))
            | part(REQUESTS, rare.is_some_and(|rare| !rare.requests.is_empty()))
            | part(MERGES, rare.is_some_and(|rare| !rare.merges.is_empty()))
            | part(PRESENCE, !self.presence.is_empty())
    }
}

impl Rare {
    fn encode(&self, w: &mut Writer<'_>) {
        if !self.orders.is_empty() {
            self.orders.encode(w);
        }
        if !self.requests.is_empty() {
            self.requests.encode(w);
        }
        if !self.merges.is_empty() {
            self.merges.encode(w);
        }
    }

    fn decode(parts: u8, r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut rare = Self::default();
        if parts & ORDERS != 0 {
            rare.orders = Orders::decode(r)?;
        }
        if parts & REQUESTS != 0 {
            rare.requests = Requests::decode(r)?;
        }
        if parts & MERGES != 0 {
            rare.merges = Merges::decode(r)?;
        }
        Ok(rare)
    }
}
