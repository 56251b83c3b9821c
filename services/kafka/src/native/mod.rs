//! What rdkafka does not wrap: taking messages in batches, the end of a partition as the last fetch told it, a topic's identity,
//! whether a record that failed had left, where the log of such a consumer goes, and brokers added later. The only unsafe code of the project;
//! everything it hands out is safe to use.
#![allow(unsafe_code, reason = "calls into librdkafka, each with the reason it is sound")]

mod batch;
mod brokers;
mod identity;
mod log;
mod status;

pub use batch::{Batches, Message, end_heard};
pub(crate) use brokers::add_brokers;
pub use identity::topic_id;
pub use log::log_to_tracing;
pub use status::{end_producer, never_left};
