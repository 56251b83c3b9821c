//! A topic: one thing that is watched, by however many. Its rows as they are, each with the version it changed at, so that a reader who
//! comes late takes the newest of each and no queue stands between.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use souk_model::key::ActorKey;
use souk_model::series::{AnswerInfo, Query};
use souk_model::time::Millis;
use tokio::sync::watch;

use super::markers::{Concern, Marker};
use crate::limits::GONE_KEPT;

/// What a topic is of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Metric(Query),
    User(ActorKey),
}

impl Subject {
    pub(crate) fn concern(&self) -> Concern {
        match self {
            Self::Metric(query) => Concern::of_query(query),
            Self::User(key) => Concern::User(key.as_str().to_owned()),
        }
    }
}

/// Names a row within its topic.
pub(super) type RowKey = Vec<u8>;

/// A row as an evaluation finds it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// The part of the response message that holds the row.
    pub body: Bytes,
    /// The same with nothing but the row's name.
    pub name: Bytes,
}

/// Everything an evaluation found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Evaluation {
    pub rows: BTreeMap<RowKey, Found>,
    pub revision: u64,
    pub info: Option<AnswerInfo>,
    pub as_of: Option<Millis>,
}

#[derive(Debug)]
pub(crate) struct Topic {
    pub subject: Subject,
    state: Mutex<State>,
    /// The newest version, for readers to wait on.
    pub version: watch::Sender<u64>,
    /// How often it was evaluated.
    pub looked: watch::Sender<u64>,
    /// Says that something of it may have changed since it was evaluated.
    pub marker: Arc<Marker>,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    rows: BTreeMap<RowKey, Row>,
    /// Rows by the version they changed at.
    changes: BTreeMap<u64, RowKey>,
    revision: u64,
    info: Option<AnswerInfo>,
    as_of: Option<Millis>,
}

#[derive(Debug)]
struct Row {
    version: u64,
    found: Found,
    /// It is gone: kept until its topic is, so that readers hear of it.
    gone: bool,
}

/// What changed since a version.
#[derive(Debug, Default)]
pub(super) struct News {
    pub rows: Vec<(Found, bool)>,
    pub version: u64,
    pub revision: u64,
    pub info: Option<AnswerInfo>,
    pub as_of: Option<Millis>,
}

impl Topic {
    pub(super) fn new(subject: Subject) -> Self {
        Self {
            marker: Arc::new(Marker::new(subject.concern())),
            subject,
            state: Mutex::default(),
            version: watch::Sender::new(0),
            looked: watch::Sender::new(0),
        }
    }

    /// Takes what an evaluation found; readers hear of what differs. False: a shard's new owner has not come as far as the one before it,
    /// nothing was taken, and it is to be looked at again.
    pub(super) fn take(&self, evaluation: Evaluation) -> bool {
        let mut state = self.state.lock();
        if state.is_ahead_of(&evaluation) {
            return false;
        }
        let before = state.version;
        let State { version, rows, changes, .. } = &mut *state;
        let gone: Vec<RowKey> = rows
            .iter()
            .filter(|(key, row)| !row.gone && !evaluation.rows.contains_key(*key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            if let Some(row) = rows.get_mut(&key) {
                changes.remove(&row.version);
                *version += 1;
                (row.version, row.gone) = (*version, true);
                changes.insert(*version, key);
            }
        }
        for (key, found) in evaluation.rows {
            let row = rows.get(&key);
            if row.is_some_and(|row| !row.gone && row.found.body == found.body) {
                continue;
            }
            if let Some(row) = row {
                changes.remove(&row.version);
            }
            *version += 1;
            changes.insert(*version, key.clone());
            rows.insert(key, Row { version: *version, found, gone: false });
        }
        state.forget_some();
        state.revision = state.revision.max(evaluation.revision);
        state.info = evaluation.info;
        state.as_of = evaluation.as_of;
        if state.version > before {
            self.version.send_replace(state.version);
        }
        self.looked.send_modify(|looked| *looked += 1);
        true
    }

    pub(super) fn revision(&self) -> u64 {
        self.state.lock().revision
    }

    /// Everything there is.
    pub(super) fn snapshot(&self) -> News {
        let state = self.state.lock();
        let rows =
            state.rows.values().filter(|row| !row.gone).map(|row| (row.found.clone(), false)).collect();
        state.news(rows)
    }

    /// What changed after a version, oldest change first.
    pub(super) fn since(&self, version: u64) -> News {
        let state = self.state.lock();
        let changed = state.changes.range(version + 1..).filter_map(|(_, key)| state.rows.get(key));
        let rows = changed.map(|row| (row.found.clone(), row.gone)).collect();
        state.news(rows)
    }
}

impl State {
    /// Whether readers were told of more than the evaluation includes. The sum alone does not say: what one shard lost others may have gained.
    fn is_ahead_of(&self, evaluation: &Evaluation) -> bool {
        let (Some(told), Some(found)) = (&self.info, &evaluation.info) else { return false };
        let found: BTreeMap<u16, u64> = found.positions.iter().copied().collect();
        let lost = |(source, at): &(u16, u64)| found.get(source).is_some_and(|found| found < at);
        evaluation.revision < self.revision || told.positions.iter().any(lost)
    }

