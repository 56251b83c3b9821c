//! Markers: who wants to know when which rows or users change. Each says that something may have; what, whoever wants to know looks up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use souk_model::journal::Journal;
use souk_model::key::ActorKey;
use souk_model::series::{Listener, Query, SeriesBook};
use tokio::sync::Notify;

/// What a marker is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Concern {
    /// Rows of one key set, by the head of their texts: shop, metric, key set.
    Rows(String),
    /// The row of this text.
    Row(String),
    User(String),
}

impl Concern {
    pub(super) fn of_query(query: &Query) -> Self {
        match &query.key {
            Some(values) => Self::Row(query.text_of(values)),
            None => Self::Rows(query.text_of(&[])),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Marker {
    concern: Concern,
    /// Something may have changed since it was looked up.
    stale: AtomicBool,
    pub look: Notify,
}

impl Marker {
    pub(super) fn new(concern: Concern) -> Self {
        Self { concern, stale: AtomicBool::new(false), look: Notify::new() }
    }

    pub(super) fn concern(&self) -> &Concern {
        &self.concern
    }

    /// Something may have changed.
    pub(crate) fn mark(&self) {
        self.stale.store(true, Ordering::Release);
        self.look.notify_one();
    }

    pub(crate) fn take_stale(&self) -> bool {
        self.stale.swap(false, Ordering::AcqRel)
    }
}

/// All markers of a node, those of its own topics and those of other nodes' readers.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    /// By the head of the texts they concern.
    rows: Register,
    users: Register,
}

#[derive(Debug, Default)]
struct Register {
    by_name: Mutex<BTreeMap<String, Vec<Weak<Marker>>>>,
    /// How many there are, to be asked for without a lock.
    count: AtomicUsize,
}

impl Register {
    fn put(&self, name: String, marker: &Arc<Marker>) {
        let mut by_name = self.by_name.lock();
        let same = by_name.entry(name).or_default();
        let before = same.len();
        same.retain(|marker| marker.strong_count() > 0);
        self.count.fetch_sub(before - same.len(), Ordering::Relaxed);
        same.push(Arc::downgrade(marker));
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn forget(&self, name: &str) {
        let mut by_name = self.by_name.lock();
        let Some(same) = by_name.get_mut(name) else { return };
        let before = same.len();
        same.retain(|marker| marker.strong_count() > 0);
        self.count.fetch_sub(before - same.len(), Ordering::Relaxed);
        if same.is_empty() {
            by_name.remove(name);
        }
    }

    fn mark(&self) {
        self.by_name.lock().values().flatten().filter_map(Weak::upgrade).for_each(|marker| marker.mark());
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }
}

fn head_of(text: &str) -> &str {
    text.split('\u{1f}').next().unwrap_or(text)
}

impl Markers {
    pub(super) fn put(&self, marker: &Arc<Marker>) {
        match &marker.concern {
            Concern::Rows(head) => self.rows.put(head.clone(), marker),
            Concern::Row(text) => self.rows.put(head_of(text).to_owned(), marker),
            Concern::User(key) => self.users.put(key.clone(), marker),
        }
    }

    /// A marker is no more.
    pub(super) fn forget(&self, concern: &Concern) {
        match concern {
            Concern::Rows(head) => self.rows.forget(head),
            Concern::Row(text) => self.rows.forget(head_of(text)),
            Concern::User(key) => self.users.forget(key),
        }
    }

    /// A shard came or went: whoever looked meanwhile may have asked an owner that was told less than another.
    pub(crate) fn shard_moved(&self, journal: Journal) {
        match journal {
            Journal::Products => self.rows.mark(),
            Journal::Users => self.users.mark(),
        }
    }

    /// Marks whom changes of a products shard's series concern. Called between two turns of the shard.
    pub(crate) fn look(&self, series: &mut SeriesBook) {
        let watched = !self.rows.is_empty();
        series.listen(Listener::Watch, watched);
        if !watched {
            return;
        }
        let changed = series.take_changed(Listener::Watch);
        if changed.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let Some(changed) = changed else { return self.rows.mark() };
        let markers = self.rows.by_name.lock();
        let mut last = "";
        for text in changed.iter().map(|change| &*change.key) {
            let head = head_of(text);
            let Some(concerned) = markers.get(head) else { continue };
            for marker in concerned.iter().filter_map(Weak::upgrade) {
                let concerns = match &marker.concern {
                    Concern::Row(of) => of == text,
                    _ => head != last,
                };
                if concerns {
                    marker.mark();
                }
            }
            last = head;
        }
    }

    /// Whether anybody watches a user.
    pub(crate) fn watches_actors(&self) -> bool {
        !self.users.is_empty()
    }

    pub(crate) fn actor_changed(&self, journal: Journal, key: &ActorKey) {
        if journal == Journal::Users
            && let Some(markers) = self.users.by_name.lock().get(key.as_str())
        {
            markers.iter().filter_map(Weak::upgrade).for_each(|marker| marker.mark());
        }
    }
}
