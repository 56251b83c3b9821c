//! Latencies with the moment at which each call was due, so that those during a fault can be told from the others.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits;
use crate::measure::histogram::Latencies;

/// From and until when something was at fault, or moved.
pub type Window = (Instant, Instant);

#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub due: Instant,
    pub done: Instant,
    /// Answered at the first try.
    pub at_once: bool,
}

/// The newest of them.
#[derive(Debug, Default)]
pub struct Samples(std::collections::VecDeque<Sample>);

impl Samples {
    pub fn push(&mut self, sample: Sample) {
        if self.0.len() == limits::SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// Whoever would have called while the newest call waited would have waited for the same: notes those too, one `every` so often, and
    /// answers when the next call is due.
    pub fn repeat(&mut self, every: Duration) -> Instant {
        let Some(newest) = self.0.back().copied() else { return Instant::now() };
        let mut due = newest.due + every;
        while due < newest.done {
            self.push(Sample { due, ..newest });
            due += every;
        }
        due
    }

    pub fn within<'a>(&'a self, windows: &'a [Window]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| is_within(windows, sample.due))
    }

    pub fn outside<'a>(&'a self, windows: &'a [Window]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| !is_within(windows, sample.due))
    }

    /// The first that was due after a moment and is done.
    pub fn first_after(&self, moment: Instant) -> Option<Duration> {
        self.0.iter().find(|sample| sample.due >= moment).map(|sample| sample.done.duration_since(moment))
    }
}

fn is_within(windows: &[Window], moment: Instant) -> bool {
    windows.iter().any(|(from, until)| *from <= moment && moment < *until)
}

pub fn latencies<'a>(samples: impl Iterator<Item = &'a Sample>) -> Latencies {
    let mut latencies = Latencies::default();
    samples.for_each(|sample| latencies.record(sample.done.saturating_duration_since(sample.due)));
    latencies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_waits_stands_for_those_due_meanwhile() {
        let start = Instant::now();
        let mut samples = Samples::default();
        let done = start + Duration::from_millis(95);
        samples.push(Sample { due: start, done, at_once: false });
        assert_eq!(samples.repeat(Duration::from_millis(30)), start + Duration::from_millis(120));
        let waited: Vec<u128> =
            samples.0.iter().map(|sample| (sample.done - sample.due).as_millis()).collect();
        assert_eq!(waited, [95, 65, 35, 5]);
    }

    #[test]
    fn a_call_belongs_to_the_window_it_was_due_in() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut samples = Samples::default();
        for (due, done) in [(0, 5), (10, 90), (20, 91), (40, 45)] {
            samples.push(Sample { due: at(due), done: at(done), at_once: true });
        }
        let windows = [(at(10), at(40))];
        assert_eq!(samples.within(&windows).count(), 2);
        assert_eq!(samples.outside(&windows).count(), 2);
        assert_eq!(samples.first_after(at(11)), Some(Duration::from_millis(80)));
        assert_eq!(samples.first_after(at(41)), None);
        assert!(latencies(samples.outside(&windows)).max() < Duration::from_millis(6));
    }
}
