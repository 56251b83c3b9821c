//! The API's server, as the configuration has it.

use std::sync::Arc;
use std::time::Duration;

use souk_api::admin::NodeFacts;
use souk_api::{Options, Server};
use souk_runtime::Runtime;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::telemetry::CallSpans;

/// A server on a port that is ours already.
pub(super) fn server(
    config: &Config,
    listener: TcpListener,
    runtime: &Arc<Runtime>,
    facts: Arc<dyn NodeFacts>,
) -> anyhow::Result<Server> {
    let server = Server::on(listener, options(config), Arc::clone(runtime), facts)?;
    Ok(if config.otlp.endpoint.is_empty() { server } else { server.traced(Arc::new(CallSpans)) })
}

fn options(config: &Config) -> Options {
    let (limits, node) = (&config.limits, &config.node);
    Options {
        listen: config.listen.grpc,
        origins: config.listen.web_origins.clone(),
        connections: limits.connections,
        connections_per_address: limits.connections_per_address,
        streams_per_connection: limits.streams_per_connection,
        calls: limits.calls,
        streams: limits.streams,
        unary_deadline: limits.deadline.0,
        notice: node.drain_notice.0,
        grace: node.drain_timeout.0.saturating_sub(node.drain_notice.0 + CUTS_LAST),
        timed: config.metrics.histograms,
        ..Options::default()
    }
}

/// What of the drain timeout is left to shards whose last calls took all there was.
const CUTS_LAST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    /// One set of defaults: `default.toml` says what the API means by itself.
    #[test]
    fn the_defaults_are_those_of_the_api() {
        let config = load(Sources::default()).expect("the defaults hold").config;
        let grace = options(&config).grace;
        assert_eq!(options(&config), Options { grace, ..Options::default() });
    }
}
