//! Rows of metrics: those counted here and those answered, in one form, and what differs between them.

use std::collections::BTreeMap;
use std::fmt;

use souk_proto::v1;

use super::value::Value;
use crate::measure::clock::{self, Millis};

/// Names one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    pub metric: &'static str,
    pub window: &'static str,
    /// 0 for `total`.
    pub start: Millis,
    /// Value by dimension.
    pub key: BTreeMap<String, String>,
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, window, start, key } = self;
        write!(f, "metrics/{metric} {window} from {start} {key:?}")
    }
}

/// Values by row and measure; what is zero is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows(pub BTreeMap<RowKey, BTreeMap<String, Value>>);

impl Rows {
    pub(super) fn put(&mut self, row: RowKey, measure: &str, value: Value) {
        self.0.entry(row).or_default().insert(measure.to_owned(), value);
    }

    pub(super) fn put_answered(&mut self, metric: &'static str, window: &'static str, row: &v1::MetricRow) {
        let start = row.range.as_ref().and_then(|range| range.start_time.as_ref()).map_or(0, clock::millis);
        let start = if window == "total" { 0 } else { start };
        let name = RowKey { metric, window, start, key: row.key.clone() };
        for (measure, value) in &row.values {
            if let Some(value) = Value::answered(value) {
                self.put(name.clone(), measure, value);
            }
        }
    }

    /// Events that the metric `events` misses and that it has too many, by its minutes.
    pub fn balance(&self, answered: &Self) -> (i64, i64) {
        let minutes = |rows: &Self, row: &RowKey| match rows.0.get(row).and_then(|row| row.get("events")) {
            Some(Value::Number(count)) => *count,
            _ => 0,
        };
        let (mut lost, mut doubled) = (0, 0);
        let keys: std::collections::BTreeSet<&RowKey> = self.0.keys().chain(answered.0.keys()).collect();
        for row in
            keys.into_iter().filter(|row| row.metric == "events" && row.window == "1m" && row.key.is_empty())
        {
            let off = minutes(answered, row) - minutes(self, row);
            (lost, doubled) = (lost + (-off).max(0), doubled + off.max(0));
        }
        (lost, doubled)
    }

    /// A line per measure that is not as it must be.
    pub fn differences(&self, answered: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let nothing = BTreeMap::new();
        let keys: std::collections::BTreeSet<&RowKey> = self.0.keys().chain(answered.0.keys()).collect();
        for row in keys {
            let must = self.0.get(row).unwrap_or(&nothing);
            let is = answered.0.get(row).unwrap_or(&nothing);
            let measures: std::collections::BTreeSet<&String> = must.keys().chain(is.keys()).collect();
            for measure in measures {
                let (must, is) = (must.get(measure), is.get(measure));
                if must != is {
                    lines.push(format!("{row} {measure}: {} is answered, {} is right", text(is), text(must)));
                }
            }
        }
        lines
    }
}

fn text(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
