//! Series as an encoder takes them: name, help, labels, value. The few forms the page needs, each on one line.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// What one series is counted by.
pub(super) type Labels = Vec<(&'static str, String)>;

/// Writes families one after the other.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

impl Page<'_> {
    /// A number that only rises. The name goes without its `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, series: &[(Labels, u64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        each(&mut family, series, |value, encoder| ConstCounter::new(*value).encode(encoder))
    }

    /// The same, of fractions.
    pub(super) fn counter_of(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(family)
    }

    /// A number as it stands.
    pub(super) fn gauge(&mut self, name: &str, help: &str, series: &[(Labels, f64)]) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        each(&mut family, series, |value, encoder| ConstGauge::new(*value).encode(encoder))
    }
}

fn each<T>(
    family: &mut MetricEncoder<'_>,
    series: &[(Labels, T)],
    encode: impl Fn(&T, MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    for (labels, value) in series {
        encode(value, family.encode_family(labels)?)?;
    }
    Ok(())
}

/// One series without labels.
pub(super) fn alone<T>(value: T) -> [(Labels, T); 1] {
    [(Labels::new(), value)]
}
