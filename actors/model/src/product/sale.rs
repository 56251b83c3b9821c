//! A sale: a price that holds for a while, for so many pieces, for so many of them each.

use std::collections::BTreeMap;

use crate::limits::SALE_USERS;
use crate::money::Money;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// What was agreed when it was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub price: Money,
    pub start: Millis,
    /// First moment after it; absent: until it is ended, or its pieces are gone.
    pub end: Option<Millis>,
    pub quantity: Option<i64>,
    pub per_user: Option<i64>,
}

/// A sale announced or running, and the pieces taken in it. Once over it is dropped: holds remember its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Offset of the record that announced it: no two sales of a product share one.
    pub(super) id: u64,
    pub(super) terms: Terms,
    pub(super) running: bool,
    pub(super) reserved: i64,
    pub(super) sold: i64,
    /// Pieces each user holds or bought in it; kept only where the terms limit them.
    pub(super) users: BTreeMap<Box<str>, i64>,
}

impl Terms {
    /// Whether they can still be kept at `log_time`.
    pub(super) fn check(&self, path: &str, log_time: Millis) -> Result<(), Refusal> {
        if self.end.is_some_and(|end| end <= self.start.max(log_time)) {
            let message = "must be after the start, and in the future";
            return Err(Refusal::new(Reason::ValueOutOfRange, format!("{path}end_time"), message));
        }
        Ok(())
    }
}

impl Sale {
    pub(super) fn announce(id: u64, terms: Terms, log_time: Millis) -> Self {
        let running = terms.start <= log_time;
        Self { id, terms, running, reserved: 0, sold: 0, users: BTreeMap::new() }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Its price is the product's price now.
    pub fn running(&self) -> bool {
        self.running
    }

    /// Pieces sold in it so far.
    pub fn sold(&self) -> i64 {
        self.sold
    }

    /// When it starts, or else ends, by itself.
    pub(super) fn deadline(&self) -> Option<Millis> {
        if self.running { self.terms.end } else { Some(self.terms.start) }
    }

    /// Every piece it had is sold.
    pub(super) fn sold_out(&self) -> bool {
        self.terms.quantity == Some(self.sold)
    }

    /// Whether this user may take so many pieces more.
    pub(super) fn admit(&self, user: &str, quantity: i64) -> Result<(), Reason> {
        if self.terms.quantity.is_some_and(|all| self.reserved + self.sold + quantity > all) {
            return Err(Reason::SaleLimitReached);
        }
        let Some(per_user) = self.terms.per_user else { return Ok(()) };
        match self.users.get(user) {
            Some(taken) if taken + quantity > per_user => Err(Reason::SaleLimitReached),
            None if quantity > per_user => Err(Reason::SaleLimitReached),
            None if self.users.len() >= SALE_USERS => Err(Reason::TooManyItems),
            _ => Ok(()),
        }
    }

    pub(super) fn take(&mut self, user: &str, quantity: i64) {
        self.reserved += quantity;
        if self.terms.per_user.is_some() {
            *self.users.entry(user.into()).or_default() += quantity;
        }
    }

    pub(super) fn give_back(&mut self, user: &str, quantity: i64) {
        self.reserved -= quantity;
        if let Some(taken) = self.users.get_mut(user) {
            *taken -= quantity;
            if *taken == 0 {
                self.users.remove(user);
            }
        }
    }

    pub(super) fn sell(&mut self, quantity: i64) {
        self.reserved -= quantity;
        self.sold += quantity;
    }

    pub(super) fn within_terms(&self) -> bool {
        let taken = self.reserved + self.sold;
        self.reserved >= 0 && self.sold >= 0 && self.terms.quantity.is_none_or(|all| taken <= all)
    }
}
