//! What a bridge has done, and how it is: kept by its thread, read by whoever asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::bridge::crossing::Read;

/// What a bridge of this process has done since it started, and how it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BridgeCounts {
    /// Messages read; repeats too.
    pub read: u64,
    /// Of those the ones this process had read before: the fold counts them once.
    pub repeated: u64,
    /// Records appended; repeats too.
    pub appended: u64,
    pub dead_letters: u64,
    /// Instances that ended before they were told to.
    pub ended: u64,
    /// Whether its instance is a member of its group.
    pub is_member: bool,
    /// Messages that wait in the partitions it has, as far as is known.
    pub lag: Option<u64>,
    /// Why the last instance ended, until another one is a member or gets something through.
    pub problem: Option<String>,
}

/// What the thread and its owner share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    stop: Mutex<bool>,
    bell: Condvar,
    read: AtomicU64,
    repeated: AtomicU64,
    appended: AtomicU64,
    dead_letters: AtomicU64,
    ended: AtomicU64,
    /// Whether the instance got anything through.
    gets_on: AtomicBool,
    state: Mutex<State>,
    passed: Mutex<Passed>,
}

/// How the instance is.
#[derive(Debug, Default)]
struct State {
    is_member: bool,
    lag: Option<u64>,
    problem: Option<String>,
}

/// The place after the newest message that was read of each partition, of one topic as it was made once.
#[derive(Debug, Default)]
struct Passed {
    topic_id: u64,
    next: BTreeMap<i32, u64>,
}

impl Shared {
    pub(super) fn counts(&self) -> BridgeCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let state = self.state.lock();
        BridgeCounts {
            read: of(&self.read),
            repeated: of(&self.repeated),
            appended: of(&self.appended),
            dead_letters: of(&self.dead_letters),
            ended: of(&self.ended),
            is_member: state.is_member,
            lag: state.lag,
            problem: state.problem.clone(),
        }
    }

    pub(super) fn stop(&self) {
        *self.stop.lock() = true;
        self.bell.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.lock()
    }

    /// Waits for so long, or until it is stopped.
    pub(super) fn rest(&self, most: Duration) {
        let mut stop = self.stop.lock();
        if !*stop {
            self.bell.wait_for(&mut stop, most);
        }
    }

    /// The instance is a member of its group, and so far behind in what it was given.
    pub(super) fn joined(&self, lag: Option<u64>) {
        *self.state.lock() = State { is_member: true, lag, problem: None };
    }

    /// The instance is no member of its group: not yet, or the broker is away.
    pub(super) fn waits(&self) {
        let mut state = self.state.lock();
        (state.is_member, state.lag) = (false, None);
    }

    /// The instance is gone, for this reason if it was not told to go. Answers whether it got anything through.
    pub(super) fn closed(&self, problem: Option<String>) -> bool {
        self.ended.fetch_add(u64::from(problem.is_some()), Ordering::Relaxed);
        *self.state.lock() = State { problem, ..State::default() };
        self.gets_on.swap(false, Ordering::Relaxed)
    }

    /// Counts a batch that was read.
    pub(super) fn passes(&self, topic_id: u64, batch: &[Read]) {
        let mut passed = self.passed.lock();
        if passed.topic_id != topic_id {
            *passed = Passed { topic_id, next: BTreeMap::new() };
        }
        let mut repeated = 0;
        for read in batch {
            let next = passed.next.entry(read.partition).or_default();
            repeated += u64::from(read.offset < *next);
            *next = (*next).max(read.offset + 1);
        }
        self.read.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.repeated.fetch_add(repeated, Ordering::Relaxed);
    }

    /// A batch is through: so many records of it were appended, so many messages set aside.
    pub(super) fn crossed(&self, appended: usize, dead_letters: usize) {
        self.appended.fetch_add(appended as u64, Ordering::Relaxed);
        self.dead_letters.fetch_add(dead_letters as u64, Ordering::Relaxed);
        self.gets_on.store(true, Ordering::Relaxed);
        self.state.lock().problem = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(partition: i32, offsets: std::ops::Range<u64>) -> Vec<Read> {
        offsets.map(|offset| Read { partition, offset, payload: Vec::new() }).collect()
    }

    #[test]
    fn what_is_read_again_is_told_apart_until_the_topic_is_another() {
        let shared = Shared::default();
        shared.passes(1, &batch(0, 0..10));
        shared.passes(1, &batch(1, 0..10));
        shared.passes(1, &batch(0, 5..15));
        let counts = shared.counts();
        assert_eq!((counts.read, counts.repeated), (30, 5));
        shared.passes(2, &batch(0, 0..10));
        assert_eq!(shared.counts().repeated, 5);
    }

    #[test]
    fn a_problem_stands_until_another_instance_is_a_member() {
        let shared = Shared::default();
        shared.joined(Some(7));
        assert_eq!(shared.counts().lag, Some(7));
        assert!(!shared.closed(Some("gone".to_owned())), "nothing got through");
        let counts = shared.counts();
        assert_eq!((counts.ended, counts.is_member, counts.lag), (1, false, None));
        assert_eq!(counts.problem.as_deref(), Some("gone"));
        shared.joined(None);
        assert_eq!(shared.counts().problem, None);
        shared.waits();
        assert!(!shared.counts().is_member);
        shared.crossed(3, 1);
        assert!(shared.closed(None));
        let counts = shared.counts();
        assert_eq!((counts.appended, counts.dead_letters, counts.ended, counts.problem), (3, 1, 1, None));
    }
}
