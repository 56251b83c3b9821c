//! Intake: validates events as they came, gives ids to those without, stamps what the fold may not look up, and appends them to the
//! journals. The first station of a record's way.

mod events;
mod known;
mod order;
mod record;
mod stamps;

use bytes::Bytes;
use souk_model::verdict::Refusal;

use crate::Position;

pub(crate) use events::{EventIds, publish, validate};
pub(crate) use known::KnownStamps;
pub use order::Order;
pub(crate) use stamps::stamp;

/// A batch of events as bytes of `souk.v1.Event`.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    pub events: Vec<Bytes>,
    /// The shop of events that name none.
    pub shop: String,
    pub level: Level,
    /// Whose batches go into the journals one after the other. One of its own, if it stands behind no other.
    pub order: Order,
    /// Whether [`Outcome::event_id`] is wanted of every event; else only of those with a problem.
    pub with_ids: bool,
}

/// When a publisher wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Durable in the journal.
    #[default]
    Logged,
    /// Judged by the fold.
    Applied,
}

/// What became of a batch: one outcome per event, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Published {
    pub outcomes: Vec<Outcome>,
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The caller's id, or the one it was given. Empty where it was not asked for.
    pub event_id: String,
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// In the journal, not judged yet.
    Accepted,
    Counted,
    Duplicate,
    Late,
    /// The refusal's field is relative to the event.
    Rejected(Refusal),
}
