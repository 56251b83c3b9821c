//! Settings: the metric catalogue, timeouts and rates, as TOML in a Settings record, compiled once. SEMANTICS.md section 11.

use crate::fact::FactKind;
use crate::metric::Metric;
use crate::money::{Currency, Money};
use crate::time::Millis;

/// Settings in force: everything the fold may be configured by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// xxh3-64 of the TOML text.
    pub hash: u64,
    /// The text itself, for cuts and `settings show`.
    pub text: String,
    pub fold: FoldSettings,
    pub metrics: Vec<Metric>,
    /// Places in `metrics` of those that read a kind of fact, by `FactKind as usize`.
    pub readers: Vec<Vec<usize>>,
    /// The largest `lateness + correct_for`: events older than this below high water are LATE.
    pub horizon: Millis,
}

/// `[fold]` and the defaults the fold itself reads.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldSettings {
    pub clock: Clock,
    pub lateness: Millis,
    pub currency: Currency,
    pub abandon_after: Millis,
    pub session_gap: Millis,
    pub order_timeout: Millis,
    pub low_stock_below: i64,
    pub stale_stock_after: Millis,
    /// Basis points: 10 % is 1,000.
    pub price_drop_basis_points: i64,
    pub tax_basis_points: i64,
    pub shipping: Money,
}

/// Whether ticks and the time bounds of events apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    Live,
    History,
}

impl Settings {
    /// Metrics that read this kind of fact.
    pub fn readers_of(&self, kind: FactKind) -> &[usize] {
        &self.readers[kind as usize]
    }
}
