//! `souk migrate`: makes what nodes share on Kafka and Cassandra.

use std::path::PathBuf;

use anyhow::anyhow;

use super::exit::Failure;
use super::node_flags::NodeFlags;
use crate::{telemetry, wiring};

/// Make the topics and tables that nodes share
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  souk migrate --config souk.toml
  SOUK__KAFKA__BROKERS=kafka:9092 SOUK__CASSANDRA__NODES=cassandra:9042 souk migrate

")]
pub(crate) struct Args {
    /// Configuration file of the nodes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: NodeFlags,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let config = args.flags.load(args.config, Vec::new())?.config;
    if !config.is_distributed() {
        let why = "kafka.brokers and cassandra.nodes are not set: one node alone needs nothing to be made";
        return Err(anyhow!(why).into());
    }
    let _traces = telemetry::start(&config)?;
    wiring::migrate(&config).await?;
    let kafka = &config.kafka;
    println!("topics {}, {}, {}", kafka.users_topic, kafka.products_topic, kafka.members_topic);
    println!("keyspace {}", config.cassandra.keyspace);
    Ok(())
}
