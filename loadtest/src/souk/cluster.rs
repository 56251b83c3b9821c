//! Nodes that share their shards: started against given servers, and killed, stopped, drained and started again one by one. Each run has
//! topics, a keyspace and a group of its own, so that two runs on the same servers do not meet. What nodes say is kept in a log each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use souk_proto::v1;
use tokio::time::{Instant, sleep};

use super::client;
use super::partition::{self, Firewall};
use super::process::{Binary, Souk, free_port};
use super::services::{Server, Services};
use super::shards::Shards;
use super::tables::TablesAt;
use crate::limits;
use crate::measure::clock;
use crate::measure::cpu::Usage;

/// Partitions of each journal: enough to share among five nodes.
pub const SHARDS: usize = 8;

/// Which servers the nodes stand on.
#[derive(Debug, Clone, Args)]
pub struct Servers {
    /// The script that started the servers, to kill and start them with. Their folder and ports are in the environment, as for itself.
    #[arg(long, default_value = "docker/services")]
    services: PathBuf,
    /// Brokers, if not those of the script.
    #[arg(long)]
    kafka: Option<String>,
    /// Cassandra or ScyllaDB servers, if not those of the script.
    #[arg(long)]
    cassandra: Option<String>,
    /// Redis, if not that of the script. Empty: the nodes have none.
    #[arg(long)]
    redis: Option<String>,
    /// Folder for the nodes' logs, which stay; a temporary one that goes if none is named.
    #[arg(long)]
    logs: Option<PathBuf>,
}

impl Servers {
    /// Where the nodes of one run log: `place` is for those whose logs go.
    pub fn logs(&self, place: &Path, run: &str) -> PathBuf {
        self.logs.as_deref().unwrap_or(place).join(run)
    }

    pub async fn brokers(&self) -> Result<String> {
        match &self.kafka {
            Some(brokers) => Ok(brokers.clone()),
            None => Services::new(&self.services)?.address(Server::Kafka).await,
        }
    }
}

#[derive(Debug)]
struct Node {
    binary: Binary,
    /// Its log lies beside.
    data: PathBuf,
    peers: u16,
    souk: Option<Souk>,
    paused: bool,
}

#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    pub services: Services,
    pub firewall: Option<Firewall>,
    /// Kafka, Cassandra, Redis.
    servers: Vec<String>,
    /// Names everything of this run on the servers.
    run: String,
    /// Nodes that are cut off.
    cut: BTreeSet<usize>,
}

impl Cluster {
    /// Makes topics and keyspace for `nodes` nodes, of which none is started yet.
    pub async fn new(binary: &Binary, options: &Servers, logs: &Path, nodes: usize) -> Result<Self> {
        let services = Services::new(&options.services)?;
        let mut servers = Vec::new();
        for (server, given) in [
            (Server::Kafka, &Some(options.brokers().await?)),
            (Server::Cassandra, &options.cassandra),
            (Server::Redis, &options.redis),
        ] {
            servers.push(match given {
                Some(address) => address.clone(),
                None => services.address(server).await?,
            });
        }
        let firewall = Firewall::new();
        let run = run_name();
        let mut env = environment(&servers, &run);
        env.extend(binary.env.iter().cloned());
        std::fs::create_dir_all(logs).context("making a place for logs")?;
        let mut made = Vec::new();
        for number in 0..nodes {
            let peers = free_port()?;
            let mut binary = binary.beside()?;
            binary.user = firewall.is_some().then(|| Firewall::user(number));
            binary.env = env.clone();
            binary.env.push(("SOUK__NODE__NAME".to_owned(), name(number)));
            binary.env.push(("SOUK__CLUSTER__LISTEN".to_owned(), format!("127.0.0.1:{peers}")));
            let data = logs.join(name(number));
            made.push(Node { binary, data, peers, souk: None, paused: false });
        }
        migrate(binary, env).await?;
        Ok(Self { nodes: made, services, firewall, servers, run, cut: BTreeSet::new() })
    }

    /// Servers that can be at fault.
    pub fn has(&self) -> Vec<Server> {
        let all = [Server::Kafka, Server::Cassandra, Server::Redis];
        all.into_iter()
            .zip(&self.servers)
            .filter(|(_, at)| !at.is_empty())
            .map(|(server, _)| server)
            .collect()
    }

    /// Where the nodes write tables.
    pub fn tables(&self) -> TablesAt {
        TablesAt { servers: self.servers[1].clone(), keyspace: self.run.clone() }
    }

