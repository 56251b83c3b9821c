//! What changed in the series, for listeners that ask at their own pace: one bounded log, a place in it for each. While nobody listens a
//! change costs a look at a flag.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::limits::CHANGES_KEPT;
use crate::time::Millis;

/// A cell of a row was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Text of the row's [`SeriesKey`](crate::tally::SeriesKey).
    pub key: Arc<str>,
    /// Start of the pane; [`TOTAL`](crate::tally::cells::TOTAL) for the total.
    pub pane: Millis,
}

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Those who watch queries.
    Watch,
    /// What writes rows for readers of other systems.
    Publish,
}

const LISTENERS: usize = 2;

/// How far a listener has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Heard {
    #[default]
    Nothing,
    /// It listens, and has missed something.
    NotAll,
    /// Every change before this number.
    Before(u64),
}

#[derive(Debug, Default)]
pub(super) struct Changes {
    log: VecDeque<Change>,
    /// Number of the log's first change.
    first: u64,
    heard: [Heard; LISTENERS],
    listened: bool,
}

impl Changes {
    #[inline]
    pub(super) fn push(&mut self, key: &str, pane: Millis) {
        if self.listened {
            self.keep(Change { key: key.into(), pane });
        }
    }

    fn keep(&mut self, change: Change) {
        if self.log.len() >= CHANGES_KEPT {
            self.log.pop_front();
            self.first += 1;
        }
        self.log.push_back(change);
    }

    /// Who begins to listen has missed what was before.
    pub(super) fn listen(&mut self, who: Listener, listens: bool) {
        let heard = &mut self.heard[who as usize];
        match (listens, *heard) {
            (true, Heard::Nothing) => *heard = Heard::NotAll,
            (false, Heard::NotAll | Heard::Before(_)) => *heard = Heard::Nothing,
            _ => return,
        }
        self.listened = self.heard.iter().any(|heard| *heard != Heard::Nothing);
        self.trim();
    }

    /// What a listener has not heard yet; `None` where some of it is lost.
    pub(super) fn take(&mut self, who: Listener) -> Option<Vec<Change>> {
        let end = self.first + self.log.len() as u64;
        let heard = &mut self.heard[who as usize];
        let news = match *heard {
            Heard::Nothing => return Some(Vec::new()),
            Heard::Before(number) if number == end => return Some(Vec::new()),
            Heard::Before(number) if number >= self.first => {
                let skip = (number - self.first) as usize;
                Some(self.log.range(skip..).cloned().collect())
            }
            Heard::Before(_) | Heard::NotAll => None,
        };
        *heard = Heard::Before(end);
        self.trim();
        news
    }

    /// The same listeners before another state: they have heard nothing of it.
    pub(super) fn forgotten(&self) -> Self {
        let heard = self.heard.map(|heard| match heard {
            Heard::Nothing => Heard::Nothing,
            Heard::NotAll | Heard::Before(_) => Heard::NotAll,
        });
        Self { heard, listened: self.listened, ..Self::default() }
    }

    /// Lets go of what everybody has heard.
    fn trim(&mut self) {
        let end = self.first + self.log.len() as u64;
        let needed = self.heard.iter().filter_map(|heard| match heard {
            Heard::Before(number) => Some(*number),
            Heard::Nothing | Heard::NotAll => None,
        });
        let needed = needed.min().unwrap_or(end).clamp(self.first, end);
        self.log.drain(..(needed - self.first) as usize);
        self.first = needed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(changes: Option<Vec<Change>>) -> Option<Vec<String>> {
        changes.map(|changes| changes.iter().map(|change| change.key.to_string()).collect())
    }

    #[test]
    fn each_listener_hears_everything_once() {
        let mut changes = Changes::default();
        changes.push("before", 1);
        changes.listen(Listener::Watch, true);
        assert_eq!(changes.take(Listener::Watch), None, "it missed what was before");
        changes.push("a", 1);
        changes.listen(Listener::Publish, true);
        changes.push("b", 2);
        assert_eq!(texts(changes.take(Listener::Watch)).unwrap(), ["a", "b"]);
        assert_eq!(changes.take(Listener::Publish), None);
        changes.push("c", 3);
        assert_eq!(texts(changes.take(Listener::Publish)).unwrap(), ["c"]);
        assert_eq!(texts(changes.take(Listener::Watch)).unwrap(), ["c"]);
        assert_eq!(changes.take(Listener::Watch), Some(vec![]));
        assert!(changes.log.is_empty(), "everybody has heard it");
    }

    #[test]
    fn who_asks_too_late_hears_that_anything_may_have_changed() {
        let mut changes = Changes::default();
        for who in [Listener::Watch, Listener::Publish] {
            changes.listen(who, true);
            assert_eq!(changes.take(who), None);
        }
        for n in 0..=CHANGES_KEPT {
            changes.push("k", n as Millis);
            assert!(changes.log.len() <= CHANGES_KEPT);
            if n % 1_000 == 0 {
                assert!(changes.take(Listener::Watch).is_some());
            }
        }
        assert_eq!(changes.take(Listener::Publish), None);
        assert_eq!(changes.take(Listener::Publish), Some(vec![]));
    }

    #[test]
    fn nobody_listening_keeps_nothing() {
        let mut changes = Changes::default();
        changes.listen(Listener::Watch, true);
        assert_eq!(changes.take(Listener::Watch), None);
        changes.push("a", 1);
        changes.listen(Listener::Watch, false);
        changes.push("b", 1);
        assert!(changes.log.is_empty());
        assert_eq!(changes.take(Listener::Watch), Some(vec![]));
    }

    #[test]
    fn another_state_is_all_news() {
        let mut changes = Changes::default();
        changes.listen(Listener::Publish, true);
        assert_eq!(changes.take(Listener::Publish), None);
        let mut next = changes.forgotten();
        assert_eq!(next.take(Listener::Publish), None);
        assert_eq!(next.take(Listener::Watch), Some(vec![]), "it did not listen");
    }
}
