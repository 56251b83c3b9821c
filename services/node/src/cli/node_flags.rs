//! Flags that lay a value over the configuration. They are text here: the configuration reads them, so that all problems are said at
//! once and in one way.

use std::path::PathBuf;

use crate::config::{self, Flag, Loaded, Sources};

/// Flags of `dev`, `serve`, `config show` and `doctor`.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct NodeFlags {
    /// Folder of the journal and the store; kept
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Address of gRPC and gRPC-Web
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Address of /metrics, /healthz and /readyz
    #[arg(long, value_name = "HOST:PORT")]
    metrics_listen: Option<String>,
    /// Address at which other nodes reach this one
    #[arg(long, value_name = "HOST:PORT")]
    peers_listen: Option<String>,
    /// What an acknowledgement means: fsync or interval
    #[arg(long, value_name = "LEVEL")]
    durability: Option<String>,
    /// State the node may hold in memory
    #[arg(long, value_name = "SIZE")]
    memory_budget: Option<String>,
    /// Settings laid over the built-in ones
    #[arg(long, value_name = "FILE")]
    settings: Option<String>,
    /// How long a stop may take
    #[arg(long, value_name = "DURATION")]
    drain_timeout: Option<String>,
    /// What is logged: error, warn, info, debug, trace, or a filter
    #[arg(long, value_name = "FILTER")]
    log_level: Option<String>,
    /// text or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl NodeFlags {
    fn flags(self) -> impl Iterator<Item = Flag> {
        [
            ("--data-dir", "node.data_dir", self.data_dir),
            ("--listen", "listen.grpc", self.listen),
            ("--metrics-listen", "listen.metrics", self.metrics_listen),
            ("--peers-listen", "cluster.listen", self.peers_listen),
            ("--durability", "journal.durability", self.durability),
            ("--memory-budget", "node.memory_budget", self.memory_budget),
            ("--settings", "node.settings", self.settings),
            ("--drain-timeout", "node.drain_timeout", self.drain_timeout),
            ("--log-level", "log.level", self.log_level),
            ("--log-format", "log.format", self.log_format),
        ]
        .into_iter()
        .filter_map(|(name, key, text)| Some(Flag { name, key, text: text? }))
    }

    /// Reads the whole configuration.
    pub(super) fn load(self, file: Option<PathBuf>, more: Vec<Flag>) -> anyhow::Result<Loaded> {
        let flags = self.flags().chain(more).collect();
        Ok(config::load(Sources { file, env: config::environment(), flags })?)
    }
}
