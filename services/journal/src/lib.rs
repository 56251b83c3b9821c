//! The embedded journal: one physical log per node for all partitions of both journals.
//!
//! An append's way: [`EmbeddedJournal`] queues it → the writer's thread (`writer`, `log`) takes all that is queued, places it in one
//! frame (`build`, `frame`), writes and syncs it → shows it to readers (`visible`) and answers. A read finds the newest entries in
//! memory (`tail`), older ones in the segment files (`segment`, `blocks`). A start finds the log's end and refuses losses (`recover`).
//!
//! What an answer means is [`Durability`]. When a write or a sync fails so that nobody knows what the disk holds, nothing is answered as
//! durable any more and [`OnFatal`] is called. A full disk is no such failure: appends are refused until there is room again.

mod blocks;
mod build;
mod disk;
mod error;
mod frame;
mod journal;
mod layout;
pub mod limits;
mod log;
mod meta;
mod open;
mod options;
mod recover;
mod request;
mod segment;
mod tail;
#[cfg(test)]
mod tests;
mod visible;
mod writer;

pub use error::Error;
pub use frame::Flaw;
pub use journal::{EmbeddedJournal, Footprint};
pub use options::{Check, ClockKind, Durability, OnFatal, Options, Retention};
