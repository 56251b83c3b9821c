//! What must hold of a configuration beyond the kind of each value.

use std::path::Path;

use souk_model::settings::Settings;
use tracing_subscriber::EnvFilter;

use super::{Cassandra, Config, Listen, Node, Redis, Size, Span};
use crate::limits;

/// Every rule that does not hold: the key, and what is wanted of it.
pub(super) fn problems(config: &Config) -> Vec<(&'static str, String)> {
    let mut found = Found::default();
    found.of_node(config);
    found.of_services(config);
    found.of_limits(config);
    found.0
}

const NAME: &str = "wants 1 to 64 of A-Z a-z 0-9 . _ -";
pub(super) const TOPIC: &str = "wants 1 to 249 of A-Z a-z 0-9 . _ -";

#[derive(Default)]
struct Found(Vec<(&'static str, String)>);

impl Found {
    fn rule(&mut self, key: &'static str, holds: bool, wanted: &str) {
        if !holds {
            self.0.push((key, wanted.to_owned()));
        }
    }

    fn of_node(&mut self, config: &Config) {
        let Config { node, shards, journal, otlp, log, listen, traffic, .. } = config;
        let partitions = 1..=limits::PARTITIONS;
        self.rule("node.name", is_name(&node.name), NAME);
        self.rule("node.data_dir", !node.data_dir.as_os_str().is_empty(), "wants a folder");
        self.rule(
            "node.memory_budget",
            node.memory_budget >= limits::LEAST_MEMORY,
            &least(limits::LEAST_MEMORY),
        );
        self.rule("node.drain_timeout", longer_than_zero(node.drain_timeout), "wants more than nothing");
        let noticed = node.drain_notice < node.drain_timeout;
        self.rule("node.drain_notice", noticed, "wants less than node.drain_timeout");
        self.rule("shards.users", partitions.contains(&shards.users), "wants 1 to 1024");
        self.rule("shards.products", partitions.contains(&shards.products), "wants 1 to 1024");
        self.rule("journal.interval", longer_than_zero(journal.interval), "wants more than nothing");
        let least_kept = journal.keep_bytes >= limits::LEAST_JOURNAL;
        self.rule("journal.keep_bytes", least_kept, &least(limits::LEAST_JOURNAL));
        self.rule("traffic.rate", traffic.rate <= limits::TRAFFIC_RATE, "wants 0 to 100000");
        self.rule("otlp.sample", (0.0..=1.0).contains(&otlp.sample), "wants 0 to 1");
        self.rule("otlp.endpoint", is_endpoint(&otlp.endpoint), "wants http://HOST:PORT");
        self.rule("listen.metrics", differs(listen), "is the address of gRPC; it wants one of its own");
        let origins = listen.web_origins.iter().all(|origin| is_origin(origin));
        self.rule("listen.web_origins", origins, "wants scheme://host");
        if let Err(error) = EnvFilter::builder().parse(&log.level) {
            self.0.push(("log.level", format!("is no filter: {error}")));
        }
        self.0.extend(settings(node).into_iter().map(|message| ("node.settings", message)));
    }

    /// Kafka, Cassandra, and the other nodes.
    fn of_services(&mut self, config: &Config) {
        let Config { kafka, cassandra, redis, cluster, .. } = config;
        let addresses = |all: &[String]| all.iter().all(|address| is_address(address));
        self.rule("kafka.brokers", addresses(&kafka.brokers), "wants host:port, each");
        let both = kafka.brokers.is_empty() == cassandra.nodes.is_empty();
        self.rule("kafka.brokers", both || kafka.brokers.is_empty(), "wants cassandra.nodes beside it");
        for (key, topic, others) in [
            ("kafka.users_topic", &kafka.users_topic, [&kafka.products_topic, &kafka.members_topic]),
            ("kafka.products_topic", &kafka.products_topic, [&kafka.users_topic, &kafka.members_topic]),
            ("kafka.members_topic", &kafka.members_topic, [&kafka.users_topic, &kafka.products_topic]),
        ] {
            self.rule(key, is_topic(topic), TOPIC);
            self.rule(key, !others.contains(&topic), "wants a topic of its own");
        }
        self.rule("kafka.replicas", kafka.replicas > 0, "wants at least 1");
        self.rule(
            "kafka.in_sync",
            (1..=kafka.replicas).contains(&kafka.in_sync),
            "wants 1 to kafka.replicas",
        );
        let adoption = config.adopt.adoption();
        let shared = !matches!(&adoption, Ok(Some(_))) || !kafka.brokers.is_empty();
        self.rule("adopt.format", shared, "wants kafka.brokers: a topic is adopted");
        self.0.extend(adoption.err());
        let bridges = config.bridges().err().into_iter().flatten();
        self.0.extend(bridges.map(|problem| ("bridge.files", problem.to_string())));
        self.rule("cassandra.nodes", addresses(&cassandra.nodes), "wants host:port, each");
        self.rule("cassandra.nodes", both || cassandra.nodes.is_empty(), "wants kafka.brokers beside it");
        self.rule("cassandra.replicas", cassandra.replicas > 0, "wants at least 1");
        if let Err(error) = cassandra.password() {
            let path = cassandra.password_file.display();
            self.0.push(("cassandra.password_file", format!("{path}: {error}")));
        }
        let in_bounds = cassandra.table_rows <= limits::TABLE_ROWS;
        self.rule("cassandra.table_rows", in_bounds, "wants 0 to 100000");
        let has_server = cassandra.history.is_empty() || !cassandra.nodes.is_empty();
        self.rule("cassandra.history", has_server, "wants cassandra.nodes: it is kept there");
        self.rule("redis.address", redis.address.is_empty() || is_address(&redis.address), "wants host:port");
        if let Err(error) = redis.password() {
            self.0.push(("redis.password_file", format!("{}: {error}", redis.password_file.display())));
        }
        let told = cluster.advertise.is_empty() || is_address(&cluster.advertise);
        self.rule("cluster.advertise", told, "wants host:port");
        let leads_here = !cluster.advertise.is_empty() || !cluster.listen.ip().is_unspecified();
        self.rule("cluster.advertise", leads_here, "is wanted: cluster.listen is every address there is");
        self.rule("cluster.group", is_name(&cluster.group), NAME);
        let given = [&cluster.tls_authority, &cluster.tls_certificate, &cluster.tls_key];
        let named = given.iter().filter(|path| !path.as_os_str().is_empty()).count();
        let all = named == 0 || named == given.len();
        self.rule(
            "cluster.tls_certificate",
            all,
            "wants cluster.tls_authority and cluster.tls_key, all or none",
        );
    }

    fn of_limits(&mut self, config: &Config) {
        let limits = &config.limits;
        for (key, bound) in [
            ("limits.connections", limits.connections),
            ("limits.connections_per_address", limits.connections_per_address),
            ("limits.streams_per_connection", limits.streams_per_connection as usize),
            ("limits.calls", limits.calls),
            ("limits.streams", limits.streams),
        ] {
            self.rule(key, bound > 0, "wants at least 1");
        }
        self.rule("limits.deadline", longer_than_zero(limits.deadline), "wants more than nothing");
    }
}

fn longer_than_zero(span: Span) -> bool {
    !span.0.is_zero()
}

fn is_name(name: &str) -> bool {
    is_name_of(name, 64)
}

/// What Kafka takes for a topic's name.
pub(super) fn is_topic(name: &str) -> bool {
    is_name_of(name, 249)
}

fn is_name_of(name: &str, most: usize) -> bool {
    let ours = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=most).contains(&name.len()) && name.chars().all(ours) && name != "." && name != ".."
}

/// `host:port`.
pub(super) fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let port = parts.and_then(|(_, port)| port.parse::<u16>().ok());
    port.is_some_and(|port| port > 0) && !text.contains([',', '/', ' '])
}

