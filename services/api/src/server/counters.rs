//! What can be seen of the server from outside.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counted since the server started.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) connections_open: AtomicU64,
    pub(super) connections_refused: AtomicU64,
    pub(super) calls: AtomicU64,
    pub(super) streams: AtomicU64,
    pub(super) streams_open: AtomicU64,
    pub(super) shed: AtomicU64,
    pub(super) panics: AtomicU64,
}

/// The counters as they stood at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    pub connections: u64,
    pub connections_open: u64,
    /// Closed unanswered, for a cap or for silence.
    pub connections_refused: u64,
    /// Unary calls that were let in.
    pub calls: u64,
    /// Streams that were let in.
    pub streams: u64,
    pub streams_open: u64,
    /// Calls and streams turned away for want of room.
    pub shed: u64,
    pub panics: u64,
}

impl Counters {
    pub fn figures(&self) -> Figures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            connections: of(&self.connections),
            connections_open: of(&self.connections_open),
            connections_refused: of(&self.connections_refused),
            calls: of(&self.calls),
            streams: of(&self.streams),
            streams_open: of(&self.streams_open),
            shed: of(&self.shed),
            panics: of(&self.panics),
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
