//! Whose turn it is: of all links that go by one name only the newest is heard. What an older one still holds, in a socket or a buffer, would
//! come after what the newer one has brought.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::limits::REMEMBERED_LINKS;

#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<BTreeMap<String, Arc<Mutex<Newest>>>>);

#[derive(Debug, Default)]
struct Newest {
    turn: u64,
    /// Cancelled when a newer one comes.
    over: CancellationToken,
}

/// One link's.
#[derive(Debug)]
pub(super) struct Turn {
    turn: u64,
    over: CancellationToken,
    newest: Arc<Mutex<Newest>>,
}

impl Turns {
    /// Begins a turn and ends the one before it. Nothing: a later one has begun already.
    pub(super) fn begin(&self, name: &str, turn: u64) -> Option<Turn> {
        let newest = self.newest(name);
        let mut held = newest.lock();
        if turn <= held.turn {
            return None;
        }
        held.over.cancel();
        *held = Newest { turn, over: CancellationToken::new() };
        let over = held.over.clone();
        drop(held);
        Some(Turn { turn, over, newest })
    }

    fn newest(&self, name: &str) -> Arc<Mutex<Newest>> {
        let mut turns = self.0.lock();
        if let Some(newest) = turns.get(name) {
            return newest.clone();
        }
        if turns.len() >= REMEMBERED_LINKS {
            // What is open holds its own: there are far fewer of those.
            turns.retain(|_, newest| Arc::strong_count(newest) > 1);
        }
        turns.entry(name.to_owned()).or_default().clone()
    }
}

impl Turn {
    /// Does something while no newer turn can begin. Nothing: one has.
    pub(super) fn during<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let newest = self.newest.lock();
        (newest.turn == self.turn).then(act)
    }

    /// Waits until a newer turn begins.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newer_turn_ends_the_one_before_it() {
        let turns = Turns::default();
        let first = turns.begin("a-0", 1).expect("nothing was before it");
        assert_eq!(first.during(|| 7), Some(7));
        let other = turns.begin("a-1", 1).expect("another name");
        let second = turns.begin("a-0", 2).expect("it is newer");
        first.over().await;
        assert_eq!(first.during(|| 7), None);
        assert_eq!((second.during(|| 7), other.during(|| 7)), (Some(7), Some(7)));
        assert!(turns.begin("a-0", 1).is_none(), "it comes late");
        drop(second);
        assert!(turns.begin("a-0", 2).is_none(), "the newest is remembered");
    }

    #[test]
    fn turns_that_are_over_are_forgotten_when_there_are_too_many() {
        let turns = Turns::default();
        let open = turns.begin("open", 5).expect("new");
        for n in 0..2 * REMEMBERED_LINKS {
            turns.begin(&format!("{n}"), 1).expect("new");
        }
        assert!(turns.0.lock().len() <= REMEMBERED_LINKS + 1);
        assert!(turns.begin("open", 5).is_none() && open.during(|| ()).is_some());
    }
}