fn least(size: Size) -> String {
    format!("wants at least {size}")
}

fn is_endpoint(text: &str) -> bool {
    let host = |uri: http::Uri| uri.scheme_str() == Some("http") && uri.host().is_some();
    text.is_empty() || text.parse().is_ok_and(host)
}

fn is_origin(text: &str) -> bool {
    let origin = |uri: http::Uri| {
        uri.scheme().is_some() && uri.host().is_some() && uri.path() == "/" && !text.ends_with('/')
    };
    text == "*" || text.parse().is_ok_and(origin)
}

fn differs(listen: &Listen) -> bool {
    listen.metrics != listen.grpc || listen.grpc.port() == 0
}

/// Everything wrong with the settings file: it is proposed at the start, and would be refused then.
fn settings(node: &Node) -> Vec<String> {
    if node.settings.as_os_str().is_empty() {
        return Vec::new();
    }
    let text = match text_of(&node.settings) {
        Ok(text) => text,
        Err(error) => return vec![format!("{}: {error}", node.settings.display())],
    };
    match Settings::layered(&text) {
        Ok(_) => Vec::new(),
        Err(errors) => {
            errors.0.iter().map(|problem| format!("{}: {problem}", node.settings.display())).collect()
        }
    }
}

/// Reads a file that is named; no name, no text.
fn text_of(path: &Path) -> std::io::Result<String> {
    if path.as_os_str().is_empty() { Ok(String::new()) } else { std::fs::read_to_string(path) }
}

impl Config {
    /// Text of the settings file.
    pub(crate) fn settings_text(&self) -> std::io::Result<String> {
        text_of(&self.node.settings)
    }
}

impl Cassandra {
    /// The password of `user`, without the line's end; no file, no password.
    pub(crate) fn password(&self) -> std::io::Result<String> {
        secret_of(&self.password_file)
    }
}

impl Redis {
    /// The password, without the line's end; no file, no password.
    pub(crate) fn password(&self) -> std::io::Result<String> {
        secret_of(&self.password_file)
    }
}

fn secret_of(path: &Path) -> std::io::Result<String> {
    Ok(text_of(path)?.trim_end_matches(['\r', '\n']).to_owned())
}
