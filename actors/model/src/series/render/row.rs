//! A row: values by measure, the key by dimension, the window's text and range. Written in one pass, from what was joined to the bytes
//! readers get: most of what a node answers is rows.

use prost::Message as _;
use souk_proto::v1;
use souk_proto::v1::answer_info::Exactness;
use souk_proto::wire::{self, field};

use super::super::join::{Figure, Measured};
use super::super::query::{AnswerRow, Span};
use crate::metric::aggregate::Unit;
use crate::metric::{Aggregator, EARLIEST, Metric, TimeRange, Window};
use crate::money::Money;
use crate::tally::{split_head, values_of};
use crate::time::{Millis, to_timestamp};

/// A sketched quantile is off by this much at most, relatively.
const QUANTILE_ERROR: f64 = 0.01;
/// A sketched distinct count: three standard errors of its 2^14 registers.
const DISTINCT_ERROR: f64 = 0.025;

/// What a row alone is worth: whether its window is open, and whether it was counted or estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Worth {
    pub provisional: bool,
    /// Of what was sketched the largest error; none: all was counted.
    pub error_bound: Option<f64>,
}

impl Worth {
    pub(super) fn exactness(&self) -> Exactness {
        if self.error_bound.is_some() { Exactness::Sketched } else { Exactness::Exact }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        wire::integer(out, field::ANSWER_INFO_PROVISIONAL, self.provisional.into());
        wire::integer(out, field::ANSWER_INFO_EXACTNESS, (self.exactness() as i32).into());
        if let Some(bound) = self.error_bound {
            wire::double(out, field::ANSWER_INFO_ERROR_BOUND, bound);
        }
    }
}

impl AnswerRow {
    pub(super) fn worth(&self, metric: &Metric) -> Worth {
        let sketched = metric.measures.iter().zip(&self.values).filter(|(_, measured)| measured.sketched);
        let error = |aggregator| match aggregator {
            Aggregator::Distinct { .. } => DISTINCT_ERROR,
            _ => QUANTILE_ERROR,
        };
        let error_bound = sketched.map(|(measure, _)| error(measure.aggregator)).reduce(f64::max);
        Worth { provisional: self.provisional, error_bound }
    }

    /// Writes the row as a [`v1::MetricRow`], with its place in the order asked for and what it alone is worth.
    pub fn encode(&self, metric: &Metric, rank: Option<i32>, out: &mut Vec<u8>) {
        self.encode_with(metric, rank, Some(self.worth(metric)), out);
    }

    /// The same with a worth only where it must be said.
    pub(super) fn encode_with(
        &self,
        metric: &Metric,
        rank: Option<i32>,
        worth: Option<Worth>,
        out: &mut Vec<u8>,
    ) {
        row(metric, &self.key, self.window, Some(self.range), &self.values, out);
        if let Some(rank) = rank {
            wire::integer(out, field::METRIC_ROW_RANK, rank.into());
        }
        if let Some(worth) = worth {
            wire::message(out, field::METRIC_ROW_INFO, |out| worth.encode(out));
        }
    }

    /// The row's name alone: what a watcher must know to drop it. Where only the newest window is watched a row is its key, whatever window
    /// it was last shown of.
    pub fn encode_name(&self, metric: &Metric, span: Span, out: &mut Vec<u8>) {
        let range = Some(self.range).filter(|_| span != Span::Newest);
        row(metric, &self.key, self.window, range, &[], out);
    }
}

/// What was written, as the message it is: for those who want a few rows, not their bytes.
pub(super) fn read_back(row: &[u8]) -> v1::MetricRow {
    v1::MetricRow::decode(row).expect("rows are written as they are read")
}

/// Writes a row without a place or a worth of its own.
pub(super) fn row(
    metric: &Metric,
    key: &str,
    window: Window,
    range: Option<TimeRange>,
    values: &[Measured],
    out: &mut Vec<u8>,
) {
    let key_set = split_head(key).map_or(0, |(_, _, key_set)| usize::from(key_set));
    let dimensions = metric.key_sets.get(key_set).into_iter().flatten();
    for (dimension, value) in dimensions.zip(values_of(key)) {
        wire::message(out, field::METRIC_ROW_KEY, |out| {
            wire::text(out, field::ENTRY_KEY, &dimension.name());
            wire::text(out, field::ENTRY_VALUE, &value);
        });
    }
    wire::text(out, field::METRIC_ROW_WINDOW, &window.to_string());
    if let Some(range) = range {
        wire::message(out, field::METRIC_ROW_RANGE, |out| {
            timestamp(out, field::TIME_RANGE_START_TIME, range.start.max(EARLIEST));
            if range != TimeRange::ALL {
                timestamp(out, field::TIME_RANGE_END_TIME, range.end);
            }
        });
    }
    for (measure, measured) in metric.measures.iter().zip(values) {
        wire::message(out, field::METRIC_ROW_VALUES, |out| {
            wire::text(out, field::ENTRY_KEY, &measure.name);
            wire::message(out, field::ENTRY_VALUE, |out| value(&measured.figure, out));
        });
    }
}

fn timestamp(out: &mut Vec<u8>, field: u32, time: Millis) {
    let time = to_timestamp(time);
    wire::message(out, field, |out| {
        wire::integer(out, field::TIMESTAMP_SECONDS, time.seconds);
        if time.nanos != 0 {
            wire::integer(out, field::TIMESTAMP_NANOS, time.nanos.into());
        }
    });
}

fn value(figure: &Figure, out: &mut Vec<u8>) {
    match *figure {
        Figure::None => {}
        Figure::Integer(integer) => wire::integer(out, field::METRIC_VALUE_INTEGER, integer),
        Figure::Fraction { numerator, denominator } => {
            wire::message(out, field::METRIC_VALUE_FRACTION, |out| {
                wire::integer(out, field::FRACTION_NUMERATOR, numerator);
                wire::integer(out, field::FRACTION_DENOMINATOR, denominator);
                if denominator != 0 {
                    wire::double(out, field::FRACTION_APPROXIMATE, numerator as f64 / denominator as f64);
                }
            });
        }
        Figure::Amounts(_) | Figure::Means(_) => {
            for Money { currency, minor } in amounts(figure) {
                wire::message(out, field::METRIC_VALUE_AMOUNTS, |out| {
                    wire::text(out, field::MONEY_CURRENCY_CODE, currency.code());
                    wire::integer(out, field::MONEY_MINOR_UNITS, minor);
                });
            }
        }
    }
}

/// Amounts of a measure of money, one per currency; a mean is rounded half up to minor units.
pub(crate) fn amounts(figure: &Figure) -> impl Iterator<Item = Money> {
    let (sums, means) = match figure {
        Figure::Amounts(sums) => (sums.as_slice(), [].as_slice()),
        Figure::Means(means) => ([].as_slice(), means.as_slice()),
        Figure::None | Figure::Integer(_) | Figure::Fraction { .. } => Default::default(),
    };
    let money = |unit: Unit, minor| unit.map(|currency| Money { currency, minor });
    let sums = sums.iter().filter_map(move |(unit, minor)| money(*unit, *minor));
    sums.chain(means.iter().filter_map(move |(unit, total)| money(*unit, half_up(total)?)))
}

/// A mean, rounded half up; none of nothing.
fn half_up(total: &crate::metric::aggregate::part::Total) -> Option<i64> {
    let (sum, count) = (i128::from(total.sum), i128::from(total.count));
    let (sum, count) = if count < 0 { (-sum, -count) } else { (sum, count) };
    (count != 0).then(|| i64::try_from((2 * sum + count).div_euclid(2 * count)).unwrap_or(i64::MAX))
}
