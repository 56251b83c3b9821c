//! What rdkafka does not wrap: taking messages in batches, the end of a partition as the last fetch told it, a topic's identity,
//! whether a record that failed had left, and where the log of such a consumer goes. The only unsafe code of the project; everything it hands out is safe to use.
#![allow(unsafe_code, reason = "calls into librdkafka, each with the reason it is sound")]

mod batch;
mod identity;
mod log;
mod status;

pub(crate) use batch::{Batches, Message, end_heard};
pub(crate) use identity::topic_id;
pub(crate) use log::log_to_tracing;
#[cfg(test)]
pub(crate) use status::end_producer;
pub(crate) use status::never_left;
