//! Configuration of a node: one struct, four layers (flags, environment, file, defaults), all problems said at once.
//!
//! `default.toml` is the one place where a key is described: its values are the defaults, its comments the reference
//! (`docs/configuration.md`), and a test keeps its keys and the fields of [`Config`] the same. Keys have two levels: `section.key`.

mod adopt;
mod bridge;
mod check;
mod defaults;
mod env;
mod file;
mod layers;
pub(crate) mod reference;
#[cfg(test)]
mod tests;
mod units;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use souk_model::journal::Partitions;

pub(crate) use bridge::Declared;
pub(crate) use defaults::TEXT as DEFAULT_TEXT;
pub(crate) use env::environment;
pub(crate) use layers::{Flag, Loaded, Origin, Sources, load};
pub(crate) use units::{Size, Span};

/// Everything a node may be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) node: Node,
    pub(crate) shards: Shards,
    pub(crate) listen: Listen,
    pub(crate) journal: Journal,
    pub(crate) kafka: Kafka,
    pub(crate) adopt: Adopt,
    pub(crate) bridge: Bridge,
    pub(crate) cassandra: Cassandra,
    pub(crate) redis: Redis,
    pub(crate) cluster: Cluster,
    pub(crate) limits: Limits,
    pub(crate) traffic: Traffic,
    pub(crate) log: Log,
    pub(crate) metrics: Metrics,
    pub(crate) otlp: Otlp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) memory_budget: Size,
    pub(crate) settings: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) drain_timeout: Span,
    pub(crate) drain_notice: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Clock {
    Live,
    History,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shards {
    pub(crate) users: u16,
    pub(crate) products: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listen {
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) web_origins: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) durability: Durability,
    pub(crate) interval: Span,
    pub(crate) keep: Span,
    pub(crate) keep_bytes: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    Fsync,
    Interval,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kafka {
    pub(crate) brokers: Vec<String>,
    pub(crate) users_topic: String,
    pub(crate) products_topic: String,
    pub(crate) members_topic: String,
    pub(crate) replicas: u16,
    pub(crate) in_sync: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adopt {
    pub(crate) format: String,
    pub(crate) partitioner: String,
    pub(crate) currency: String,
    pub(crate) start: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bridge {
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cassandra {
    pub(crate) nodes: Vec<String>,
    pub(crate) keyspace: String,
    pub(crate) replicas: u32,
    pub(crate) datacenter: String,
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    pub(crate) table_rows: usize,
    pub(crate) history: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    pub(crate) address: String,
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) listen: SocketAddr,
    pub(crate) advertise: String,
    pub(crate) group: String,
    pub(crate) tls_authority: PathBuf,
    pub(crate) tls_certificate: PathBuf,
    pub(crate) tls_key: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
    pub(crate) streams_per_connection: u32,
    pub(crate) calls: usize,
    pub(crate) streams: usize,
    pub(crate) deadline: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traffic {
    pub(crate) rate: u32,
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) histograms: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Otlp {
    pub(crate) endpoint: String,
    pub(crate) sample: f64,
}

impl Config {
    /// Whether journal and store are Kafka's and Cassandra's, so that other nodes share them.
    pub(crate) fn is_distributed(&self) -> bool {
        !self.kafka.brokers.is_empty()
    }

    /// The same for a node that keeps its own journal and store, and takes nothing from the topics of others.
    pub(crate) fn alone(mut self) -> Self {
        self.kafka.brokers.clear();
        self.cassandra.nodes.clear();
        self.bridge.files.clear();
        self
    }

    /// Partitions of both journals.
    pub(crate) fn partitions(&self) -> Partitions {
        Partitions { users: self.shards.users, products: self.shards.products }
    }
}
