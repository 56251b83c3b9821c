//! The tables of the built-in metrics, and the rows that a row of the recount makes in them.

use std::collections::BTreeMap;

use super::{Datum, Row};
use crate::measure::clock::{MINUTE, Millis};
use crate::oracle::rows::RowKey;
use crate::oracle::value::Value;
use crate::oracle::window;

/// The only shop there is traffic of, and its own currency: what is no amount stands once, in the row of that currency.
const SHOP: &str = "main";
pub(super) const OWN_CURRENCY: &str = "EUR";

/// A table, as the metric's declaration tells every reader (`ListMetrics`, field `definition`, entry `table`).
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) metric: &'static str,
    pub(super) window: &'static str,
    pub(super) key: &'static [(&'static str, KeyPart)],
    /// Columns by measure; one row per currency has amounts.
    pub(super) values: &'static [&'static str],
    /// It shows every key set of its metric, not only the one with just the dimensions of its key.
    all_key_sets: bool,
    /// It holds the first rows of each window by its one measure, and no others.
    pub(super) top: Option<usize>,
    /// Of a sliding window its size and step.
    sliding: Option<(Millis, Millis)>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum KeyPart {
    Shop,
    Start,
    End,
    Year,
    Month,
    Dimension(&'static str),
    Currency,
}

use KeyPart::{Currency, Dimension, End, Month, Shop, Start, Year};

impl Table {
    const fn new(
        name: &'static str,
        (metric, window): (&'static str, &'static str),
        key: &'static [(&'static str, KeyPart)],
        values: &'static [&'static str],
    ) -> Self {
        Self { name, metric, window, key, values, all_key_sets: false, top: None, sliding: None }
    }
}

pub(super) const TABLES: [Table; 8] = [
    Table {
        sliding: Some((5 * MINUTE, MINUTE)),
        ..Table::new(
            "active_users_minute",
            ("active_users", "5m/1m"),
            &[("minute_ts", End), ("shop", Shop)],
            &["users"],
        )
    },
    Table {
        all_key_sets: true,
        ..Table::new(
            "products_hourly",
            ("products", "1h"),
            &[
                ("shop", Shop),
                ("window_start", Start),
                ("product", Dimension("product")),
                ("category", Dimension("category")),
                ("currency", Currency),
            ],
            &["views", "adds", "purchases", "units", "revenue"],
        )
    },
    Table {
        top: Some(10),
        ..Table::new(
            "top_products_hourly",
            ("compat_top_products", "1h"),
            &[
                ("hour_ts", Start),
                ("shop", Shop),
                ("product_id", Dimension("product")),
                ("currency", Currency),
            ],
            &["amount"],
        )
    },
    Table {
        all_key_sets: true,
        ..Table::new(
            "sales",
            ("sales", "total"),
            &[("shop", Shop), ("category", Dimension("category")), ("currency", Currency)],
            &["net", "gross", "records"],
        )
    },
    Table::new(
        "sales_per_category",
        ("compat_sales", "total"),
        &[("category", Dimension("category")), ("shop", Shop)],
        &["total_sales"],
    ),
    Table::new(
        "sales_per_day",
        ("compat_sales", "day"),
        &[("sale_day", Start), ("shop", Shop)],
        &["total_sales"],
    ),
    Table::new(
        "sales_per_month",
        ("compat_sales", "month"),
        &[("year_num", Year), ("month_num", Month), ("shop", Shop)],
        &["total_sales"],
    ),
    Table::new(
        "region_windows",
        ("region_trips", "1m"),
        &[
            ("window_start", Start),
            ("shop", Shop),
            ("region_id", Dimension("region")),
            ("currency", Currency),
        ],
        &[
            "trips",
            "avg_fare",
            "total_fare",
            "total_distance",
            "avg_duration",
            "p50_duration",
            "p95_duration",
            "p99_duration",
        ],
    ),
];

impl Table {
    pub(super) fn shows(&self, row: &RowKey) -> bool {
        let named = |wanted: &String| {
            self.key.iter().any(|(_, part)| matches!(part, Dimension(name) if name == wanted))
        };
        let dimensions = self.key.iter().filter(|(_, part)| matches!(part, Dimension(_))).count();
        let is_whole = self.all_key_sets || row.key.len() == dimensions;
        row.metric == self.metric && row.window == self.window && is_whole && row.key.keys().all(named)
    }

    /// The rows that a row of the recount makes: one, or one per currency.
    pub(super) fn rows(&self, row: &RowKey, values: &BTreeMap<String, Value>) -> Vec<Row> {
        let mut by_currency: BTreeMap<&str, Row> = BTreeMap::new();
        for measure in self.values {
            let mut put = |currency, datum| {
                by_currency.entry(currency).or_default().insert((*measure).to_owned(), datum);
            };
            match values.get(*measure) {
                None => {}
                Some(Value::Number(number)) => put(OWN_CURRENCY, Datum::Whole(*number)),
                Some(Value::Fraction(above, below)) => {
                    put(OWN_CURRENCY, Datum::Double(*above as f64 / *below as f64));
                }
                Some(Value::Money(amounts)) => {
                    amounts.iter().for_each(|(code, amount)| put(code, Datum::Whole(*amount)));
                }
            }
        }
        let made = by_currency.into_iter().map(|(currency, mut made)| {
            let key = self
                .key
                .iter()
                .map(|(name, part)| ((*name).to_owned(), self.key_datum(*part, row, currency)));
            made.extend(key);
            made
        });
        made.collect()
    }

    fn key_datum(&self, part: KeyPart, row: &RowKey, currency: &str) -> Datum {
        let text = |text: &str| Datum::Text(text.to_owned());
        match part {
            Shop => text(SHOP),
            Start => Datum::Whole(row.start),
            End => Datum::Whole(row.start + self.sliding.map_or(0, |(size, _)| size)),
            Year => Datum::Whole(window::year_and_month(row.start).0),
            Month => Datum::Whole(window::year_and_month(row.start).1),
            Dimension(name) => text(row.key.get(name).map_or("", String::as_str)),
            Currency => text(currency),
        }
    }

    /// Whether a row belongs to a sliding window whose last step had not begun.
    pub(super) fn may_wait(&self, key: &[String], reached: Millis) -> bool {
        let Some((_, step)) = self.sliding else { return false };
        let ends = self.key.iter().zip(key).find(|((_, part), _)| matches!(part, End));
        let end = ends.and_then(|(_, end)| end.parse::<Millis>().ok());
        end.is_some_and(|end| end - step > reached)
    }
}
