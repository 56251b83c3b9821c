//! One node of its parts: journal and store, the runtime over them, the API and the HTTP port in front, bridges from the topics of others
//! beside.

mod api;
mod bridges;
mod clock;
mod durable;
mod embedded;
mod facts;
mod neighbours;
mod services;
mod views;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use souk_api::ApiError;
use souk_journal_kafka::BridgePorts;
use souk_runtime::ports::Clock;
use souk_runtime::{Ports, Runtime};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::limits;
use crate::telemetry::Observed;
use crate::telemetry::http::{self, Pages};

pub(crate) use bridges::Bridges;
pub(crate) use clock::SystemClock;
use durable::Durable;
use facts::Facts;
use neighbours::{Neighbours, Serving};
pub(crate) use services::migrate;

/// Folder of the journal and file of the store within a data directory.
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const STORE: &str = "store.redb";

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) runtime: Arc<Runtime>,
    /// Where callers reach it.
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// Tells the API to leave.
    stop: CancellationToken,
    /// Told by the API when it sends callers away.
    draining: CancellationToken,
    api: JoinHandle<Result<bool, ApiError>>,
    http: JoinHandle<()>,
    facts: JoinHandle<()>,
    /// Where others reach it; none: there are none.
    neighbours: Option<Serving>,
    bridges: Arc<Bridges>,
    durable: Durable,
}

/// Both ports, taken before anything else is touched.
#[derive(Debug)]
pub(crate) struct Doors {
    grpc: TcpListener,
    metrics: TcpListener,
    /// For other nodes, if there may be any.
    peers: Option<TcpListener>,
}

impl Doors {
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            grpc: bind(config.listen.grpc, "--listen").await?,
            metrics: bind(config.listen.metrics, "--metrics-listen").await?,
            peers: match config.is_distributed() {
                true => Some(bind(config.cluster.listen, "--peers-listen").await?),
                false => None,
            },
        })
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let any = SocketAddr::new(address.ip(), 0);
            bail!("port {} is taken; {flag} {any} picks a free one", address.port())
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address}")),
    }
}

impl Node {
    /// Starts every part. Shards answer once they have caught up: [`Node::ready`]. Without a data directory, nothing is kept here.
    pub(crate) async fn start(config: &Config, doors: Doors, data: Option<DataDir>) -> anyhow::Result<Self> {
        let settings = config.settings_text().context("node.settings")?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let durable = Durable::open(config, data, &clock).await?;
        let alone = Ports {
            views: views::open(config, durable.incarnation).await?,
            ..Ports::alone(Arc::clone(&durable.journal), Arc::clone(&durable.store), Arc::clone(&clock))
        };
        let neighbours = match &doors.peers {
            Some(door) => Some(Neighbours::join(config, door).await?),
            None => None,
        };
        let ports = match &neighbours {
            Some(Neighbours { placement, peers, .. }) => {
                Ports { placement: Arc::clone(placement) as _, peers: Arc::clone(peers) as _, ..alone }
            }
            None => alone,
        };
        let runtime = souk_runtime::Config {
            node: config.node.name.clone(),
            incarnation: durable.incarnation,
            settings,
            memory_budget: config.node.memory_budget.0,
            timed: config.metrics.histograms,
        };
        let runtime = Runtime::start(runtime, ports.clone()).await?;

        let neighbours = match neighbours.zip(doors.peers) {
            Some((neighbours, door)) => Some(neighbours.serve(config, door, &runtime)?),
            None => None,
        };
        let bridged = BridgePorts {
            journal: Arc::clone(&durable.journal),
            catalogue: Arc::clone(&runtime) as _,
            clock: Arc::clone(&clock),
        };
        let bridges = Arc::new(Bridges::start(config, &bridged)?);
        let facts = Facts::new(config, Arc::clone(&bridges));
        let metrics = doors.metrics.local_addr()?;
        let server = api::server(config, doors.grpc, &runtime, Arc::clone(&facts) as _)?;
        let (grpc, draining) = (server.address(), server.draining());
        let stop = CancellationToken::new();
        let observed = Observed {
            runtime: Arc::clone(&runtime),
            clock,
            api: server.counters(),
            methods: server.methods(),
            bridges: Arc::clone(&bridges),
        };
        let pages = Pages { observed, leaving: stop.clone() };
        Ok(Self {
            runtime,
            grpc,
            metrics,
            draining,
            api: tokio::spawn(server.serve(stop.clone().cancelled_owned())),
            http: tokio::spawn(http::serve(doors.metrics, pages)),
            facts: tokio::spawn(facts.follow(ports)),
            stop,
            neighbours,
            bridges,
            durable,
        })
    }

    /// Waits until every shard serves; says now and then what it waits for.
    pub(crate) async fn ready(&self) {
        let mut poll = tokio::time::interval(limits::READY_POLL);
        let mut word = Instant::now() + limits::READY_WORD;
        loop {
            poll.tick().await;
            let waiting = http::waiting(&self.runtime);
            if waiting.is_empty() {
                return;
            }
            if Instant::now() >= word {
                word = Instant::now() + limits::READY_WORD;
                tracing::info!(shards = waiting.len(), first = %waiting[0], "catching up");
            }
        }
    }

    /// Cancelled when the node begins to leave.
    pub(crate) fn leaving(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Ends only when the API does, which it does by itself only when it fails.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.api).await {
            Ok(Ok(_)) => anyhow!("the API stopped serving"),
            Ok(Err(error)) => error.into(),
            Err(error) => error.into(),
        }
    }

    /// Says that it leaves, leaves bridges to others, sends callers away, has every shard cut, and closes the data directory. Answers whether all were done
    /// within `bound`.
    pub(crate) async fn drain(mut self, bound: Duration) -> bool {
        let deadline = Instant::now() + bound;
        self.stop.cancel();
        let shards = async {
            self.draining.cancelled().await;
            let leave = async {
                match &self.neighbours {
                    Some(neighbours) => neighbours.leave().await,
                    None => true,
                }
            };
            tokio::join!(self.runtime.drain(deadline), leave)
        };
        let bridges = timeout_at(deadline, Arc::clone(&self.bridges).end());
        let (shards, served, bridged) =
            tokio::join!(timeout_at(deadline, shards), timeout_at(deadline, &mut self.api), bridges);
        let done = [
            ("shards", matches!(shards, Ok((true, _)))),
            ("the group of nodes", matches!(shards, Ok((_, true)))),
            ("calls", matches!(served, Ok(Ok(Ok(true))))),
            ("bridges", matches!(bridged, Ok(true))),
        ];
        let mut left: Vec<&str> = done.iter().filter(|(_, done)| !done).map(|(what, _)| *what).collect();
        if left.is_empty() && !timeout_at(deadline, self.close()).await.is_ok_and(|closed| closed) {
            left.push("journal and store");
        }
        if !left.is_empty() {
            tracing::warn!(?left, "it leaves before all is done");
        }
        left.is_empty()
    }

    /// Ends what still runs beside, then closes journal and store.
    async fn close(self) -> bool {
        let Self { runtime, http, facts, neighbours, durable, .. } = self;
        if let Some(neighbours) = neighbours {
            neighbours.close().await;
        }
        for task in [http, facts] {
            task.abort();
            // It ends cancelled, which is what was asked for.
            task.await.ok();
        }
        drop(runtime);
        durable.close().await
    }
}
