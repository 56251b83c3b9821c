//! What this process knows of a partition, shared by readers, the fetching thread, the producer and the watchdog.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use souk_model::journal::Entry;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::window::{Taken, Trouble, Window};

#[derive(Debug)]
pub(crate) struct Partitions(Vec<Partition>);

impl Partitions {
    pub(crate) fn new(count: usize, now: Instant) -> Self {
        Self((0..count).map(|_| Partition::new(now)).collect())
    }

    pub(crate) fn at(&self, number: usize) -> &Partition {
        &self.0[number]
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &Partition)> {
        self.0.iter().enumerate()
    }
}

#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) window: Mutex<Window>,
    /// Tells readers that the window has changed.
    news: watch::Sender<()>,
    /// Held by the reader that has moved the window, until it has what it came for: others would move it away under its hands.
    pub(crate) moving: tokio::sync::Mutex<()>,
    /// Offset of the first entry, as far as is known; 0 until the broker was asked.
    start: AtomicU64,
    /// Offset of the last entry, as far as is known.
    end: AtomicU64,
}

impl Partition {
    fn new(now: Instant) -> Self {
        Self {
            window: Mutex::new(Window::new(now)),
            news: watch::Sender::new(()),
            moving: tokio::sync::Mutex::default(),
            start: AtomicU64::new(0),
            end: AtomicU64::new(0),
        }
    }

    /// Where it starts and ends, as far as is known; none until the broker was asked.
    pub(crate) fn known(&self) -> Option<(u64, u64)> {
        let start = self.start.load(Ordering::Acquire);
        (start > 0).then(|| (start, self.end.load(Ordering::Acquire)))
    }

    pub(crate) fn learn(&self, start: u64, end: u64) {
        self.raise_end(end);
        self.start.fetch_max(start, Ordering::AcqRel);
    }

    pub(crate) fn raise_end(&self, end: u64) {
        self.end.fetch_max(end, Ordering::AcqRel);
    }

    /// The broker has less than was known: it lost records.
    pub(crate) fn lower_end(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    /// To be taken before a look at the window, and waited for after it.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    pub(crate) fn take(&self, fetched: Vec<Entry>, end: Option<u64>, share: usize) -> Taken {
        let last = fetched.last().map_or(0, |entry| entry.offset);
        let taken = self.window.lock().take(fetched, share);
        if matches!(taken, Taken::In | Taken::InAndFull) {
            self.raise_end(end.unwrap_or(0).max(last));
            self.news.send_replace(());
        }
        taken
    }

    pub(crate) fn fail(&self, trouble: Trouble) {
        self.window.lock().fail(trouble);
        self.news.send_replace(());
    }

    /// Lets readers look again.
    pub(crate) fn wake(&self) {
        self.news.send_replace(());
    }
}
