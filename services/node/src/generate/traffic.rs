//! The traffic: what the shoppers do, on an exact schedule, with the faults that were asked for. The n-th event, counted from 0, is
//! due n / rate after the first, whatever becomes of those before it.

use std::time::Duration;

use souk_proto::v1;

use super::faults::Faults;
use super::options::Options;
use super::shoppers::Shoppers;

const NANOS: u128 = 1_000_000_000;

/// One slot of the schedule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    /// How long after the first one.
    pub(crate) due: Duration,
    pub(crate) what: What,
}

/// What is in a slot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Event(v1::Event),
    /// A line of text that is no event.
    Broken(String),
}

/// Slots without end.
#[derive(Debug)]
pub(crate) struct Traffic {
    shoppers: Shoppers,
    faults: Faults,
    rate: u32,
    run: String,
    start_millis: i64,
    n: u64,
}

impl Traffic {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            shoppers: Shoppers::new(options),
            faults: Faults::new(options),
            rate: options.rate.max(1),
            run: options.run.clone(),
            start_millis: options.start_millis,
            n: 0,
        }
    }
}

/// When the n-th is due.
pub(crate) fn due(n: u64, rate: u32) -> Duration {
    let nanos = u128::from(n) * NANOS / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl Iterator for Traffic {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        let due = due(self.n, self.rate);
        let id = format!("{}-{}", self.run, self.n);
        let millis = self.start_millis.saturating_add(i64::try_from(due.as_millis()).unwrap_or(i64::MAX));
        self.n += 1;
        Some(Made { due, what: self.faults.pass(&mut self.shoppers, id, millis) })
    }
}

/// Milliseconds since 1970 as the API has them.
pub(crate) fn timestamp(millis: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: millis.div_euclid(1_000),
        nanos: (millis.rem_euclid(1_000) * 1_000_000) as i32,
    }
}
