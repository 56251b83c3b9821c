//! `failover`: an owner is killed under load, then shards are moved on purpose: a node drained and started again, two more that join and
//! leave. How soon its shards answer again, what readers and watchers see meanwhile, and at rest the recount of everything.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::time::{Instant, sleep};

use super::Common;
use super::callers::Callers;
use crate::fire::samples::latencies;
use crate::limits;
use crate::measure::histogram::in_ms;
use crate::measure::report::{Bar, Report};
use crate::souk::cluster::{self, Cluster};

/// Nodes at rest, and at the most.
const NODES: usize = 3;
const MOST: usize = 5;
/// Load before something happens, and after it.
const CALM: Duration = Duration::from_secs(5);
/// How soon shards of a killed owner answer again.
const BACK: f64 = 10.0;
/// How slow a call may be while a shard moves, at p99.
const MOVING: f64 = 1_000.0;
/// How far the time with few users and that with many may be apart.
const APART: f64 = 1.2;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    cluster: cluster::Servers,
    /// Users there are when the owner dies; several numbers, a whole run each.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000])]
    users: Vec<u64>,
    /// Events a second.
    #[arg(long, default_value_t = 5_000.0)]
    rate: f64,
    /// Owners killed of each run, one after the other.
    #[arg(long, default_value_t = 1)]
    kills: u32,
    /// Only kill, move nothing.
    #[arg(long)]
    only_kill: bool,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let mut report = Report::default();
    let mut medians = Vec::new();
    let mut wrong_tables = 0;
    for users in &options.users {
        let place = common.place()?;
        let logs = options.cluster.logs(place.path(), &format!("failover-{users}"));
        let binary = common.binary()?;
        let mut cluster = Cluster::new(&binary, &options.cluster, &logs, MOST).await?;
        let run = one(common, options, &mut cluster, *users, &mut report).await;
        let Ran { mut back, wrong_rows } =
            run.with_context(|| format!("the nodes' last words:\n{}", cluster.logs()))?;
        wrong_tables += wrong_rows;
        back.sort_unstable();
        medians.push(back[back.len() / 2]);
    }
    if let (Some(least), Some(most)) = (medians.iter().min(), medians.iter().max())
        && medians.len() > 1
    {
        let apart = most.as_secs_f64() / least.as_secs_f64();
        report.measure("failover time, slowest of the runs to the fastest", apart, "x", Bar::AtMost(APART));
    }
    report.print(common.json);
    println!("wrong_tables={wrong_tables}");
    Ok(report)
}

/// What came of one run.
struct Ran {
    /// How long each kill took to be over.
    back: Vec<Duration>,
    /// Rows of tables that are wrong at rest.
    wrong_rows: usize,
}

/// One run.
async fn one(
    common: &Common,
    options: &Options,
    cluster: &mut Cluster,
    users: u64,
    report: &mut Report,
) -> Result<Ran> {
    let mut callers = Callers::start(common, cluster, NODES, users, (options.rate, options.seed)).await?;
    sleep(CALM).await;

    report.note(format!("run with {users} users at {} events/s", options.rate), users as f64, "users");
    let mut back = Vec::new();
    for _ in 0..options.kills {
        back.push(kill(cluster, &mut callers, report).await?);
        sleep(CALM).await;
    }
    if !options.only_kill {
        moves(cluster, &mut callers, report).await?;
    }
    let wrong_rows = callers.rest(cluster, report).await?;
    Ok(Ran { back, wrong_rows })
}

/// Kills the node that owns the most users shards, and times how soon they answer again.
async fn kill(cluster: &mut Cluster, callers: &mut Callers, report: &mut Report) -> Result<Duration> {
    let shards = cluster.served().await?;
    let owned = |number: usize| -> Vec<String> {
        let mine = shards.users().filter(|shard| shard.owner == cluster::owner(number));
        mine.map(|shard| shard.name.trim_start_matches("shards/").to_owned()).collect()
    };
    let victim = (0..NODES).max_by_key(|number| owned(*number).len()).context("there are nodes")?;
    let orphans = owned(victim);
    let killed = Instant::now();
    cluster.kill(victim)?;
    let mut slowest = Duration::ZERO;
    for shard in &orphans {
        loop {
            if let Some(error) = callers.readers.failed().await {
                return Err(error);
            }
            match callers.pulses.back_after(shard, killed) {
                Some(after) => break slowest = slowest.max(after),
                None => ensure!(killed.elapsed() < limits::PATIENCE, "{shard} does not come back"),
            }
            sleep(limits::POLL).await;
        }
    }
    sleep(CALM).await;
    let window = [(killed, killed + slowest)];
    report.note("shards of the killed owner, users", orphans.len() as f64, "");
    report.measure("until all of them judge events again", slowest.as_secs_f64(), "s", Bar::AtMost(BACK));
    callers.reads_within(&window, report);
    callers.crowd.look(|sending| {
        let acks = latencies(sending.samples.within(&window));
        report.note("LOGGED acks meanwhile, p99", in_ms(acks.quantile(0.99)), "ms");
    });
    cluster.start(victim)?;
    cluster.ready().await?;
    cluster.served().await?;
    Ok(slowest)
}

/// Shards that are moved on purpose.
async fn moves(cluster: &mut Cluster, callers: &mut Callers, report: &mut Report) -> Result<()> {
    let before = callers.failures();
    let mut windows = Vec::new();
    let names = ["a node drained", "a node back", "two nodes more", "two nodes less"];
    for (number, name) in names.into_iter().enumerate() {
        let from = Instant::now();
        match number {
            0 => left_well(cluster.stop(1).await?)?,
            1 => cluster.start(1)?,
            2 => (NODES..MOST).try_for_each(|node| cluster.start(node))?,
            _ => {
                for node in NODES..MOST {
                    left_well(cluster.stop(node).await?)?;
                }
            }
        }
        cluster.ready().await?;
        cluster.served().await?;
        // What was due just before may still be on its way.
        sleep(CALM).await;
        let window = (from, Instant::now());
        let calls = callers.pulses_within(&[window]);
        report.note(format!("{name}, calls p99"), in_ms(calls.quantile(0.99)), "ms");
        windows.push(window);
    }
    let calls = callers.pulses_within(&windows);
    report.note("calls during moves", calls.count() as f64, "");
    report.measure("calls during moves, p99", in_ms(calls.quantile(0.99)), "ms", Bar::AtMost(MOVING));
    report.note("calls during moves, slowest", in_ms(calls.max()), "ms");
    let failed = callers.failures() - before;
    report.measure("calls failed beyond UNAVAILABLE with RetryInfo", failed as f64, "", Bar::AtMost(0.0));
    callers.reads_within(&windows, report);
    Ok(())
}

fn left_well(status: std::process::ExitStatus) -> Result<()> {
    ensure!(status.success(), "a drained node ended with {status}");
    Ok(())
}
