//! The shop's range of products. Each has a category, a brand and a price of its own for good, so that an oracle can know them.

use rand::rngs::StdRng;
use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, Zipf};
use souk_proto::v1;

use super::Scenario;

pub(super) const CURRENCIES: [&str; 3] = ["EUR", "USD", "GBP"];

#[derive(Debug, Clone)]
pub struct Product {
    pub id: String,
    pub category: String,
    pub brand: String,
    /// Minor units; the same number in every currency.
    pub price: i64,
}

impl Product {
    /// So many of it, at its price.
    pub fn line(&self, quantity: i32, currency: &str) -> v1::Line {
        v1::Line {
            product_id: self.id.clone(),
            quantity: Some(quantity),
            unit_price: Some(money(currency, self.price)),
            title: String::new(),
            category: self.category.clone(),
            brand: self.brand.clone(),
        }
    }
}

pub(super) fn money(currency: &str, minor_units: i64) -> v1::Money {
    v1::Money { currency_code: currency.to_owned(), minor_units: Some(minor_units) }
}

#[derive(Debug)]
pub struct Range {
    products: Vec<Product>,
    popularity: Zipf<f64>,
}

impl Range {
    pub fn new(scenario: &Scenario, rng: &mut StdRng) -> Self {
        let product = |n: usize| Product {
            id: format!("p-{n}"),
            category: format!("category-{}", n % scenario.categories),
            brand: format!("brand-{}", n % 31),
            price: rng.random_range(99..20_000),
        };
        let products: Vec<Product> = (0..scenario.products).map(product).collect();
        let popularity = Zipf::new(products.len() as f64, scenario.popularity).expect("there are products");
        Self { products, popularity }
    }

    /// One of them: the first ones most often.
    pub fn pick(&self, rng: &mut impl Rng) -> &Product {
        let rank = self.popularity.sample(rng) as usize;
        &self.products[rank.clamp(1, self.products.len()) - 1]
    }
}
