//! The runtime: ractor shells around the pure core. One shard actor per partition carries its [`souk_model::owner::Owner`], does what it
//! wants done through the [`ports`], and shares its state for reads.
//!
//! A record's way: [`intake`] validates, stamps and appends → the shard's actor reads it back and folds it → outputs go to whoever waits
//! for a verdict, to the shard actors of products (tallies), and to the [`watch`] hub. A read locks a shard's state and copies out; it
//! never queues behind a fold longer than a slice. What views show of the series is written beside all that, by `publish`, and
//! records are kept as rows by `history`.

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod error;
mod far;
pub mod history;
pub mod intake;
pub mod limits;
pub mod observe;
pub mod ports;
pub mod position;
mod publish;
pub mod read;
pub mod runtime;
mod shard;
pub mod watch;

pub use error::Error;
pub use position::Position;
pub use runtime::{Config, Ports, Runtime};
