//! What can keep a node from joining the others.

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{option}: {why}")]
    Option { option: String, why: String },

    /// The client library refuses what it was told.
    #[error("the Kafka client cannot be made: {why}")]
    Client { why: String },

    #[error("no Kafka broker at {brokers} answered within {} s: {why}", .waited.as_secs())]
    NoBroker { brokers: String, waited: Duration, why: String },

    #[error("there is no topic {topic}: have it made with `souk migrate`")]
    NoTopic { topic: String },

    #[error(
        "the topic {topic} has {has} partitions and needs {needs}, one per shard: name another topic, or remove this one (it holds nothing) and run `souk migrate`"
    )]
    Partitions { topic: String, has: usize, needs: usize },

    #[error("cannot {doing}: {why}")]
    Broker { doing: &'static str, why: String },

    #[error("cannot start the thread {name}: {source}")]
    Thread { name: &'static str, source: std::io::Error },

    #[error("cannot read {}: {source}", .path.display())]
    File { path: PathBuf, source: std::io::Error },

    #[error("TLS between nodes: {why}")]
    Tls { why: String },

    #[error("the port for other nodes: {why}")]
    Serve { why: String },
}

impl Error {
    pub(crate) fn option(option: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Option { option: option.into(), why: why.into() }
    }

    pub(crate) fn broker(doing: &'static str, why: impl ToString) -> Self {
        Self::Broker { doing, why: why.to_string() }
    }
}
