//! Declared metrics, compiled: which facts, which key, which windows, which measures. Made by [`crate::settings`] from TOML.

use crate::fact::FactKind;
use crate::time::Millis;

/// One declared metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: String,
    pub title: String,
    /// The kept key sets: each a list of dimensions beside the shop.
    pub key_sets: Vec<Vec<Dimension>>,
    /// In the order declared: the first is a query's default.
    pub windows: Vec<Window>,
    pub measures: Vec<Measure>,
    /// Measures with a kept order.
    pub rank: Vec<usize>,
    pub lateness: Millis,
    pub correct_for: Millis,
    pub keep: Millis,
    pub max_keys: usize,
    /// IANA name of the zone its calendar windows follow.
    pub time_zone: TimeZone,
    /// The finest pane: every window but `Total` is a union of panes.
    pub pane: PaneSize,
}

/// A zone by its IANA name, resolved once.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeZone(pub jiff::tz::TimeZone);

/// How the finest panes of a metric lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaneSize {
    /// `[k·size, (k+1)·size)` on UTC.
    Fixed(Millis),
    /// Calendar days of the metric's zone.
    Day,
    /// Only `total` is declared.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    Total,
    Tumbling { size: Millis },
    Sliding { size: Millis, step: Millis },
    Day,
    Week,
    Month,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    pub name: String,
    pub aggregator: Aggregator,
    /// The facts it reads; empty for a ratio.
    pub from: Vec<FactKind>,
    /// All must hold.
    pub filters: Vec<Filter>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub dimension: Dimension,
    pub any_of: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregator {
    Count,
    Sum(Quantity),
    Mean(Quantity),
    Min(Quantity),
    Max(Quantity),
    DistinctUsers,
    /// Exact up to `exact_to` values in a window of a key, then sketched.
    Distinct { of: DimensionId, exact_to: usize },
    /// `millionths` of 1: 0.95 is 950,000.
    Quantile { of: Quantity, millionths: u32, exact_to: usize },
    /// Places of two measures of the same metric.
    Ratio { numerator: usize, denominator: usize },
}

/// A distinct count reads a named field, not a label: its sketch is kept per metric, not per event.
pub type DimensionId = Field;

/// A dimension of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    Field(Field),
    Label(String),
}

/// The named dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    User,
    Session,
    Device,
    Source,
    SessionReferrer,
    SessionCampaign,
    Kind,
    Page,
    Referrer,
    Campaign,
    Product,
    Category,
    Brand,
    Order,
    Stage,
    Query,
    StepFrom,
    StepTo,
    Type,
    Merchant,
    Location,
    Region,
    VehicleType,
}

/// The numbers a fact carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Money, one sum per currency.
    Amount,
    /// Money, one sum per currency.
    Fare,
    Quantity,
    Pages,
    Duration,
    Distance,
    Rating,
    MinorUnitsUnsigned,
}

impl Quantity {
    pub fn is_money(self) -> bool {
        matches!(self, Self::Amount | Self::Fare)
    }
}
