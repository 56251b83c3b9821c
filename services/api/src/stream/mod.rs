//! The one contract of all watches, written once: `SNAPSHOT* SNAPSHOT_END (DELTA | DELETE | BOOKMARK | LAGGED)* GO_AWAY`.
//!
//! A frame's way: the hub encodes a changed row once → a [`Subscription`](souk_runtime::watch::Subscription) hands it to each of its
//! readers → [`writer`] gives it the reader's own head ([`frame`]: kind, resume [`token`], worth) → a channel of a few frames → tonic. A
//! reader that does not read holds the writer, and what changes meanwhile is merged in the hub, not queued here.

mod frame;
mod options;
#[cfg(test)]
mod tests;
mod token;
mod writer;

pub(crate) use options::Options;
pub(crate) use token::{Binding, Resumed};
pub(crate) use writer::{Events, Frames, write};
