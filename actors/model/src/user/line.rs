//! One line of a cart, and what a record says of a product to be added to one.

use souk_proto::journal::v1::{CartLine, Stamp};
use souk_proto::v1;

use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::fact::Item;
use crate::limits::LINE_QUANTITY;
use crate::money::{Currency, MAX_AMOUNT, Money};
use crate::time::Millis;
use crate::verdict::Refusal;

/// A product in a cart, priced in the cart's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub product: Box<str>,
    pub quantity: u32,
    pub unit_price: i64,
    /// When it was first added.
    pub add_time: Millis,
    pub title: Box<str>,
    pub category: Box<str>,
    pub brand: Box<str>,
}

/// Words a product is known by; empty where nobody said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) category: &'a str,
    pub(super) brand: &'a str,
}

/// Pieces of a product to be added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition<'a> {
    pub(super) product: &'a str,
    pub(super) quantity: u32,
    pub(super) price: Money,
    pub(super) words: Words<'a>,
}

impl<'a> Words<'a> {
    pub(super) fn of_stamp(stamp: Option<&'a Stamp>) -> Self {
        stamp.map_or_else(Self::default, |stamp| Self {
            title: &stamp.title,
            category: &stamp.category,
            brand: &stamp.brand,
        })
    }

    /// The line's own words, else the stamp's.
    pub(super) fn of_line(line: &'a v1::Line, stamp: Option<&'a Stamp>) -> Self {
        let stamped = Self::of_stamp(stamp);
        Self {
            title: or(&line.title, stamped.title),
            category: or(&line.category, stamped.category),
            brand: or(&line.brand, stamped.brand),
        }
    }
}

/// The first text, or the second where the first is empty.
pub(super) fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// The price a stamp says a product had; none if it had none, or says something impossible.
pub(super) fn stamped_price(stamp: Option<&Stamp>) -> Option<Money> {
    let stamp = stamp?;
    let currency = Currency::parse(&stamp.currency_code)?;
    (0..=MAX_AMOUNT)
        .contains(&stamp.price_minor_units)
        .then_some(Money { currency, minor: stamp.price_minor_units })
}

/// The line's own price, else the stamp's; `None` where neither is there.
pub(super) fn price_of(line: &v1::Line, stamp: Option<&Stamp>) -> Result<Option<Money>, Refusal> {
    match &line.unit_price {
        Some(price) => Money::read("unit_price", Some(price)).map(Some),
        None => Ok(stamped_price(stamp)),
    }
}

pub(super) fn price_missing(field: &str) -> Refusal {
    Refusal::missing(format!("{field}.unit_price"), "give the price: the catalogue has none")
}

/// Pieces of a line that says nothing else: one. Validation has bounded what it does say.
pub(super) fn quantity_of(line: &v1::Line) -> u32 {
    line.quantity.map_or(1, |quantity| u32::try_from(quantity).unwrap_or(0))
}

impl Line {
    pub(super) fn amount(&self, quantity: u32) -> i64 {
        self.unit_price.saturating_mul(quantity.into())
    }

    /// A fact's view of `quantity` pieces of it.
    pub(super) fn item(&self, quantity: u32, currency: Currency) -> Item<'_> {
        Item {
            product: &self.product,
            category: &self.category,
            brand: &self.brand,
            quantity: quantity.into(),
            amount: Some(Money { currency, minor: self.amount(quantity) }),
        }
    }

    pub(super) fn travelling(&self, currency: Currency) -> CartLine {
        CartLine {
            product_id: self.product.to_string(),
            quantity: self.quantity,
            currency_code: currency.code().to_owned(),
            unit_price_minor_units: self.unit_price,
            add_time_ms: self.add_time,
            title: self.title.to_string(),
            category: self.category.to_string(),
            brand: self.brand.to_string(),
        }
    }

    /// A line that came from another cart; `None` for one that no cart of ours could have sent.
    pub(super) fn arrived(line: &CartLine) -> Option<(Currency, Self)> {
        let currency = Currency::parse(&line.currency_code)?;
        let possible = (1..=LINE_QUANTITY).contains(&line.quantity.into())
            && (0..=MAX_AMOUNT).contains(&line.unit_price_minor_units);
        let arrived = Self {
            product: line.product_id.as_str().into(),
            quantity: line.quantity,
            unit_price: line.unit_price_minor_units,
            add_time: line.add_time_ms,
            title: line.title.as_str().into(),
            category: line.category.as_str().into(),
            brand: line.brand.as_str().into(),
        };
        possible.then_some((currency, arrived))
    }

    /// Words nobody said take no byte.
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        let words = [&self.title, &self.category, &self.brand];
        let said = words.iter().rev().fold(0, |said, word| said << 1 | u64::from(!word.is_empty()));
        w.word(&self.product);
        w.uint(u64::from(self.quantity) << words.len() | said);
        w.int(self.unit_price);
        w.time(self.add_time);
        for word in words.iter().filter(|word| !word.is_empty()) {
            w.word(word);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let product = r.word()?.into();
        let said = r.uint()?;
        let Ok(quantity) = u32::try_from(said >> 3) else { return Err(damaged("a line of too many pieces")) };
        let (unit_price, add_time) = (r.int()?, r.time()?);
        let mut word = |bit: u64| if said & bit == 0 { Ok("") } else { r.word() };
        let (title, category, brand) = (word(1)?.into(), word(2)?.into(), word(4)?.into());
        Ok(Self { product, quantity, unit_price, add_time, title, category, brand })
    }
}
