//! Batches on their way from intake to where readers see them: when each came in, kept until the fold has passed its last record.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::limits::BATCHES_TIMED;
use crate::observe::Durations;

/// What one batch has in one shard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub came_in: Instant,
    pub events: u64,
    /// Offset of its last record.
    pub last: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Underway(Mutex<VecDeque<Batch>>);

impl Underway {
    /// Takes note of a batch that was appended. Beyond [`BATCHES_TIMED`] they go untimed.
    pub(crate) fn put(&self, batch: Batch) {
        let mut kept = self.0.lock();
        if kept.len() < BATCHES_TIMED {
            // Several callers' batches come in nearly the order of their offsets.
            let at = kept.partition_point(|before| before.last <= batch.last);
            kept.insert(at, batch);
        }
    }

    /// Everything up to a position can be read now.
    pub(crate) fn reached(&self, position: u64, visible: &Durations) {
        let mut kept = self.0.lock();
        if kept.front().is_none_or(|first| first.last > position) {
            return;
        }
        let now = Instant::now();
        while let Some(batch) = kept.pop_front_if(|first| first.last <= position) {
            visible.observe(now - batch.came_in, batch.events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_visible_once_the_fold_has_passed_its_last_record() {
        let (underway, visible) = (Underway::default(), Durations::default());
        let came_in = Instant::now();
        for (events, last) in [(2, 7), (3, 5), (4, 9)] {
            underway.put(Batch { came_in, events, last });
        }
        let seen = |position| {
            underway.reached(position, &visible);
            visible.spread().count
        };
        assert_eq!([seen(4), seen(6), seen(8), seen(9), seen(9)], [0, 3, 5, 9, 9]);
    }
}
