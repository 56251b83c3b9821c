//! What a journal on Kafka is told when it is opened.

use std::collections::BTreeMap;
use std::time::Duration;

use souk_model::journal::Partitions;

use crate::Error;
use crate::adopt::Adoption;
use crate::limits::{APPEND_TIMEOUT, LEAST_APPEND_TIMEOUT, MOST_APPEND_TIMEOUT, OPEN_PATIENCE, PARTITIONS};

#[derive(Debug, Clone)]
pub struct Options {
    /// Addresses to begin with, as `host:port`.
    pub brokers: Vec<String>,
    pub topics: Topics,
    /// Fixed for the life of the topics.
    pub partitions: Partitions,
    /// The users topic is others', and is read in place. None: it holds nothing but our records.
    pub adopted: Option<Adoption>,
    /// Name by which brokers' logs and quotas know this node.
    pub client_id: String,
    /// Security and network settings of librdkafka, by its names: `security.*`, `sasl.*`, `ssl.*`, `socket.*`, `broker.address.*`, `client.rack`.
    /// All others are the journal's own, for its promises hang on them.
    pub properties: BTreeMap<String, String>,
    /// How long a record may be under way before its outcome is `Unknown`.
    pub append_timeout: Duration,
    /// How long `open` waits for a broker: one that is just starting is waited for.
    pub patience: Duration,
}

/// Names of the two topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    pub users: String,
    pub products: String,
}

/// Longest name of a topic that Kafka takes.
const TOPIC_NAME: usize = 249;

impl Options {
    /// The defaults: 10 s for an append, and 10 s for a broker to answer when it opens.
    pub fn new(brokers: Vec<String>, topics: Topics, partitions: Partitions) -> Self {
        Self {
            brokers,
            topics,
            partitions,
            adopted: None,
            client_id: "souk".to_owned(),
            properties: BTreeMap::new(),
            append_timeout: APPEND_TIMEOUT,
            patience: OPEN_PATIENCE,
        }
    }

    /// What is wrong in itself, found without asking anybody.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_brokers(&self.brokers)?;
        check_topic("topics.users", &self.topics.users)?;
        check_topic("topics.products", &self.topics.products)?;
        if self.topics.users == self.topics.products {
            return Err(wrong("topics", "users and products need a topic each"));
        }
        let counts = 1..=PARTITIONS;
        if !counts.contains(&self.partitions.users) || !counts.contains(&self.partitions.products) {
            return Err(wrong("partitions", format!("must be 1 to {PARTITIONS} each")));
        }
        if !(LEAST_APPEND_TIMEOUT..=MOST_APPEND_TIMEOUT).contains(&self.append_timeout) {
            let why = format!("must be {LEAST_APPEND_TIMEOUT:?} to {MOST_APPEND_TIMEOUT:?}");
            return Err(wrong("append_timeout", why));
        }
        check_properties(&self.properties)
    }

    pub(crate) fn addresses(&self) -> String {
        self.brokers.join(",")
    }
}

fn wrong(option: impl Into<String>, why: impl Into<String>) -> Error {
    Error::Option { option: option.into(), why: why.into() }
}

pub(crate) fn check_brokers(brokers: &[String]) -> Result<(), Error> {
    if brokers.is_empty() {
        return Err(wrong("brokers", "name one at least, as host:port"));
    }
    brokers.iter().try_for_each(|broker| check_address(broker))
}

pub(crate) fn check_properties(properties: &BTreeMap<String, String>) -> Result<(), Error> {
    match properties.keys().find(|key| !souk_kafka::is_open_to_callers(key)) {
        Some(key) => Err(wrong(format!("properties.{key}"), "the journal sets this itself")),
        None => Ok(()),
    }
}

fn check_address(address: &str) -> Result<(), Error> {
    let port =
        address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(port)) if port > 0 && !address.contains([',', '/', ' ']) => Ok(()),
        _ => Err(wrong("brokers", format!("`{address}` is not host:port"))),
    }
}

pub(crate) fn check_topic(option: &str, name: &str) -> Result<(), Error> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > TOPIC_NAME || name == "." || name == ".." || !name.bytes().all(legal) {
        return Err(wrong(
            option,
            format!("`{name}` is not a topic's name: 1 to {TOPIC_NAME} of A-Z a-z 0-9 . _ -"),
        ));
    }
    Ok(())
}
