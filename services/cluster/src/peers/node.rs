//! One node that is spoken to: its lanes, and what is asked of it.

use std::sync::Arc;

use parking_lot::Mutex;
use souk_proto::internal::v1::LinkRequest;
use tokio::time::Instant;
use tokio_util::sync::DropGuard;
use xxhash_rust::xxh3::xxh3_64;

use super::lane::{Lane, Laying};
use super::questions::Questions;
use crate::limits::IDLE;

#[derive(Debug)]
pub(super) struct Node {
    lanes: Vec<Arc<Lane>>,
    pub(super) questions: Questions,
    used: Mutex<Instant>,
    /// The lanes end with the node.
    _lanes_end: DropGuard,
}

impl Node {
    pub(super) fn new(lanes: usize, laying: &Laying) -> Self {
        Self {
            lanes: (0..lanes).map(|number| Lane::new(number, laying)).collect(),
            questions: Questions::new(laying.target.clone()),
            used: Mutex::new(Instant::now()),
            _lanes_end: laying.ends.clone().drop_guard(),
        }
    }

    pub(super) fn tell(&self, message: LinkRequest) -> bool {
        let lane = xxh3_64(message.from.as_bytes()) % self.lanes.len() as u64;
        self.lanes[lane as usize].tell(message)
    }

    pub(super) fn touch(&self) {
        *self.used.lock() = Instant::now();
    }

    pub(super) fn used(&self) -> Instant {
        *self.used.lock()
    }

    /// Whether it may be forgotten. While anybody here watches, a node that hears of it stays.
    pub(super) fn is_idle(&self, watched: bool) -> bool {
        let heard = watched && self.lanes.iter().any(|lane| lane.is_open());
        !heard && !self.questions.are_open() && self.used().elapsed() >= IDLE
    }
}
