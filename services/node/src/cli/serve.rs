//! `souk serve`: a node to keep.

use std::path::PathBuf;

use super::exit::Failure;
use super::node_flags::NodeFlags;
use crate::data_dir::DataDir;
use crate::shutdown::{self, Signals};
use crate::telemetry;
use crate::wiring::{Doors, Node};

/// Run a node as its configuration says
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk serve --config souk.toml
  souk serve --data-dir /var/lib/souk --listen 0.0.0.0:7070 --log-format json
  SOUK__JOURNAL__DURABILITY=interval souk serve

")]
pub(crate) struct Args {
    /// Configuration file; `souk config default` prints one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: NodeFlags,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.flags.load(args.config, Vec::new())?;
    let config = loaded.config;
    let _traces = telemetry::start(&config)?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let signals = Signals::listen()?;
    let doors = Doors::open(&config).await?;
    let data = match config.is_distributed() {
        true => None,
        false => Some(DataDir::kept(&config.node.data_dir)?),
    };
    let node = Node::start(&config, doors, data).await?;
    tracing::info!(node = config.node.name, grpc = %node.grpc, metrics = %node.metrics, "started");
    shutdown::until_drained(node, signals, config.node.drain_timeout).await
}
