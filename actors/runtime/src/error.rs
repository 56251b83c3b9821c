//! Why the runtime could not do what it was asked. The API makes a status of it, in one place.

use std::time::Duration;

use souk_model::actor::StateError;
use souk_model::journal::ShardId;
use souk_model::settings::SettingsErrors;
use souk_model::verdict::Refusal;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The request itself: its reason decides the code.
    #[error("{0}")]
    Refused(Refusal),
    #[error("metric {name:?} is not declared")]
    MetricUnknown { name: String, near: Vec<String> },
    #[error("metric {metric} keeps no such {what}; it keeps {}", declared.join(", "))]
    NotDeclared { metric: String, what: Undeclared, declared: Vec<String> },
    #[error("settings: {0}")]
    Settings(SettingsErrors),
    #[error("nobody serves {shard} at the moment")]
    ShardMoving { shard: ShardId },
    #[error("the runtime could not start: {0}")]
    Start(String),
    #[error("the node is draining")]
    Draining,
    #[error("{shard} stands at {at}, not yet at {wanted}")]
    PositionNotReached { shard: ShardId, at: u64, wanted: u64 },
    #[error("the node has no credit left to admit more")]
    Overloaded { retry_after: Duration },
    #[error("the journal has no room left")]
    JournalFull,
    #[error("the journal does not answer")]
    JournalUnavailable,
    #[error("the store does not answer")]
    StoreUnavailable,
    #[error("whether it was written is not known")]
    OutcomeUnknown,
    #[error("state cannot be read: {0}")]
    State(#[from] StateError),
}

/// What a metric does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeclared {
    Window,
    KeySet,
    RankedMeasure,
}

impl std::fmt::Display for Undeclared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Window => "window",
            Self::KeySet => "key set",
            Self::RankedMeasure => "order",
        })
    }
}
