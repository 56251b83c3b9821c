//! The bridges of a node: topics of others that are read into its shop. Every node of a cluster runs all of them; Kafka's group of a bridge
//! gives each partition of its topic to one node, and to another when that one leaves or dies.

use std::sync::Arc;

use anyhow::Context as _;
use parking_lot::Mutex;
use souk_journal_kafka::{Bridge, BridgeCounts, BridgeOptions, BridgePorts};
use tokio::task::spawn_blocking;

use crate::config::{self, Config, Declared};

/// Those that run.
#[derive(Debug, Default)]
pub(crate) struct Bridges(Mutex<Vec<Bridge>>);

impl Bridges {
    /// Starts all of them. A broker or a topic that is away is waited for.
    pub(super) fn start(config: &Config, ports: &BridgePorts) -> anyhow::Result<Self> {
        // What is wrong with them was said when the configuration was read, unless a file has changed since.
        let declared = config
            .bridges()
            .map_err(|problems| anyhow::anyhow!("{}", problems[0]))
            .context("bridge.files")?;
        let start = |declared: Declared| {
            let topic = declared.topic.clone();
            Bridge::start(options(config, declared), ports.clone())
                .with_context(|| format!("the bridge of {topic}"))
        };
        Ok(Self(Mutex::new(declared.into_iter().map(start).collect::<anyhow::Result<_>>()?)))
    }

    /// What each has done, under the name of its topic.
    pub(crate) fn counts(&self) -> Vec<(String, BridgeCounts)> {
        self.0.lock().iter().map(|bridge| (bridge.topic().to_owned(), bridge.counts())).collect()
    }

    /// Ends all of them, each after the batch it is at; the other nodes then have their partitions.
    pub(super) async fn end(self: Arc<Self>) -> bool {
        let bridges = std::mem::take(&mut *self.0.lock());
        bridges.iter().for_each(Bridge::stop);
        spawn_blocking(move || drop(bridges)).await.is_ok()
    }
}

fn options(config: &Config, declared: Declared) -> BridgeOptions {
    let Declared { brokers, topic, format, start, dead_letters, file: _ } = declared;
    BridgeOptions {
        group: format!("{}-bridge-{topic}", config.cluster.group),
        brokers,
        topic,
        format,
        start,
        dead_letters,
        live: config.node.clock == config::Clock::Live,
        client_id: config.node.name.clone(),
        properties: Default::default(),
    }
}
