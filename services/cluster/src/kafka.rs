//! Where the brokers are, how their clients are set up, and what those say.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use tokio::time::Instant;

use crate::Error;
use crate::limits::{QUIET, SAID_LINES};

/// Where the brokers are.
#[derive(Debug, Clone)]
pub struct Brokers {
    /// Addresses to begin with, as `host:port`.
    pub addresses: Vec<String>,
    /// Name by which brokers' logs and quotas know this node.
    pub client_id: String,
    /// Security and network settings of librdkafka, by its names, as the journal on Kafka takes them.
    pub properties: BTreeMap<String, String>,
}

/// What a caller may set; all by prefix.
const OPEN_TO_CALLERS: [&str; 6] =
    ["security.", "sasl.", "ssl.", "socket.", "broker.address.", "client.rack"];

impl Brokers {
    pub fn new(addresses: Vec<String>) -> Self {
        Self { addresses, client_id: "souk".to_owned(), properties: BTreeMap::new() }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.addresses.is_empty() {
            return Err(Error::option("brokers", "name one at least, as host:port"));
        }
        let own = |key: &&String| !OPEN_TO_CALLERS.iter().any(|open| key.starts_with(open));
        match self.properties.keys().find(own) {
            Some(key) => Err(Error::option(format!("properties.{key}"), "the node sets this itself")),
            None => Ok(()),
        }
    }

    pub(crate) fn list(&self) -> String {
        self.addresses.join(",")
    }

    /// What all clients have in common.
    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config
            .set("bootstrap.servers", self.list())
            .set("client.id", &self.client_id)
            .set("allow.auto.create.topics", "false")
            // A broker that restarts is back within seconds: look for it more often than every ten.
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "1000")
            .set_log_level(RDKafkaLogLevel::Info);
        config
    }
}

pub(crate) fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

/// Listens to what a client says of itself.
#[derive(Debug, Default)]
pub(crate) struct Voice(Mutex<VecDeque<(String, Instant)>>);

impl Voice {
    /// Whether a text was not said of late: while brokers are away the client says the same many times a second.
    pub(crate) fn is_news(&self, text: &str) -> bool {
        let now = Instant::now();
        let mut said = self.0.lock();
        if said.iter().any(|(other, at)| other == text && now.duration_since(*at) < QUIET) {
            return false;
        }
        said.retain(|(other, _)| other != text);
        said.push_back((text.to_owned(), now));
        if said.len() > SAID_LINES {
            said.pop_front();
        }
        true
    }
}

impl ClientContext for Voice {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        use RDKafkaLogLevel as Level;
        if !self.is_news(text) {
            return;
        }
        match level {
            Level::Emerg | Level::Alert | Level::Critical => tracing::error!(facility, "{text}"),
            Level::Error | Level::Warning => tracing::warn!(facility, "{text}"),
            Level::Notice | Level::Info => tracing::info!(facility, "{text}"),
            Level::Debug => tracing::debug!(facility, "{text}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if self.is_news(reason) {
            tracing::warn!(%error, reason, "the Kafka client reports");
        }
    }
}

impl ConsumerContext for Voice {}
