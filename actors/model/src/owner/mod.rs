//! The owner of a shard as a pure protocol: takeover, replay, live folding, ticks, cuts, tally exchange, re-sends.
//! It says what it wants done ([`Effect`]); a shell does it and tells it what came of it ([`Input`]), `Unknown` included.

pub mod effect;
pub mod fold;
pub mod input;

pub use effect::{AppendKey, CrashPoint, Effect, PeerMessage, StopReason, Tag};
pub use fold::Fold;
pub use input::{AppendOutcome, CasOutcome, Ends, Entries, Input, Unavailable, WriteOutcome};
