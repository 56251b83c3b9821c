//! Measures: what a metric computes of the facts under one key and window.

use crate::fact::{Fact, FactKind};
use crate::metric::{Dimension, Field, Quantity};

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
    Distinct {
        of: DimensionId,
        exact_to: usize,
    },
    /// `millionths` of 1: 0.95 is 950,000.
    Quantile {
        of: Quantity,
        millionths: u32,
        exact_to: usize,
    },
    /// Places of two measures of the same metric.
    Ratio {
        numerator: usize,
        denominator: usize,
    },
}

/// A distinct count reads a named field, not a label: its sketch is kept per metric, not per event.
pub type DimensionId = Field;

impl Measure {
    /// Whether it counts this fact: of a kind it reads, and past its filters.
    pub fn takes(&self, fact: &Fact<'_>) -> bool {
        self.from.contains(&fact.detail.kind()) && self.filters.iter().all(|filter| filter.passes(fact))
    }
}

impl Filter {
    pub fn passes(&self, fact: &Fact<'_>) -> bool {
        let value = fact.text(&self.dimension);
        self.any_of.iter().any(|wanted| wanted == value)
    }
}

impl Aggregator {
    /// The number it reads of each fact.
    pub fn quantity(self) -> Option<Quantity> {
        match self {
            Self::Sum(of) | Self::Mean(of) | Self::Min(of) | Self::Max(of) | Self::Quantile { of, .. } => {
                Some(of)
            }
            Self::Count | Self::DistinctUsers | Self::Distinct { .. } | Self::Ratio { .. } => None,
        }
    }

    /// Whether a fact taken back undoes itself in it.
    pub fn can_take_back(self) -> bool {
        matches!(self, Self::Count | Self::Sum(_) | Self::Mean(_) | Self::Ratio { .. })
    }

    /// Whether keys can be put in its order: not by what is only sketched.
    pub fn can_rank(self) -> bool {
        !matches!(self, Self::Distinct { .. } | Self::Quantile { .. })
    }

    /// Whether it may stand above or below the line of a ratio: a plain number, not one per currency.
    pub fn can_be_divided(self) -> bool {
        match self {
            Self::Count | Self::DistinctUsers => true,
            Self::Sum(of) => !of.is_money(),
            _ => false,
        }
    }

    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum(_) => "sum",
            Self::Mean(_) => "mean",
            Self::Min(_) => "min",
            Self::Max(_) => "max",
            Self::DistinctUsers | Self::Distinct { .. } => "distinct",
            Self::Quantile { .. } => "quantile",
            Self::Ratio { .. } => "ratio",
        }
    }
}
