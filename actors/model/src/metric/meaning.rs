//! What a metric's name stands for, as one number. Found once, when settings are compiled.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use super::{Aggregator, Filter, Metric};

impl Metric {
    /// Equal for two metrics exactly if what is counted for one is what is counted for the other: titles, views, order and `keep` are
    /// left out. The same in every build.
    pub(crate) fn hash_meaning(&self) -> u64 {
        let mut text = format!(
            "{} {} {} {}",
            self.lateness,
            self.correct_for,
            self.max_keys,
            self.time_zone.0.iana_name().unwrap_or_default()
        );
        for set in &self.key_sets {
            text.push_str("\nkeys");
            set.iter().for_each(|dimension| push(&mut text, &dimension.name()));
        }
        for window in &self.windows {
            push(&mut text, &window.to_string());
        }
        for measure in &self.measures {
            text.push_str("\nmeasure");
            push(&mut text, &measure.name);
            push(&mut text, &spelled(measure.aggregator));
            measure.from.iter().for_each(|kind| push(&mut text, kind.name()));
            measure.filters.iter().for_each(|filter| push_filter(&mut text, filter));
        }
        xxh3_64(text.as_bytes())
    }
}

fn push(text: &mut String, part: &str) {
    write!(text, " {part:?}").expect("a string takes all that is written to it");
}

fn push_filter(text: &mut String, filter: &Filter) {
    text.push_str("\nwhere");
    push(text, &filter.dimension.name());
    filter.any_of.iter().for_each(|value| push(text, value));
}

fn spelled(aggregator: Aggregator) -> String {
    let name = aggregator.name();
    let quantity = aggregator.quantity().map_or("", |of| of.name());
    match aggregator {
        Aggregator::Distinct { of, exact_to } => format!("{name} {} {exact_to}", of.name()),
        Aggregator::DistinctUsers => format!("{name} users"),
        Aggregator::Quantile { millionths, exact_to, .. } => {
            format!("{name} {quantity} {millionths} {exact_to}")
        }
        Aggregator::Ratio { numerator, denominator } => format!("{name} {numerator} {denominator}"),
        _ => format!("{name} {quantity}"),
    }
}
