//! Where the brokers are, and how clients of the group of nodes are set up.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;

use crate::Error;

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

impl Brokers {
    pub fn new(addresses: Vec<String>) -> Self {
        Self { addresses, client_id: "souk".to_owned(), properties: BTreeMap::new() }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.addresses.is_empty() {
            return Err(Error::option("brokers", "name one at least, as host:port"));
        }
        match self.properties.keys().find(|key| !souk_kafka::is_open_to_callers(key)) {
            Some(key) => Err(Error::option(format!("properties.{key}"), "the node sets this itself")),
            None => Ok(()),
        }
    }

    pub(crate) fn list(&self) -> String {
        self.addresses.join(",")
    }

    /// What all clients have in common.
    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = souk_kafka::client(&self.list(), &self.client_id, &self.properties);
        config.set("allow.auto.create.topics", "false");
        config
    }
}

pub(crate) fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}
