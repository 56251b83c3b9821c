//! Logs: text for people, JSON for machines, always on stderr; and traces beside them, if an endpoint is set.

use anyhow::Context as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::traces::{self, Traces};
use crate::config::{Config, LogFormat};
use crate::output::colour;

/// The Cassandra driver says many times a second that a server is away; the node says it itself. What `log.level` says of it stands above.
const DRIVERS: &str = "scylla=off";

/// Starts logging and tracing. What is returned sends the last spans when it is dropped.
pub(crate) fn start(config: &Config) -> anyhow::Result<Option<Traces>> {
    let filter =
        EnvFilter::builder().parse(format!("{DRIVERS},{}", config.log.level)).context("log.level")?;
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colour());
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.log.format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let traces = traces::start(&config.otlp, &config.node.name)?;
    let spans = traces.as_ref().map(Traces::layer);
    tracing_subscriber::registry().with(lines).with(spans).try_init().context("logging")?;
    Ok(traces)
}
