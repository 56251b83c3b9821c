//! One fact: what metrics count (section 3).

use std::collections::BTreeMap;

use super::time::Ms;

/// What a dimension says when nobody said anything.
pub(super) const UNKNOWN: &str = "unknown";
const DIMENSION_BYTES: usize = 256;

/// Who did it: an actor's key, and how often it was erased before.
pub(super) type Person = (String, u32);

/// An amount of one currency, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) currency: String,
    pub(super) minor: i64,
}

impl Amount {
    pub(super) fn new(currency: &str, minor: i64) -> Self {
        Self { currency: currency.to_owned(), minor }
    }
}

/// What every fact of one record has in common.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) shop: String,
    pub(super) person: Option<Person>,
    pub(super) texts: BTreeMap<String, String>,
}

/// A fact, made (`sign` 1) or taken back (-1).
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) kind: &'static str,
    pub(super) at: Ms,
    pub(super) sign: i64,
    pub(super) shop: String,
    pub(super) person: Option<Person>,
    texts: BTreeMap<String, String>,
    numbers: BTreeMap<&'static str, i64>,
    amounts: BTreeMap<&'static str, Amount>,
}

impl Fact {
    pub(super) fn new(kind: &'static str, at: Ms, base: &Base) -> Self {
        Self {
            kind,
            at,
            sign: 1,
            shop: base.shop.clone(),
            person: base.person.clone(),
            texts: base.texts.clone(),
            numbers: BTreeMap::new(),
            amounts: BTreeMap::new(),
        }
    }

    pub(super) fn text(mut self, field: &str, value: &str) -> Self {
        self.texts.insert(field.to_owned(), value.to_owned());
        self
    }

    pub(super) fn number(mut self, field: &'static str, value: i64) -> Self {
        self.numbers.insert(field, value);
        self
    }

    pub(super) fn amount(mut self, field: &'static str, amount: Amount) -> Self {
        self.amounts.insert(field, amount);
        self
    }

    pub(super) fn taken_back(&self) -> Self {
        Self { sign: -self.sign, ..self.clone() }
    }

    /// The value of a dimension: never empty, at most 256 bytes.
    pub(super) fn dimension(&self, field: &str) -> String {
        if let Some(number) = self.numbers.get(field) {
            return number.to_string();
        }
        let text = self.texts.get(field).map_or("", String::as_str);
        let mut end = text.len().min(DIMENSION_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end == 0 { UNKNOWN.to_owned() } else { text[..end].to_owned() }
    }

    pub(super) fn number_of(&self, field: &str) -> Option<i64> {
        self.numbers.get(field).copied()
    }

    pub(super) fn amount_of(&self, field: &str) -> Option<&Amount> {
        self.amounts.get(field)
    }
}
