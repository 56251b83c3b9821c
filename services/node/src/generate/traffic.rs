//! The traffic: what the shoppers do, on an exact schedule, with the faults that were asked for. The n-th event, counted from 0, is
//! due n / rate after the first, whatever becomes of those before it.

use std::time::Duration;

use souk_proto::v1;

use super::faults::Faults;
use super::limits::TRIES_TOLD;
use super::options::Options;
use super::shoppers::Shoppers;
use crate::form::Form;

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

/// Slots without end, unless nothing that happens can be told.
#[derive(Debug)]
pub(crate) struct Traffic {
    shoppers: Shoppers,
    faults: Faults,
    rate: u32,
    run: String,
    start_millis: i64,
    n: u64,
    /// Only what this form has a word for.
    told: Option<Form>,
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
            told: None,
        }
    }

    /// The same without what a form has no word for: the schedule is kept with what it has.
    pub(crate) fn told(self, form: Form) -> Self {
        Self { told: Some(form), ..self }
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
        for _ in 0..TRIES_TOLD {
            let what = self.faults.pass(&mut self.shoppers, id.clone(), millis);
            let is_told = match (&self.told, &what) {
                (Some(form), What::Event(event)) => form.tells(event),
                _ => true,
            };
            if is_told {
                return Some(Made { due, what });
            }
        }
        None
    }
}
