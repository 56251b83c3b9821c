//! Makes the faults of one round happen, each at its moment, and heals them; then waits until every shard is served again.

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::round::Sums;
use super::schedule::{Fault, Kind, Target};
use crate::limits;
use crate::souk::cluster::Cluster;
use crate::souk::services::{Server, Services};

/// Strikes, heals, and waits until all is served. Answers when the last fault was over.
pub(super) async fn strike(cluster: &mut Cluster, faults: &[Fault], sums: &mut Sums) -> Result<Instant> {
    let start = Instant::now();
    let mut servers = JoinSet::new();
    let mut steps = Vec::new();
    for fault in faults {
        match (fault.kind, fault.target) {
            (Kind::Killed, _) => sums.killed += 1,
            (Kind::Paused, _) => sums.paused += 1,
            (Kind::Drained, _) => sums.drained += 1,
            (Kind::CutOff, _) => sums.cut_off += 1,
        }
        match fault.target {
            Target::Server(server) => {
                servers.spawn(server_fault(cluster.services.clone(), server, *fault, start));
            }
            Target::Node(node) => {
                steps.push((fault.at, node, fault.kind, true));
                steps.push((fault.at + fault.lasts, node, fault.kind, false));
            }
        }
    }
    steps.sort_by_key(|(at, ..)| *at);
    for (at, node, kind, begins) in steps {
        sleep_until(start + at).await;
        node_fault(cluster, node, kind, begins).await?;
    }
    while let Some(done) = servers.join_next().await {
        done??;
    }
    let over = Instant::now();
    recover(cluster, sums).await?;
    Ok(over)
}

async fn node_fault(cluster: &mut Cluster, node: usize, kind: Kind, begins: bool) -> Result<()> {
    match (kind, begins) {
        (Kind::Killed, true) => cluster.kill(node),
        (Kind::Killed | Kind::Drained, false) => cluster.start(node),
        (Kind::Paused, true) => cluster.pause(node),
        (Kind::Paused, false) => cluster.go_on(node),
        // With its servers away it may not end well, but it must end.
        (Kind::Drained, true) => cluster.stop(node).await.map(drop),
        (Kind::CutOff, true) => cluster.cut_off(node),
        (Kind::CutOff, false) => cluster.mend(node),
    }
}

async fn server_fault(services: Services, server: Server, fault: Fault, start: Instant) -> Result<()> {
    sleep_until(start + fault.at).await;
    match fault.kind {
        Kind::Killed => {
            services.kill(server).await?;
            sleep(fault.lasts).await;
            services.up(server).await
        }
        Kind::Paused => {
            let _paused = services.pause(server).await?;
            sleep(fault.lasts).await;
            Ok(())
        }
        Kind::Drained | Kind::CutOff => bail!("{server:?} can only be killed or paused"),
    }
}

/// Waits until every shard is served, starting nodes again that ended by themselves, as a supervisor would.
async fn recover(cluster: &mut Cluster, sums: &mut Sums) -> Result<()> {
    let deadline = Instant::now() + limits::RECOVER;
    loop {
        for (node, how) in cluster.bury()? {
            eprintln!("{how}");
            sums.died += 1;
            cluster.start(node)?;
        }
        let shards = cluster.shards().await;
        match shards {
            Ok(shards) if cluster.is_served(&shards) => return Ok(()),
            Ok(shards) if Instant::now() > deadline => {
                bail!(
                    "not every shard is served {:?} after the last fault; {}",
                    limits::RECOVER,
                    shards.summary()
                )
            }
            Err(error) if Instant::now() > deadline => return Err(error),
            Ok(_) | Err(_) => sleep(limits::LOOK).await,
        }
    }
}
