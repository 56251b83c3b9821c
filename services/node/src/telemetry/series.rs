//! Series as an encoder takes them: name, help, labels, value. The few forms the page needs, each on one line.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use souk_runtime::observe::Spread;

/// What one series is counted by.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Writes families one after the other.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

impl Page<'_> {
    /// A number that only rises. The name goes without its `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Into<Total>) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        match value.into() {
            Total::Whole(value) => ConstCounter::new(value).encode(encoder),
            Total::Fraction(value) => ConstCounter::new(value).encode(encoder),
        }
    }

    /// A number as it stands.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        ConstGauge::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    /// Numbers that only rise, told apart by labels.
    pub(super) fn counters(&mut self, name: &str, help: &str, series: &[(Labels, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        series
            .iter()
            .try_for_each(|(labels, value)| ConstCounter::new(*value).encode(family.encode_family(labels)?))
    }

    /// Durations in seconds, told apart by labels.
    pub(super) fn histograms(&mut self, name: &str, help: &str, series: &[(Labels, Spread)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        series.iter().try_for_each(|(labels, spread)| spread_in(family.encode_family(labels)?, spread))
    }

    /// Durations in seconds.
    pub(super) fn histogram(&mut self, name: &str, help: &str, spread: &Spread) -> fmt::Result {
        let family = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        spread_in(family, spread)
    }

    /// Numbers as they stand, told apart by labels.
    pub(super) fn gauges(&mut self, name: &str, help: &str, series: &[(Labels, f64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        series
            .iter()
            .try_for_each(|(labels, value)| ConstGauge::new(*value).encode(family.encode_family(labels)?))
    }
}

fn spread_in(mut encoder: MetricEncoder<'_>, spread: &Spread) -> fmt::Result {
    encoder.encode_histogram::<NoLabelSet>(spread.sum, spread.count, &spread.buckets, None)
}

/// What a counter stands at.
pub(super) enum Total {
    Whole(u64),
    Fraction(f64),
}

impl From<u64> for Total {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for Total {
    fn from(value: f64) -> Self {
        Self::Fraction(value)
    }
}
