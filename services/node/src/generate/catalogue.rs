//! What is sold: products that every run knows by the same names, whatever its seed.

use prost_types::FieldMask;
use rand::{Rng, RngExt};
use rand_distr::{Distribution as _, Zipf};
use souk_proto::v1;
use souk_proto::v1::event::Kind as Body;

use super::options::Exponent;

/// A category: its things, and the prices of its cheapest and dearest one in minor units.
struct Category {
    name: &'static str,
    things: [&'static str; 5],
    prices: (i64, i64),
}

const CATEGORIES: [Category; 8] = [
    Category {
        name: "mugs",
        things: ["mug", "cup", "beaker", "tumbler", "espresso cup"],
        prices: (690, 2_490),
    },
    Category {
        name: "tea",
        things: ["teapot", "kettle", "tea tin", "infuser", "tea towel"],
        prices: (890, 8_990),
    },
    Category {
        name: "kitchen",
        things: ["tray", "bowl", "jug", "pan", "chopping board"],
        prices: (1_290, 12_900),
    },
    Category {
        name: "books",
        things: ["cookbook", "atlas", "novel", "notebook", "field guide"],
        prices: (890, 4_900),
    },
    Category {
        name: "lamps",
        things: ["lamp", "lantern", "candle", "night light", "shade"],
        prices: (990, 18_900),
    },
    Category {
        name: "garden",
        things: ["planter", "trowel", "watering can", "bench", "seed box"],
        prices: (590, 24_900),
    },
    Category {
        name: "toys",
        things: ["kite", "puzzle", "spinning top", "train", "bear"],
        prices: (790, 7_900),
    },
    Category {
        name: "bags",
        things: ["tote", "rucksack", "purse", "satchel", "pouch"],
        prices: (1_490, 15_900),
    },
];
const LOOKS: [&str; 12] = [
    "Blue", "Red", "Green", "White", "Black", "Yellow", "Oak", "Copper", "Striped", "Small", "Large", "Plain",
];
const BRANDS: [&str; 7] = ["Nord", "Halden", "Marais", "Tidewater", "Ostra", "Fennel", "Kiln & Co"];

/// Where a person shops: one currency, so that a cart has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Market {
    Euro,
    Dollar,
    Pound,
}

const MARKETS: [Market; 3] = [Market::Euro, Market::Dollar, Market::Pound];

impl Market {
    /// Of every twenty people or products, 15 are in euros, 3 in dollars, 2 in pounds.
    pub(super) fn of(number: u32) -> Self {
        match number % 20 {
            7 | 12 | 17 => Self::Dollar,
            9 | 19 => Self::Pound,
            _ => Self::Euro,
        }
    }

    pub(super) fn currency(self) -> &'static str {
        match self {
            Self::Euro => "EUR",
            Self::Dollar => "USD",
            Self::Pound => "GBP",
        }
    }

    pub(super) fn money(self, minor_units: i64) -> v1::Money {
        v1::Money { currency_code: self.currency().to_owned(), minor_units: Some(minor_units) }
    }
}

/// One thing that is sold. Its number decides everything about it but its price, which moves.
#[derive(Debug, Clone)]
pub(super) struct Product {
    number: u32,
    pub(super) price: i64,
}

impl Product {
    fn new(number: u32) -> Self {
        let (cheapest, dearest) = category(number).prices;
        // A walk over the range in steps that share no factor with it, ending in 90.
        let step = i64::from(number).wrapping_mul(7_919).rem_euclid(dearest - cheapest + 1);
        Self { number, price: (cheapest + step) / 100 * 100 + 90 }
    }

    pub(super) fn id(&self) -> String {
        format!("p-{}", self.number + 1)
    }

