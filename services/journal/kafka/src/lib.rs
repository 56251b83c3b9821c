//! The journal on Kafka: two topics, `users` and `products`, one partition per shard.
//!
//! An append's way: [`KafkaJournal`] admits it → the producer (`produce`) hands each record to librdkafka with the partition it belongs to →
//! the broker's acknowledgement, with offset and append time, fills its place in the answer (`pending`). A read looks into the partition's
//! `window`; what is not there is fetched: `fetch` is one thread with one consumer, which is assigned exactly the partitions that are being
//! read, from exactly the offset asked for. No consumer group, no committed offset: where a shard stands is in its manifest. `desk` asks the
//! broker questions; `watchdog` looks after partitions that stand still and topics that were made anew; `prepare` makes and checks topics.
//!
//! **Offsets.** The port counts from 1, Kafka from 0: port = Kafka + 1, and a partition's end is its high watermark. An acknowledged record
//! keeps its offset for ever. Appends here leave no gaps: no transactions (whose markers take offsets), no compaction (`prepare` and `open`
//! refuse a topic that compacts), and a batch that the broker refused takes none. Where a partition starts moves as retention takes its
//! oldest records; a read from before that gives the entries after it, as the port says. Should somebody else have written with
//! transactions, a gap is real: it is believed once a second fetch from the same place shows it too, and shown as it is, for owners know gaps.
//!
//! **Order.** Records of one append and of appends one after the other keep their order within a partition: one idempotent producer, at most five
//! batches under way. A record whose outcome is `Unknown` or refused may be missing between two that are there.
//!
//! **Append times** are the broker's (`LogAppendTime`), as the delivery report tells them and as every reader sees them.
//!
//! **Topics of others.** The users topic can be one of them, whose messages are read in place: `adopt`. Any other is brought over: `bridge`.
//!
//! **Release** takes nothing: others may read the topic from its beginning (a replay, a second generation), so only time takes records, and
//! `prepare` holds that time to a week at least.

mod adopt;
mod bridge;
mod desk;
mod error;
mod fetch;
mod identity;
mod journal;
mod layout;
pub mod limits;
mod options;
mod orders;
mod partition;
mod pending;
mod prepare;
mod produce;
mod read;
mod sample;
mod sender;
mod settings;
#[cfg(test)]
mod tests;
mod watchdog;
mod window;

pub use adopt::{Adoption, Start};
pub use bridge::{Bridge, BridgeCounts, BridgeOptions, BridgePorts, Catalogue};
pub use error::{Difference, Error};
pub use journal::KafkaJournal;
pub use options::{Options, Topics};
pub use prepare::{Wanted, prepare};
pub use sender::{Sender, SenderOptions};
