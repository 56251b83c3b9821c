//! What became of requests, in the log: that a server is away is said once, not every time.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

use souk_model::owner::Unavailable;

#[derive(Debug)]
pub(super) struct Reach {
    /// Whom it is about.
    nodes: String,
    /// The last request got no answer.
    away: AtomicBool,
}

impl Reach {
    pub(super) fn new(nodes: String) -> Self {
        Self { nodes, away: AtomicBool::new(false) }
    }

    pub(super) fn heard<T, E: Display>(&self, answer: Result<T, E>) -> Result<T, Unavailable> {
        let was_away = self.away.swap(answer.is_err(), Ordering::Relaxed);
        answer.map_err(|error| {
            let nodes = &self.nodes;
            if was_away {
                tracing::debug!(nodes, %error, "a request to the tables failed");
            } else {
                tracing::warn!(nodes, %error, "a request to the tables failed; further ones are logged as debug");
            }
            Unavailable
        })
    }
}