    fn news(&self, rows: Vec<(Found, bool)>) -> News {
        News {
            rows,
            version: self.version,
            revision: self.revision,
            info: self.info.clone(),
            as_of: self.as_of,
        }
    }

    fn forget_some(&mut self) {
        let gone = self.rows.values().filter(|row| row.gone).count();
        if gone <= GONE_KEPT {
            return;
        }
        let oldest: Vec<u64> = self
            .changes
            .iter()
            .filter(|(_, key)| self.rows.get(*key).is_some_and(|row| row.gone))
            .map(|(version, _)| *version)
            .take(gone - GONE_KEPT)
            .collect();
        for version in oldest {
            if let Some(key) = self.changes.remove(&version) {
                self.rows.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use souk_model::key::ActorKey;
    use souk_model::origin::Origin;

    use super::*;

    fn found(text: &'static str) -> Found {
        Found { body: Bytes::from_static(text.as_bytes()), name: Bytes::from_static(b"n") }
    }

    fn evaluation(rows: &[(&str, &'static str)], revision: u64) -> Evaluation {
        let rows = rows.iter().map(|(key, body)| (key.as_bytes().to_vec(), found(body))).collect();
        Evaluation { rows, revision, ..Evaluation::default() }
    }

    #[test]
    fn a_late_reader_gets_the_newest_of_each_row_once() {
        let topic = Topic::new(Subject::User(ActorKey::new("main", "alice")));
        topic.take(evaluation(&[("a", "a1"), ("b", "b1")], 1));
        let seen = topic.snapshot();
        assert_eq!(seen.rows.len(), 2);
        topic.take(evaluation(&[("a", "a2"), ("b", "b1")], 2));
        topic.take(evaluation(&[("a", "a3")], 3));
        let news = topic.since(seen.version);
        assert_eq!(news.rows, [(found("b1"), true), (found("a3"), false)]);
        assert_eq!(news.revision, 3);
        assert!(topic.since(news.version).rows.is_empty());
    }

    fn including(row: &'static str, positions: &[(u16, u64)]) -> Evaluation {
        let info = AnswerInfo {
            as_of: None,
            held_by: Vec::new(),
            revision: positions.iter().map(|(_, position)| position).sum(),
            positions: positions.to_vec(),
            truncated: false,
            origin: Origin::Owner,
        };
        Evaluation { info: Some(info.clone()), ..evaluation(&[("a", row)], info.revision) }
    }

    #[test]
    fn a_new_owner_that_has_not_caught_up_takes_nobody_back() {
        let topic = Topic::new(Subject::User(ActorKey::new("main", "alice")));
        assert!(topic.take(including("a3", &[(0, 10), (1, 20)])));
        let seen = topic.snapshot().version;
        assert!(!topic.take(including("a1", &[(0, 4), (1, 20)])), "less in all");
        assert!(!topic.take(including("a2", &[(0, 9), (1, 40)])), "more in all, and less of one source");
        assert!(topic.since(seen).rows.is_empty());
        assert!(topic.take(including("a4", &[(0, 10), (1, 41)])));
        assert_eq!(topic.since(seen).rows, [(found("a4"), false)]);
        assert!(topic.take(Evaluation::default()), "settings may take the metric away");
        assert_eq!(topic.since(seen).rows, [(found("a4"), true)]);
    }

    #[test]
    fn a_row_that_comes_back_is_told_as_it_is() {
        let topic = Topic::new(Subject::User(ActorKey::new("main", "alice")));
        topic.take(evaluation(&[("a", "a1")], 1));
        let seen = topic.snapshot().version;
        topic.take(evaluation(&[], 2));
        topic.take(evaluation(&[("a", "a1")], 3));
        assert_eq!(topic.since(seen).rows, [(found("a1"), false)]);
    }
}
