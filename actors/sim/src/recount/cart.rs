//! The cart of one actor (section 5): lines by product, and what each step does to them.

use std::collections::BTreeMap;

use souk_proto::v1::ErrorReason;

use super::fact::Amount;
use super::time::Ms;

/// Most lines of one cart.
pub(super) const MOST_LINES: usize = 200;
/// Most pieces of one product.
pub(super) const MOST_PIECES: i64 = 1_000;

/// One product in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CartLine {
    pub(super) quantity: i64,
    pub(super) price: i64,
    pub(super) currency: String,
    pub(super) added: Ms,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) brand: String,
}

/// Lines by product.
pub(super) type Lines = BTreeMap<String, CartLine>;

/// An abandonment that may still be taken back or recovered.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) deadline: Ms,
    pub(super) stage: &'static str,
    pub(super) amount: Amount,
    pub(super) fact: super::fact::Fact,
}

/// The cart and the abandonment's state.
#[derive(Debug, Clone, Default)]
pub(super) struct Cart {
    pub(super) lines: Lines,
    pub(super) version: i64,
    pub(super) commanded: bool,
    pub(super) at_checkout: bool,
    pub(super) latest_add: Option<Ms>,
    pub(super) deadline: Option<Ms>,
    pub(super) open: Option<Open>,
}

/// What is known of a product that goes into a cart.
#[derive(Debug, Clone)]
pub(super) struct Goods {
    pub(super) product: String,
    pub(super) quantity: i64,
    pub(super) price: Option<Amount>,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) brand: String,
}

/// What one step did to one line.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    pub(super) kind: &'static str,
    pub(super) product: String,
    pub(super) quantity: i64,
    pub(super) amount: Amount,
    pub(super) category: String,
    pub(super) brand: String,
}

pub(super) fn times(price: i64, quantity: i64) -> Result<i64, ErrorReason> {
    price.checked_mul(quantity).ok_or(ErrorReason::ValueOutOfRange)
}

fn newest(said: &str, known: &str) -> String {
    if said.is_empty() { known.to_owned() } else { said.to_owned() }
}

impl Cart {
    pub(super) fn currency(&self) -> Option<&str> {
        self.lines.values().next().map(|line| line.currency.as_str())
    }

    pub(super) fn stage(&self) -> &'static str {
        if self.at_checkout { "checkout" } else { "cart" }
    }

    /// Adds pieces; the newest price holds for the whole line.
    pub(super) fn add(&mut self, goods: &Goods, at: Ms) -> Result<Vec<Moved>, ErrorReason> {
        let price = goods.price.clone().ok_or(ErrorReason::FieldMissing)?;
        if self.currency().is_some_and(|currency| currency != price.currency) {
            return Err(ErrorReason::CurrencyMismatch);
        }
        let before = self.lines.get(&goods.product).cloned();
        if before.is_none() && self.lines.len() >= MOST_LINES {
            return Err(ErrorReason::TooManyItems);
        }
        let quantity = before.as_ref().map_or(0, |line| line.quantity) + goods.quantity;
        if quantity > MOST_PIECES {
            return Err(ErrorReason::ValueOutOfRange);
        }
        times(price.minor, quantity)?;
        let known = |field: fn(&CartLine) -> &String| before.as_ref().map_or("", |line| field(line).as_str());
        let line = CartLine {
            quantity,
            price: price.minor,
            currency: price.currency.clone(),
            added: before.as_ref().map_or(at, |line| line.added),
            title: newest(&goods.title, known(|line| &line.title)),
            category: newest(&goods.category, known(|line| &line.category)),
            brand: newest(&goods.brand, known(|line| &line.brand)),
        };
        let (line_category, line_brand) = (line.category.clone(), line.brand.clone());
        self.lines.insert(goods.product.clone(), line);
        Ok(vec![Moved {
            kind: "cart_add",
            product: goods.product.clone(),
            quantity: goods.quantity,
            amount: Amount::new(&price.currency, times(price.minor, goods.quantity)?),
            category: line_category,
            brand: line_brand,
        }])
    }

    /// Makes it so many pieces; of a product not there it is an add.
    pub(super) fn set(&mut self, goods: &Goods, at: Ms) -> Result<Vec<Moved>, ErrorReason> {
        let Some(line) = self.lines.get_mut(&goods.product) else {
            return if goods.quantity == 0 { Ok(Vec::new()) } else { self.add(goods, at) };
        };
        let more = goods.quantity - line.quantity;
        if more <= 0 {
            return Ok(self.remove(&goods.product, Some(-more)).into_iter().collect());
        }
        line.quantity = goods.quantity;
        line.category = newest(&goods.category, &line.category);
        line.brand = newest(&goods.brand, &line.brand);
        line.title = newest(&goods.title, &line.title);
        Ok(vec![Moved {
            kind: "cart_add",
            product: goods.product.clone(),
            quantity: more,
            amount: Amount::new(&line.currency, times(line.price, more)?),
            category: line.category.clone(),
            brand: line.brand.clone(),
        }])
    }

    /// Takes pieces out, at most what is there; no quantity takes the line.
    pub(super) fn remove(&mut self, product: &str, quantity: Option<i64>) -> Option<Moved> {
        let line = self.lines.get_mut(product)?;
        let taken = quantity.map_or(line.quantity, |quantity| quantity.min(line.quantity));
        if taken == 0 {
            return None;
        }
        let moved = Moved {
            kind: "cart_remove",
            product: product.to_owned(),
            quantity: taken,
            amount: Amount::new(&line.currency, line.price * taken),
            category: line.category.clone(),
            brand: line.brand.clone(),
        };
        line.quantity -= taken;
        if line.quantity == 0 {
            self.lines.remove(product);
        }
        Some(moved)
    }

    /// Takes everything out, in product order.
    pub(super) fn clear(&mut self) -> Vec<Moved> {
        let products: Vec<_> = self.lines.keys().cloned().collect();
        products.iter().filter_map(|product| self.remove(product, None)).collect()
    }

    /// What an emptied cart forgets.
    pub(super) fn start_anew(&mut self) {
        self.at_checkout = false;
        self.latest_add = None;
        self.deadline = None;
        self.open = None;
    }
}

/// The sum of the lines.
pub(super) fn value(lines: &Lines) -> Amount {
    let currency = lines.values().next().map_or("", |line| line.currency.as_str());
    Amount::new(currency, lines.values().map(|line| line.price * line.quantity).sum())
}
