//! What must hold of a configuration beyond the kind of each value.

use std::path::Path;

use souk_model::settings::Settings;
use tracing_subscriber::EnvFilter;

use super::{Config, Listen, Node, Size, Span};
use crate::limits;

/// Every rule that does not hold: the key, and what is wanted of it.
pub(super) fn problems(config: &Config) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut rule = |key: &'static str, holds: bool, wanted: &str| {
        if !holds {
            found.push((key, wanted.to_owned()));
        }
    };
    let Config { node, shards, journal, limits, otlp, log, listen, traffic, metrics: _ } = config;
    let partitions = 1..=limits::PARTITIONS;
    let longer_than_zero = |span: Span| !span.0.is_zero();

    rule("node.name", is_name(&node.name), "wants 1 to 64 of A-Z a-z 0-9 . _ -");
    rule("node.data_dir", !node.data_dir.as_os_str().is_empty(), "wants a folder");
    rule("node.memory_budget", node.memory_budget >= limits::LEAST_MEMORY, &least(limits::LEAST_MEMORY));
    rule("node.drain_timeout", longer_than_zero(node.drain_timeout), "wants more than nothing");
    rule("node.drain_notice", node.drain_notice < node.drain_timeout, "wants less than node.drain_timeout");
    rule("shards.users", partitions.contains(&shards.users), "wants 1 to 1024");
    rule("shards.products", partitions.contains(&shards.products), "wants 1 to 1024");
    rule("journal.interval", longer_than_zero(journal.interval), "wants more than nothing");
    rule("journal.keep_bytes", journal.keep_bytes >= limits::LEAST_JOURNAL, &least(limits::LEAST_JOURNAL));
    rule("limits.connections", limits.connections > 0, "wants at least 1");
    rule("limits.connections_per_address", limits.connections_per_address > 0, "wants at least 1");
    rule("limits.streams_per_connection", limits.streams_per_connection > 0, "wants at least 1");
    rule("limits.calls", limits.calls > 0, "wants at least 1");
    rule("limits.streams", limits.streams > 0, "wants at least 1");
    rule("limits.deadline", longer_than_zero(limits.deadline), "wants more than nothing");
    rule("traffic.rate", traffic.rate <= limits::TRAFFIC_RATE, "wants 0 to 100000");
    rule("otlp.sample", (0.0..=1.0).contains(&otlp.sample), "wants 0 to 1");
    rule("otlp.endpoint", is_endpoint(&otlp.endpoint), "wants http://HOST:PORT");
    rule("listen.metrics", differs(listen), "is the address of gRPC; it wants one of its own");
    rule(
        "listen.web_origins",
        listen.web_origins.iter().all(|origin| is_origin(origin)),
        "wants scheme://host",
    );

    if let Err(error) = EnvFilter::builder().parse(&log.level) {
        found.push(("log.level", format!("is no filter: {error}")));
    }
    found.extend(settings(node).into_iter().map(|message| ("node.settings", message)));
    found
}

fn is_name(name: &str) -> bool {
    let ours = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(ours)
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
    let text = match settings_text(&node.settings) {
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

/// Reads a settings file; no file, no text.
pub(super) fn settings_text(path: &Path) -> std::io::Result<String> {
    if path.as_os_str().is_empty() { Ok(String::new()) } else { std::fs::read_to_string(path) }
}

impl Config {
    /// Text of the settings file.
    pub(crate) fn settings_text(&self) -> std::io::Result<String> {
        settings_text(&self.node.settings)
    }
}
