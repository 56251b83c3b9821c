//! What all of a node's Kafka clients have in common, whatever they are for: how they are set up (`client`), what becomes of what they say
//! (`voice`), how one that has lost every broker finds them again (`knock`), and what rdkafka does not wrap (`native`, the only unsafe code
//! of the project).

mod client;
mod knock;
pub mod limits;
mod native;
mod voice;

pub use client::{client, is_open_to_callers};
pub use knock::Knock;
pub use native::{Batches, Message, end_heard, end_producer, log_to_tracing, never_left, topic_id};
pub use voice::{Voice, is_news, listen};
