//! Values as tables and caches take them.

use crate::metric::{Aggregator, Measure};
use crate::money::Currency;
use crate::series::{Figure, amounts};
use crate::time::Millis;

/// One value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// There is none now, whatever there was.
    Null,
    /// There is none and there never was: nothing need be written, which spares tables the trace of a delete.
    Absent,
    Text(String),
    Integer(i64),
    Double(f64),
    Time(Millis),
}

/// What values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Double,
    Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// What a measure's values are. Money is minor units of the currency beside it, a mean of it rounded half up.
pub(super) fn kind_of(measure: &Measure) -> Kind {
    match measure.aggregator {
        Aggregator::Mean(of) if !of.is_money() => Kind::Double,
        Aggregator::Ratio { .. } => Kind::Double,
        _ => Kind::Integer,
    }
}

pub(super) fn is_money(measure: &Measure) -> bool {
    measure.aggregator.quantity().is_some_and(|of| of.is_money())
}

/// A value; of money the amount in `currency`. What facts that were taken back may leave without a value is null.
pub(super) fn datum(figure: &Figure, currency: Currency) -> Datum {
    match figure {
        Figure::None => Datum::Absent,
        Figure::Fraction { denominator: 0, .. } => Datum::Null,
        Figure::Integer(value) => Datum::Integer(*value),
        Figure::Fraction { numerator, denominator } => Datum::Double(*numerator as f64 / *denominator as f64),
        Figure::Amounts(_) | Figure::Means(_) => amounts(figure)
            .find(|money| money.currency == currency)
            .map_or(Datum::Absent, |money| Datum::Integer(money.minor)),
    }
}

/// Currencies a value has amounts in.
pub(super) fn currencies(figure: &Figure) -> impl Iterator<Item = Currency> {
    amounts(figure).map(|money| money.currency)
}