    pub(super) fn category(&self) -> &'static str {
        category(self.number).name
    }

    pub(super) fn brand(&self) -> &'static str {
        BRANDS[self.number as usize % BRANDS.len()]
    }

    pub(super) fn market(&self) -> Market {
        Market::of(self.number)
    }

    pub(super) fn title(&self) -> String {
        let round = self.number as usize / CATEGORIES.len();
        let things = category(self.number).things;
        let look = LOOKS[round / things.len() % LOOKS.len()];
        let title = format!("{look} {}", things[round % things.len()]);
        match round / (things.len() * LOOKS.len()) {
            0 => title,
            again => format!("{title} no. {}", again + 1),
        }
    }

    /// The first word on it: what it is and how many there are.
    pub(super) fn announced(&self) -> Body {
        let product = v1::Product {
            name: format!("products/{}", self.id()),
            title: self.title(),
            category: self.category().to_owned(),
            brand: self.brand().to_owned(),
            price: Some(self.market().money(self.price)),
            stock: Some(v1::Stock {
                mode: v1::stock::Mode::Track.into(),
                available: Some(200 + i64::from(self.number % 37) * 25),
                ..v1::Stock::default()
            }),
            ..v1::Product::default()
        };
        Body::ProductStep(Box::new(v1::ProductStep { product: Some(product), update_mask: None }))
    }

    /// A new price, up to a fifth above or below the old.
    pub(super) fn repriced(&mut self, rng: &mut impl Rng) -> Body {
        let percent = rng.random_range(80..=120_i64);
        self.price = (self.price * percent / 100).max(90);
        let product = v1::Product {
            name: format!("products/{}", self.id()),
            price: Some(self.market().money(self.price)),
            ..v1::Product::default()
        };
        let mask = FieldMask { paths: vec!["price".to_owned()] };
        Body::ProductStep(Box::new(v1::ProductStep { product: Some(product), update_mask: Some(mask) }))
    }
}

fn category(number: u32) -> &'static Category {
    &CATEGORIES[number as usize % CATEGORIES.len()]
}

/// A category for what happens without a product.
pub(super) fn any_category(rng: &mut impl Rng) -> &'static str {
    CATEGORIES[rng.random_range(0..CATEGORIES.len())].name
}

/// What people type.
pub(super) fn query(rng: &mut impl Rng) -> String {
    let things = CATEGORIES[rng.random_range(0..CATEGORIES.len())].things;
    let thing = things[rng.random_range(0..things.len())];
    match rng.random_range(0..4) {
        0 => thing.to_owned(),
        1 => format!("gift {thing}"),
        _ => format!("{} {thing}", LOOKS[rng.random_range(0..LOOKS.len())].to_lowercase()),
    }
}

/// Everything that is sold, and how popular each of it is in its market.
#[derive(Debug)]
pub(super) struct Catalogue {
    products: Vec<Product>,
    markets: [(Vec<u32>, Zipf<f64>); 3],
}

impl Catalogue {
    pub(super) fn new(count: u32, skew: Exponent) -> Self {
        let products: Vec<Product> = (0..count).map(Product::new).collect();
        let markets = MARKETS.map(|market| {
            let of_market = |number: &u32| Market::of(*number) == market;
            let mut numbers: Vec<u32> = (0..count).filter(of_market).collect();
            if numbers.is_empty() {
                numbers.push(0); // too few products for every market: all want the first one
            }
            let law = zipf(numbers.len() as u32, skew);
            (numbers, law)
        });
        Self { products, markets }
    }

    pub(super) fn get(&self, number: u32) -> &Product {
        &self.products[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Product {
        &mut self.products[number as usize]
    }

    pub(super) fn count(&self) -> u32 {
        self.products.len() as u32
    }

    /// A product of a market, by popularity.
    pub(super) fn popular(&self, market: Market, rng: &mut impl Rng) -> u32 {
        let (numbers, law) = &self.markets[market as usize];
        numbers[draw(law, rng) as usize]
    }
}

/// The law over so many, which are at least one.
pub(super) fn zipf(count: u32, skew: Exponent) -> Zipf<f64> {
    Zipf::new(f64::from(count.max(1)), skew.power())
        .expect("the count is above 0 and the exponent is not negative")
}

/// One of them, from 0.
pub(super) fn draw(law: &Zipf<f64>, rng: &mut impl Rng) -> u32 {
    law.sample(rng) as u32 - 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn every_product_has_a_title_of_its_own_and_a_price_of_its_category() {
        let titles: BTreeSet<String> = (0..5_000).map(|number| Product::new(number).title()).collect();
        assert_eq!(titles.len(), 5_000);
        for number in 0..5_000 {
            let product = Product::new(number);
            let (cheapest, dearest) = category(number).prices;
            assert!(
                (cheapest..=dearest + 90).contains(&product.price),
                "{}: {}",
                product.id(),
                product.price
            );
        }
    }

    #[test]
    fn a_catalogue_too_small_for_every_market_still_sells() {
        let mut rng = rand::rngs::Xoshiro256PlusPlus::from_seed([1; 32]);
        let catalogue = Catalogue::new(1, "1".parse().expect("an exponent"));
        assert_eq!(catalogue.popular(Market::Pound, &mut rng), 0);
    }
}
