//! The cart of one person: its lines, how each change shows in facts, and since when only commands move it. SEMANTICS.md section 5.

use souk_proto::v1::MergePolicy;

use super::abandonment::{AbandonedCart, Stage};
use super::line::{Addition, Line};
use super::scribe::Scribe;
use crate::fact::Detail;
use crate::limits::{CART_LINES, LINE_QUANTITY};
use crate::money::{Currency, Money};
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cart {
    /// By product.
    pub lines: Vec<Line>,
    /// Of every line; none while there is none.
    pub currency: Option<Currency>,
    /// Rises by one with every change of lines.
    pub version: u64,
    /// Log time of the last one.
    pub update_time: Millis,
    /// A command was accepted: reported steps move it no more.
    pub commanded: bool,
    pub stage: Stage,
    pub latest_add: Option<Millis>,
    /// When it will count as abandoned.
    pub deadline: Option<Millis>,
    /// The newest of `abandoned` is this cart, and not settled.
    pub open: bool,
    /// The newest abandoned carts, oldest first.
    pub abandoned: Vec<AbandonedCart>,
}

/// A change of lines that was found lawful.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    Nothing,
    Add(Addition<'a>),
    /// At most so many pieces.
    Take {
        product: &'a str,
        quantity: u32,
    },
    Clear,
}

impl Cart {
    pub fn line(&self, product: &str) -> Option<&Line> {
        self.place(product).ok().map(|at| &self.lines[at])
    }

    fn place(&self, product: &str) -> Result<usize, usize> {
        self.lines.binary_search_by(|line| (*line.product).cmp(product))
    }

    /// What its lines come to.
    pub fn value(&self) -> Option<Money> {
        value_of(&self.lines, self.currency)
    }

    /// Whether pieces may be added.
    pub(super) fn check_add(&self, addition: &Addition<'_>) -> Result<(), Refusal> {
        if self.currency.is_some_and(|currency| currency != addition.price.currency) {
            return Err(Refusal::new(
                Reason::CurrencyMismatch,
                "unit_price.currency_code",
                "the cart has another currency",
            ));
        }
        let there = match self.place(addition.product) {
            Ok(at) => self.lines[at].quantity,
            Err(_) if self.lines.len() >= CART_LINES => {
                return Err(Refusal::new(
                    Reason::TooManyItems,
                    "",
                    format!("a cart holds at most {CART_LINES} products"),
                ));
            }
            Err(_) => 0,
        };
        let pieces = i64::from(there) + i64::from(addition.quantity);
        if addition.quantity == 0 || pieces > LINE_QUANTITY {
            let message = format!("a line holds 1 to {LINE_QUANTITY} pieces");
            return Err(Refusal::new(Reason::ValueOutOfRange, "quantity", message));
        }
        Ok(())
    }

    /// Makes a change at `time`, with its facts and what it means for the abandonment.
    pub(super) fn apply(&mut self, change: &Change<'_>, time: Millis, scribe: &mut Scribe<'_>) {
        match change {
            Change::Nothing => {}
            Change::Add(addition) => {
                self.fire_if_passed(time, scribe);
                self.add(addition, time, scribe);
                self.changed(scribe);
                self.rearm(time, scribe);
            }
            Change::Take { product, quantity } => {
                if let Ok(at) = self.place(product) {
                    self.take(at, *quantity, time, scribe);
                    self.changed(scribe);
                }
            }
            Change::Clear => {
                if !self.lines.is_empty() {
                    self.clear(time, scribe);
                    self.changed(scribe);
                }
            }
        }
    }