    /// Where callers reach the nodes, whether they run or not.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.binary.address()).collect()
    }

    /// Where nodes that run show their metrics.
    pub fn metrics_addresses(&self) -> Vec<String> {
        self.nodes.iter().filter_map(|node| Some(node.souk.as_ref()?.metrics.clone())).collect()
    }

    /// Processor time so far of the servers that are processes here, and of the nodes that run, by name.
    pub async fn usage(&self) -> Result<BTreeMap<String, Usage>> {
        let mut usage = BTreeMap::new();
        for server in self.has() {
            let pid = self.services.pid(server).await?;
            usage.insert(server.name().to_owned(), Usage::of(pid)?);
        }
        for (number, node) in self.nodes.iter().enumerate() {
            if let Some(souk) = &node.souk {
                usage.insert(name(number), Usage::of(souk.pid())?);
            }
        }
        Ok(usage)
    }

    pub fn pid(&self, number: usize) -> Result<u32> {
        let souk = self.nodes[number].souk.as_ref();
        Ok(souk.with_context(|| format!("{} does not run", name(number)))?.pid())
    }

    /// Starts a node; it is not ready yet.
    pub fn start(&mut self, number: usize) -> Result<()> {
        let node = &mut self.nodes[number];
        ensure!(node.souk.is_none(), "{} runs already", name(number));
        node.souk = Some(node.binary.start(&node.data)?);
        Ok(())
    }

    /// Waits until every node that runs says it serves.
    pub async fn ready(&mut self) -> Result<()> {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if let Some(souk) = &mut node.souk {
                souk.ready(limits::RECOVER).await.with_context(|| name(number))?;
            }
        }
        Ok(())
    }

    /// Ends a node at once, as a power cut would.
    pub fn kill(&mut self, number: usize) -> Result<()> {
        let node = &mut self.nodes[number];
        node.paused = false;
        match node.souk.take() {
            Some(souk) => souk.kill(),
            None => bail!("{} does not run", name(number)),
        }
    }

    /// Asks a node to hand over its shards and end, and waits until it has.
    pub async fn stop(&mut self, number: usize) -> Result<ExitStatus> {
        let souk =
            self.nodes[number].souk.take().with_context(|| format!("{} does not run", name(number)))?;
        souk.stop().await.with_context(|| name(number))
    }

    pub fn pause(&mut self, number: usize) -> Result<()> {
        let node = &mut self.nodes[number];
        node.paused = true;
        node.souk.as_ref().with_context(|| format!("{} does not run", name(number)))?.pause()
    }

    /// Lets a node that stands still go on.
    pub fn go_on(&mut self, number: usize) -> Result<()> {
        let node = &mut self.nodes[number];
        node.paused = false;
        node.souk.as_ref().with_context(|| format!("{} does not run", name(number)))?.go_on()
    }

    /// Cuts a node off from the others and from its servers.
    pub fn cut_off(&mut self, number: usize) -> Result<()> {
        self.cut.insert(number);
        let firewall = self.firewall.as_ref().context("this machine lets nobody drop packets")?;
        let mut to: Vec<u16> = self.nodes.iter().map(|node| node.peers).collect();
        for server in self.servers.iter().filter(|at| !at.is_empty()).flat_map(|at| at.split(',')) {
            to.push(partition::port(server)?);
        }
        firewall.cut_off(number, &to, self.nodes[number].peers)
    }

    /// Joins a node to the others again.
    pub fn mend(&mut self, number: usize) -> Result<()> {
        self.firewall.as_ref().context("this machine lets nobody drop packets")?.mend()?;
        self.cut.remove(&number);
        self.cut.clone().into_iter().try_for_each(|other| self.cut_off(other))
    }

    /// Nodes that run and answer.
    fn answering(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.souk.is_some() && !node.paused)
    }

    /// Nodes that ended though nobody asked them to, and how.
    pub fn bury(&mut self) -> Result<Vec<(usize, String)>> {
        let mut ended = Vec::new();
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if let Some(souk) = &mut node.souk
                && let Some(status) = souk.ended()?
            {
                ended.push((number, format!("{} ended by itself: {status}", name(number))));
                node.souk = None;
            }
        }
        Ok(ended)
    }

    /// The shards as the nodes that answer tell them: of two that speak of the same shard the one that knows the newer owner.
    pub async fn shards(&self) -> Result<Shards> {
        let mut newest: BTreeMap<String, v1::Shard> = BTreeMap::new();
        let mut last = None;
        for (number, _) in self.answering() {
            match self.shards_of(number).await {
                Ok(shards) => {
                    for shard in shards.0 {
                        let known = newest.entry(shard.name.clone()).or_default();
                        if known.name.is_empty() || known.epoch < shard.epoch {
                            *known = shard;
                        }
                    }
                }
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) if newest.is_empty() => Err(error),
            _ => Ok(Shards(newest.into_values().collect())),
        }
    }

    /// The shards as one node tells them.
    pub async fn shards_of(&self, number: usize) -> Result<Shards> {
        let asked = async {
            let mut admin = client::admin(client::connect(&self.nodes[number].binary.address()).await?);
            Shards::ask(&mut admin).await
        };
        let answer = tokio::time::timeout(limits::TRY, asked).await;
        answer.with_context(|| format!("{} does not say where shards are", name(number)))?
    }

    /// Waits until the shards are as wanted.
    pub async fn wait(
        &self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Shards) -> bool,
    ) -> Result<Shards> {
        let deadline = Instant::now() + within;
        loop {
            let shards = self.shards().await;
            match shards {
                Ok(shards) if wanted(&shards) => return Ok(shards),
                Ok(shards) if Instant::now() > deadline => {
                    bail!("{what}: not after {within:?}; {}", shards.summary())
                }
                Err(error) if Instant::now() > deadline => return Err(error.context(what.to_owned())),
                Ok(_) | Err(_) => sleep(limits::LOOK).await,
            }
        }
    }

    /// Every shard is served by a node that runs, and each of those has some.
    pub fn is_served(&self, shards: &Shards) -> bool {
        let here: Vec<String> = self.answering().map(|(number, _)| owner(number)).collect();
        shards.all_serve()
            && shards.0.iter().all(|shard| here.contains(&shard.owner))
            && here.iter().all(|owner| shards.0.iter().any(|shard| shard.owner == *owner))
    }

    /// Waits until they are.
    pub async fn served(&self) -> Result<Shards> {
        self.wait("every node serves its share", limits::RECOVER, |shards| self.is_served(shards)).await
    }

    /// The last lines of every node's log.
    pub fn logs(&self) -> String {
        let tail = |node: &Node| super::process::tail(&node.data.with_extension("log"));
        let tails =
            self.nodes.iter().enumerate().map(|(number, node)| format!("{}:\n{}", name(number), tail(node)));
        tails.collect::<Vec<_>>().join("\n")
    }
}

