//! The other nodes: which shards are this one's, the way to the others, and the port at which they reach this one.

use std::sync::Arc;

use anyhow::Context as _;
use souk_cluster::{
    Brokers, GroupPlacement, PeersOptions, PlacementOptions, Positions, PositionsOptions, ServerOptions, Tls,
    TonicPeers,
};
use souk_runtime::Runtime;
use souk_runtime::observe::ShardState;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

#[derive(Debug)]
pub(super) struct Neighbours {
    pub(super) placement: Arc<GroupPlacement>,
    pub(super) peers: Arc<TonicPeers>,
    tls: Option<Tls>,
}

/// What serves them, until it is told to leave.
#[derive(Debug)]
pub(super) struct Serving {
    placement: Arc<GroupPlacement>,
    door: JoinHandle<Result<(), souk_cluster::Error>>,
    leaving: CancellationToken,
    _positions: Positions,
}

impl Neighbours {
    /// Joins them. Shards are given to this node from now on, and nothing is said yet.
    pub(super) async fn join(config: &Config, door: &TcpListener) -> anyhow::Result<Self> {
        let cluster = &config.cluster;
        let tls = match cluster.tls_certificate.as_os_str().is_empty() {
            true => None,
            false => {
                let tls = Tls::read(&cluster.tls_authority, &cluster.tls_certificate, &cluster.tls_key);
                Some(tls.context("cluster.tls_*")?)
            }
        };
        let address = match cluster.advertise.is_empty() {
            true => door.local_addr()?.to_string(),
            false => cluster.advertise.clone(),
        };
        let peers = TonicPeers::new(PeersOptions { tls: tls.clone(), ..PeersOptions::new(address) })?;
        let placement = GroupPlacement::start(placement_options(config)).await.context("placement")?;
        Ok(Self { placement: Arc::new(placement), peers: Arc::new(peers), tls })
    }

    /// Lets them in.
    pub(super) fn serve(
        self,
        config: &Config,
        door: TcpListener,
        runtime: &Arc<Runtime>,
    ) -> anyhow::Result<Serving> {
        let leaving = CancellationToken::new();
        let options = ServerOptions { tls: self.tls, ..ServerOptions::default() };
        let inbound = Arc::clone(runtime) as _;
        let door = tokio::spawn(souk_cluster::serve(door, inbound, options, leaving.clone()));
        let options = PositionsOptions {
            brokers: brokers(config),
            group: config.cluster.group.clone(),
            users_topic: config.kafka.users_topic.clone(),
            products_topic: config.kafka.products_topic.clone(),
        };
        let carrying = Arc::downgrade(runtime);
        let positions = Positions::start(options, move || {
            let statuses = carrying.upgrade().map(|runtime| runtime.statuses()).unwrap_or_default();
            let serving = statuses.into_iter().filter(|status| status.state == ShardState::Serving);
            serving.map(|status| (status.shard, status.position)).collect()
        });
        Ok(Serving { placement: self.placement, door, leaving, _positions: positions? })
    }
}

impl Serving {
    /// Has others carry this node's shards. Comes to an end once they are handed over.
    pub(super) async fn leave(&self) -> bool {
        self.placement.leave().await
    }

    /// Closes the door.
    pub(super) async fn close(self) {
        self.leaving.cancel();
        match self.door.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the port for other nodes failed"),
            Err(error) => tracing::warn!(%error, "the port for other nodes ended"),
        }
    }
}

/// Makes the topic by which nodes agree, if it is not there.
pub(super) async fn migrate(config: &Config) -> anyhow::Result<()> {
    let made = souk_cluster::prepare(&placement_options(config), config.kafka.replicas).await;
    made.context("placement")
}

fn placement_options(config: &Config) -> PlacementOptions {
    PlacementOptions {
        brokers: brokers(config),
        members_topic: config.kafka.members_topic.clone(),
        group: config.cluster.group.clone(),
        partitions: config.partitions(),
    }
}

fn brokers(config: &Config) -> Brokers {
    Brokers { client_id: config.node.name.clone(), ..Brokers::new(config.kafka.brokers.clone()) }
}