    /// Adds pieces, with their fact.
    pub(super) fn add(&mut self, addition: &Addition<'_>, time: Millis, scribe: &mut Scribe<'_>) {
        let currency = addition.price.currency;
        let at = self.place(addition.product).unwrap_or_else(|at| {
            let line = Line {
                product: addition.product.into(),
                quantity: 0,
                unit_price: 0,
                add_time: time,
                title: "".into(),
                category: "".into(),
                brand: "".into(),
            };
            self.lines.reserve_exact(usize::from(self.lines.is_empty())); // most carts hold one
            self.lines.insert(at, line);
            at
        });
        let line = &mut self.lines[at];
        line.quantity = line.quantity.saturating_add(addition.quantity);
        line.unit_price = addition.price.minor;
        let words = &addition.words;
        for (known, said) in [
            (&mut line.title, words.title),
            (&mut line.category, words.category),
            (&mut line.brand, words.brand),
        ] {
            if !said.is_empty() && **known != *said {
                *known = said.into();
            }
        }
        self.currency = Some(currency);
        scribe.fact(time, Detail::CartAdd(self.lines[at].item(addition.quantity, currency)));
    }

    fn take(&mut self, at: usize, quantity: u32, time: Millis, scribe: &mut Scribe<'_>) {
        let line = &mut self.lines[at];
        let taken = quantity.min(line.quantity);
        if let Some(currency) = self.currency {
            scribe.fact(time, Detail::CartRemove(line.item(taken, currency)));
        }
        line.quantity -= taken;
        if line.quantity == 0 {
            self.lines.remove(at);
        }
        if self.lines.is_empty() {
            self.start_anew();
        }
    }

    fn clear(&mut self, time: Millis, scribe: &mut Scribe<'_>) {
        if let Some(currency) = self.currency {
            for line in &self.lines {
                scribe.fact(time, Detail::CartRemove(line.item(line.quantity, currency)));
            }
        }
        self.start_anew();
    }

    pub(super) fn changed(&mut self, scribe: &Scribe<'_>) {
        self.version = self.version.saturating_add(1);
        self.update_time = scribe.now.log_time;
    }

    /// An empty cart knows nothing of the one before but its version and who moves it.
    fn start_anew(&mut self) {
        self.lines = Vec::new();
        self.currency = None;
        self.stage = Stage::Cart;
        self.latest_add = None;
        self.deadline = None;
        self.open = false;
    }

    /// Empties it without facts: what was in it became an order, or another person's.
    pub(super) fn empty(&mut self, scribe: &Scribe<'_>) -> Vec<Line> {
        let lines = std::mem::take(&mut self.lines);
        self.start_anew();
        if !lines.is_empty() {
            self.changed(scribe);
        }
        lines
    }

    /// Takes over a guest's lines, without facts. What does not fit is left out.
    pub(super) fn merge(&mut self, guests: Vec<(Currency, Line)>, policy: MergePolicy, scribe: &Scribe<'_>) {
        let mut merged = false;
        for (currency, line) in guests {
            if *self.currency.get_or_insert(currency) != currency {
                continue;
            }
            match self.place(&line.product) {
                Ok(at) => {
                    let known = &mut self.lines[at];
                    let own = known.quantity;
                    let quantity = match policy {
                        MergePolicy::Unspecified | MergePolicy::Max => line.quantity.max(own),
                        MergePolicy::Sum => line.quantity.saturating_add(own).min(LINE_QUANTITY as u32),
                        MergePolicy::Guest => line.quantity,
                        MergePolicy::Customer => own,
                    };
                    // A line is changed whole or not at all: whoever watches goes by the version.
                    if quantity != own {
                        merged = true;
                        known.quantity = quantity;
                        known.add_time = known.add_time.min(line.add_time);
                    }
                }
                Err(at) if self.lines.len() < CART_LINES => {
                    merged = true;
                    self.lines.insert(at, line);
                }
                Err(_) => {}
            }
        }
        if merged {
            self.changed(scribe);
            self.arm_merged(scribe);
        }
    }
}

pub(super) fn value_of(lines: &[Line], currency: Option<Currency>) -> Option<Money> {
    let minor = lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.amount(line.quantity)));
    currency.map(|currency| Money { currency, minor })
}
