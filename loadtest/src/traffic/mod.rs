//! Traffic: what a shop's visitors do, as `souk.v1` events. Seeded: the same seed and times give the same events.
//!
//! A [`Shop`] makes events one by one, with what is meant to become of each; [`batch`] encodes them for the wire, and [`pool`] keeps
//! encoded ones of which a running sender changes only ids and times.

pub mod batch;
mod misfit;
pub mod pool;
mod range;
pub mod scenario;
mod shop;
mod visit;

pub use range::{Product, Range};
pub use scenario::Scenario;
pub use shop::{SETTLED_BETWEEN, Shop};
use souk_proto::v1;

/// One event with what is meant to become of it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub event: v1::Event,
    pub meant: Meant,
}

/// What is to become of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    Counted,
    /// Sent before, word for word.
    Duplicate,
    /// Too late for every metric.
    Late,
    Rejected,
}

impl Sent {
    /// Whose order must be kept: the user, else the session's guest, else the event stands alone.
    pub fn actor(&self) -> String {
        actor(&self.event).unwrap_or_else(|| self.event.event_id.clone())
    }
}

/// The person an event is about, as Souk tells people apart; none for a keyless event.
pub fn actor(event: &v1::Event) -> Option<String> {
    if !event.user_id.is_empty() {
        return Some(event.user_id.clone());
    }
    (!event.session_id.is_empty()).then(|| format!("guest:{}", event.session_id))
}
