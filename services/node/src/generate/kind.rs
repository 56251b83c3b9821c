//! What can happen next, and how often each of it does.

use std::str::FromStr;

use rand::Rng;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;

/// A kind of slot in the schedule. Some stand for several events of one course: a checkout begins, is paid, is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    PageView,
    CartAdd,
    Checkout,
    ProductView,
    Search,
    Browse,
    CartChange,
    Login,
    Logout,
    Wishlist,
    Review,
    Recommendation,
    AfterOrder,
    Transaction,
    Trip,
    Stock,
    Price,
    Custom,
}

/// Every kind with its name and how many of a thousand events are of it. The first three are the funnel, .5 to .3 to .2.
pub(crate) const KINDS: [(Kind, &str, u32); 18] = [
    (Kind::PageView, "page_view", 300),
    (Kind::CartAdd, "cart_add", 180),
    (Kind::Checkout, "checkout", 120),
    (Kind::ProductView, "product_view", 180),
    (Kind::Search, "search", 50),
    (Kind::Browse, "browse", 30),
    (Kind::CartChange, "cart_change", 25),
    (Kind::Login, "login", 20),
    (Kind::Logout, "logout", 10),
    (Kind::Wishlist, "wishlist", 15),
    (Kind::Review, "review", 8),
    (Kind::Recommendation, "recommendation", 12),
    (Kind::AfterOrder, "after_order", 12),
    (Kind::Transaction, "transaction", 14),
    (Kind::Trip, "trip", 14),
    (Kind::Stock, "stock", 6),
    (Kind::Price, "price", 2),
    (Kind::Custom, "custom", 2),
];

/// Weights are kept in thousandths.
const SCALE: f64 = 1_000.0;
/// Largest weight: eighteen of them still fit their sum.
const MOST: f64 = 1_000_000.0;

/// How often each kind happens, in proportion to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Weights([u32; KINDS.len()]);

impl Default for Weights {
    fn default() -> Self {
        Self(KINDS.map(|(_, _, weight)| weight))
    }
}

impl FromStr for Weights {
    type Err = String;

    /// Reads `page_view=.5,cart_add=.3,checkout=.2`. A kind that is not named does not happen.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut weights = [0; KINDS.len()];
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').ok_or("write KIND=WEIGHT, several joined by commas")?;
            let place = KINDS.iter().position(|(_, known, _)| *known == name.trim());
            let place = place.ok_or_else(|| {
                format!("there is no kind {name:?}; there are {}", KINDS.map(|(_, name, _)| name).join(", "))
            })?;
            let weight: f64 =
                weight.trim().parse().map_err(|_| format!("{weight:?} is no weight of {name}"))?;
            if !(0.0..=MOST).contains(&weight) {
                return Err(format!("the weight of {name} must be 0 to {MOST}"));
            }
            weights[place] = (weight * SCALE).round() as u32;
        }
        if weights.iter().all(|weight| *weight == 0) {
            return Err("at least one weight must be above 0".to_owned());
        }
        Ok(Self(weights))
    }
}

/// Draws kinds by their weights.
#[derive(Debug)]
pub(super) struct Draw(WeightedIndex<u64>);

impl Draw {
    pub(super) fn new(weights: &Weights) -> Self {
        let weights = weights.0.iter().map(|weight| u64::from(*weight));
        Self(WeightedIndex::new(weights).expect("weights are checked when they are read"))
    }

    pub(super) fn kind(&self, rng: &mut impl Rng) -> Kind {
        KINDS[self.0.sample(rng)].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_thousandths_with_the_funnel_in_its_proportion() {
        assert_eq!(KINDS.iter().map(|(_, _, weight)| weight).sum::<u32>(), 1_000);
        let funnel: Vec<u32> = KINDS[..3].iter().map(|(_, _, weight)| weight / 6).collect();
        assert_eq!(funnel, [50, 30, 20]);
    }

    #[test]
    fn weights_are_read_and_what_is_not_named_does_not_happen() {
        let weights: Weights = "page_view=.5, checkout=0.2".parse().expect("weights");
        assert_eq!(weights.0[..4], [500, 0, 200, 0]);
        for (text, wrong) in [
            ("views=1", "there is no kind \"views\""),
            ("page_view", "write KIND=WEIGHT"),
            ("page_view=-1", "must be 0 to"),
            ("page_view=NaN", "must be 0 to"),
            ("page_view=much", "is no weight"),
            ("page_view=0", "at least one"),
        ] {
            let error = text.parse::<Weights>().expect_err(text);
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }
}
