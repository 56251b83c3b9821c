//! The clock of a node. Used for waiting, for the append times an embedded journal gives, and for ages shown to people; the fold
//! never reads it.

use std::fmt::Debug;

use souk_model::time::Millis;

pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since the Unix epoch. May step back.
    fn now(&self) -> Millis;
}
