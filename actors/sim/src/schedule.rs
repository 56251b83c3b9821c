//! Virtual time: what happens next, in (time, sequence) order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use souk_model::time::Millis;

/// Things to come. Two at the same time happen in the order they were planned.
#[derive(Debug)]
pub struct Schedule<T> {
    heap: BinaryHeap<Planned<T>>,
    now: Millis,
    sequence: u64,
}

#[derive(Debug)]
struct Planned<T> {
    at: Millis,
    sequence: u64,
    what: T,
}

impl<T> Schedule<T> {
    pub fn starting_at(now: Millis) -> Self {
        Self { heap: BinaryHeap::new(), now, sequence: 0 }
    }

    pub fn now(&self) -> Millis {
        self.now
    }

    /// `delay` from now, never in the past.
    pub fn after(&mut self, delay: Millis, what: T) {
        self.sequence += 1;
        self.heap.push(Planned { at: self.now + delay.max(0), sequence: self.sequence, what });
    }

    /// Whether something of a kind is still to come.
    pub fn awaits(&self, kind: impl Fn(&T) -> bool) -> bool {
        self.heap.iter().any(|planned| kind(&planned.what))
    }

    /// The next thing not later than `until`; time moves to it, or to `until` when there is none.
    pub fn next(&mut self, until: Millis) -> Option<T> {
        match self.heap.peek() {
            Some(planned) if planned.at <= until => {
                let planned = self.heap.pop()?;
                self.now = planned.at;
                Some(planned.what)
            }
            _ => {
                self.now = self.now.max(until);
                None
            }
        }
    }
}

// The heap gives the greatest first: the order is turned round.
impl<T> Ord for Planned<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl<T> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl<T> Eq for Planned<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_then_sequence() {
        let mut schedule = Schedule::starting_at(100);
        schedule.after(5, "c");
        schedule.after(0, "a");
        schedule.after(0, "b");
        assert_eq!(
            (schedule.next(200), schedule.next(200), schedule.next(102)),
            (Some("a"), Some("b"), None)
        );
        assert_eq!((schedule.now(), schedule.next(200), schedule.now()), (102, Some("c"), 105));
    }
}