/// A name no other run on the same servers has.
pub fn run_name() -> String {
    format!("souk_load_{:x}_{}", clock::now(), std::process::id())
}

fn name(number: usize) -> String {
    format!("n-{}", number + 1)
}

/// A node's name as a shard's owner.
pub fn owner(number: usize) -> String {
    format!("nodes/{}", name(number))
}

/// Settings all nodes share.
fn environment(servers: &[String], run: &str) -> Vec<(String, String)> {
    let shards = SHARDS.to_string();
    let settings: [(&str, &str); 13] = [
        ("KAFKA__BROKERS", &servers[0]),
        ("KAFKA__REPLICAS", "1"),
        ("KAFKA__IN_SYNC", "1"),
        ("KAFKA__USERS_TOPIC", &format!("{run}-users")),
        ("KAFKA__PRODUCTS_TOPIC", &format!("{run}-products")),
        ("KAFKA__MEMBERS_TOPIC", &format!("{run}-members")),
        ("CASSANDRA__NODES", &servers[1]),
        ("REDIS__ADDRESS", &servers[2]),
        ("CASSANDRA__REPLICAS", "1"),
        ("CASSANDRA__KEYSPACE", run),
        ("CLUSTER__GROUP", run),
        ("SHARDS__USERS", &shards),
        ("SHARDS__PRODUCTS", &shards),
    ];
    let given = settings.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| (format!("SOUK__{name}"), value.to_owned())).collect()
}

async fn migrate(binary: &Binary, env: Vec<(String, String)>) -> Result<()> {
    let mut command = Command::new(&binary.path);
    command.arg("migrate").envs(env).stdin(Stdio::null());
    let output =
        tokio::task::spawn_blocking(move || command.output()).await?.context("running souk migrate")?;
    ensure!(output.status.success(), "souk migrate: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
