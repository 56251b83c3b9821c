//! A row: values by measure, the key by dimension, the window's text and range.

use std::collections::BTreeMap;

use souk_proto::v1;
use souk_proto::v1::answer_info::Exactness;
use souk_proto::v1::metric_value::Value;

use super::super::join::{Figure, Measured};
use super::super::query::{AnswerRow, Span};
use crate::metric::aggregate::Unit;
use crate::metric::{Aggregator, EARLIEST, Metric, TimeRange, Window};
use crate::money::Money;
use crate::tally::SeriesKey;
use crate::time::to_timestamp;

/// A sketched quantile is off by this much at most, relatively.
const QUANTILE_ERROR: f64 = 0.01;
/// A sketched distinct count: three standard errors of its 2^14 registers.
const DISTINCT_ERROR: f64 = 0.025;

impl AnswerRow {
    /// The row, with what it alone is worth: whether its window is open, and whether it was counted or estimated.
    pub fn to_proto(&self, metric: &Metric, rank: Option<i32>) -> v1::MetricRow {
        let exactness = match error_bound(metric, &self.values) {
            None => (Exactness::Exact, None),
            bound => (Exactness::Sketched, bound),
        };
        let info = v1::AnswerInfo {
            provisional: Some(self.provisional),
            exactness: exactness.0.into(),
            error_bound: exactness.1,
            ..v1::AnswerInfo::default()
        };
        v1::MetricRow {
            rank,
            info: Some(info),
            ..row(metric, &self.key, self.window, self.range, &self.values)
        }
    }

    /// The row's name alone: what a watcher must know to drop it. Where only the newest window is watched a row is its key, whatever window
    /// it was last shown of.
    pub fn to_name_proto(&self, metric: &Metric, span: Span) -> v1::MetricRow {
        let name = row(metric, &self.key, self.window, self.range, &[]);
        v1::MetricRow { range: name.range.filter(|_| span != Span::Newest), ..name }
    }
}

/// A row without a place or a worth of its own.
pub(super) fn row(
    metric: &Metric,
    key: &SeriesKey,
    window: Window,
    range: TimeRange,
    values: &[Measured],
) -> v1::MetricRow {
    let dimensions = metric.key_sets.get(usize::from(key.key_set)).into_iter().flatten();
    let measures = metric.measures.iter().map(|measure| measure.name.clone());
    v1::MetricRow {
        key: dimensions.map(|dimension| dimension.name()).zip(key.values.iter().cloned()).collect(),
        window: window.to_string(),
        range: Some(range_to_proto(range)),
        values: measures.zip(values.iter().map(value)).collect::<BTreeMap<_, _>>(),
        rank: None,
        info: None,
    }
}

/// Of what was sketched, the largest error; none: all was counted.
pub(super) fn error_bound(metric: &Metric, values: &[Measured]) -> Option<f64> {
    let sketched = metric.measures.iter().zip(values).filter(|(_, measured)| measured.sketched);
    let error = |aggregator| match aggregator {
        Aggregator::Distinct { .. } => DISTINCT_ERROR,
        _ => QUANTILE_ERROR,
    };
    sketched.map(|(measure, _)| error(measure.aggregator)).reduce(f64::max)
}

fn range_to_proto(range: TimeRange) -> v1::TimeRange {
    v1::TimeRange {
        start_time: Some(to_timestamp(range.start.max(EARLIEST))),
        end_time: (range != TimeRange::ALL).then(|| to_timestamp(range.end)),
    }
}

fn value(measured: &Measured) -> v1::MetricValue {
    let value = match measured.figure {
        Figure::Integer(integer) => Some(Value::Integer(integer)),
        Figure::Fraction { numerator, denominator } => Some(Value::Fraction(v1::Fraction {
            numerator: Some(numerator),
            denominator: Some(denominator),
            approximate: (denominator != 0).then(|| numerator as f64 / denominator as f64),
        })),
        Figure::None | Figure::Amounts(_) | Figure::Means(_) => None,
    };
    v1::MetricValue { value, amounts: money_amounts(&measured.figure) }
}

/// Amounts of a measure of money, one per currency; a mean is rounded half up to minor units.
pub fn money_amounts(figure: &Figure) -> Vec<v1::Money> {
    let money = |unit: Unit, minor| unit.map(|currency| Money { currency, minor }.to_proto());
    match figure {
        Figure::Amounts(amounts) => amounts.iter().filter_map(|(unit, minor)| money(*unit, *minor)).collect(),
        Figure::Means(means) => {
            let mean = |(unit, total): &(Unit, _)| money(*unit, half_up(total)?);
            means.iter().filter_map(mean).collect()
        }
        Figure::None | Figure::Integer(_) | Figure::Fraction { .. } => Vec::new(),
    }
}

/// A mean, rounded half up; none of nothing.
fn half_up(total: &crate::metric::aggregate::part::Total) -> Option<i64> {
    let (sum, count) = (i128::from(total.sum), i128::from(total.count));
    let (sum, count) = if count < 0 { (-sum, -count) } else { (sum, count) };
    (count != 0).then(|| i64::try_from((2 * sum + count).div_euclid(2 * count)).unwrap_or(i64::MAX))
}
