//! The writer's thread: everything that is queued becomes one frame, at once; nobody waits for company.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::limits::RETENTION_EVERY;
use crate::log::Log;
use crate::options::Durability;
use crate::request::Request;

/// Runs until the queue's other end is gone, then leaves the log synced.
pub(crate) fn run(mut log: Log, queue: &Receiver<Request>, durability: Durability) {
    let mut chores = Chores::new(durability);
    let mut batch = VecDeque::new();
    loop {
        match queue.recv_timeout(chores.next(&log)) {
            Ok(request) => batch.push_back(request),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return log.close(),
        }
        // What is admitted to the queue is bounded in bytes, and so is the batch.
        batch.extend(queue.try_iter());
        while !batch.is_empty() {
            log.commit(&mut batch);
            chores.due(&mut log);
            batch.extend(queue.try_iter());
        }
        chores.due(&mut log);
    }
}

/// What the writer does by the clock.
#[derive(Debug)]
struct Chores {
    /// None: every frame is synced as it is written.
    sync_every: Option<Duration>,
    synced_at: Instant,
    retained_at: Instant,
}

impl Chores {
    fn new(durability: Durability) -> Self {
        let sync_every = match durability {
            Durability::Fsync => None,
            Durability::Interval(every) => Some(every),
        };
        Self { sync_every, synced_at: now(), retained_at: now() }
    }

    /// How long the writer may sleep.
    fn next(&self, log: &Log) -> Duration {
        let retention = RETENTION_EVERY.saturating_sub(self.retained_at.elapsed());
        match self.sync_every {
            Some(every) if !log.is_synced() => every.saturating_sub(self.synced_at.elapsed()).min(retention),
            _ => retention,
        }
    }

    fn due(&mut self, log: &mut Log) {
        if self.sync_every.is_some_and(|every| !log.is_synced() && self.synced_at.elapsed() >= every) {
            log.sync_now();
            self.synced_at = now();
        }
        if self.retained_at.elapsed() >= RETENTION_EVERY {
            log.retain();
            self.retained_at = now();
        }
    }
}

/// Paces a thread that lives outside any runtime; no time that is stored comes from here.
#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}
