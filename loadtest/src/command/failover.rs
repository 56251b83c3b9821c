//! `failover`: an owner is killed under load, then shards are moved on purpose: a node drained and started again, two more that join and
//! leave. How soon its shards answer again, what readers and watchers see meanwhile, and at rest the recount of everything.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::time::{Instant, sleep};

use super::{Common, population};
use crate::fire::crowd::Crowd;
use crate::fire::pulse::Pulses;
use crate::fire::reader::Readers;
use crate::fire::rest;
use crate::fire::samples::{Window, latencies};
use crate::fire::watchers::Watchers;
use crate::limits;
use crate::measure::clock;
use crate::measure::histogram::{Latencies, in_ms};
use crate::measure::report::{Bar, Report};
use crate::oracle::Oracle;
use crate::souk::client;
use crate::souk::cluster::{self, Cluster, SHARDS};
use crate::souk::shards::Shards;
use crate::traffic::{Meant, Scenario, Sent, Shop};

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
        let logs = options.cluster.logs.clone().unwrap_or_else(|| place.path().to_owned());
        let logs = logs.join(format!("failover-{users}"));
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

/// Everybody who calls while things happen.
struct Callers {
    crowd: Crowd,
    pulses: Pulses,
    readers: Readers,
    watchers: Watchers,
}

/// One run.
async fn one(
    common: &Common,
    options: &Options,
    cluster: &mut Cluster,
    users: u64,
    report: &mut Report,
) -> Result<Ran> {
    (0..NODES).try_for_each(|number| cluster.start(number))?;
    cluster.ready().await?;
    cluster.served().await?;
    let addresses = cluster.addresses();
    let mut oracle = Oracle::default();
    let at = clock::now();
    population::touch_at(&addresses[0], users, 0, at).await.context("filling the nodes with users")?;
    for n in 0..users {
        oracle.take(&Sent { event: population::event(n, 0, at), meant: Meant::Counted });
    }
    let filled = Instant::now();
    let cut_since = |shards: &Shards| {
        shards.users().all(|shard| {
            let age = shard.cut_age.and_then(|age| Duration::try_from(age).ok());
            age.is_some_and(|age| age < filled.elapsed())
        })
    };
    cluster.wait("every users shard has a cut with the users", limits::RECOVER, cut_since).await?;

    let pulses = Pulses::start(&addresses[..NODES], SHARDS).await?;
    let mut scenario = Scenario::load(common.scenario.as_deref())?;
    scenario.users = usize::try_from(users)?;
    let shop = Shop::new(scenario, options.seed, "f", 0);
    let crowd = Crowd::start(&addresses[..NODES], shop, oracle, options.rate)?;
    let readers = Readers::start(&addresses[..NODES], pulses.users.values().cloned().collect())?;
    let watchers = Watchers::start(&addresses[..NODES]);
    let mut callers = Callers { crowd, pulses, readers, watchers };
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
    let wrong_rows = at_rest(cluster, callers, report).await?;
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
    reads_within(callers, &window, report);
    callers.crowd.look(|sending| {
        let acks = latencies(sending.samples.within(&window));
        report.note("LOGGED acks meanwhile, p99", in_ms(acks.quantile(0.99)), "ms");
    });
    cluster.start(victim)?;
    cluster.ready().await?;
    cluster.served().await?;
    Ok(slowest)
}

fn reads_within(callers: &Callers, windows: &[Window], report: &mut Report) {
    callers.readers.look(|seen| {
        let reads = latencies(seen.samples.within(windows));
        let at_once = seen.samples.within(windows).filter(|sample| sample.at_once).count();
        let (stale, oldest, ageless) = seen.stale(windows);
        let share = 100.0 * at_once as f64 / reads.count().max(1) as f64;
        report.note("reads meanwhile", reads.count() as f64, "");
        report.note("of them answered at the first try", share, "%");
        report.note("reads meanwhile, p99", in_ms(reads.quantile(0.99)), "ms");
        report.note("of them marked stale", stale as f64, "");
        report.note("oldest of those", oldest.as_secs_f64(), "s");
        if ageless > 0 {
            report.violate(format!("{ageless} stale answers do not say how old they are"));
        }
    });
}

/// Everything that calls met so far that a caller cannot simply wait for.
fn failures(callers: &Callers) -> u64 {
    callers.crowd.look(|sending| sending.troubles.failures())
        + callers.pulses.look(|beaten| beaten.troubles.failures())
        + callers.readers.look(|seen| seen.troubles.failures())
}

/// Shards that are moved on purpose.
async fn moves(cluster: &mut Cluster, callers: &mut Callers, report: &mut Report) -> Result<()> {
    let before = failures(callers);
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
        let calls = pulses_within(callers, &[window]);
        report.note(format!("{name}, calls p99"), in_ms(calls.quantile(0.99)), "ms");
        windows.push(window);
    }
    let calls = pulses_within(callers, &windows);
    report.note("calls during moves", calls.count() as f64, "");
    report.measure("calls during moves, p99", in_ms(calls.quantile(0.99)), "ms", Bar::AtMost(MOVING));
    report.note("calls during moves, slowest", in_ms(calls.max()), "ms");
    let failed = failures(callers) - before;
    report.measure("calls failed beyond UNAVAILABLE with RetryInfo", failed as f64, "", Bar::AtMost(0.0));
    reads_within(callers, &windows, report);
    Ok(())
}

fn left_well(status: std::process::ExitStatus) -> Result<()> {
    ensure!(status.success(), "a drained node ended with {status}");
    Ok(())
}

fn pulses_within(callers: &Callers, windows: &[Window]) -> Latencies {
    callers.pulses.look(|beaten| latencies(beaten.samples.values().flat_map(|all| all.within(windows))))
}

/// Nobody sends; what was acknowledged is all there, once. Answers how many rows of tables are wrong.
async fn at_rest(cluster: &mut Cluster, mut callers: Callers, report: &mut Report) -> Result<usize> {
    let held = callers.pulses.hold().await?;
    let (mut oracle, sending) = callers.crowd.end().await?;
    callers.pulses.acknowledged().iter().for_each(|sent| oracle.take(sent));
    oracle.settle();
    let shards = cluster.wait("every record is folded", limits::RECOVER, Shards::settled).await?;
    let channel = client::connect(&cluster.addresses()[0]).await?;
    let compared = rest::compared(&oracle, channel.clone(), limits::SETTLE).await?;
    compared.differences.iter().for_each(|difference| report.violate(difference.clone()));
    let tables = rest::stands(&oracle, &cluster.tables(), shards.watermark().unwrap_or_default()).await?;
    tables.wrong.iter().for_each(|row| report.violate(row.clone()));
    callers.pulses.look(|beaten| beaten.wrong.iter().for_each(|wrong| report.violate(wrong.clone())));
    for behind in callers.watchers.behind(&mut client::analytics(channel)).await? {
        report.violate(behind);
    }
    callers.watchers.end(report).await;
    drop(held);
    for (_, died) in cluster.bury()? {
        report.violate(died);
    }
    let sending = sending.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut troubles = sending.troubles.clone();
    callers.pulses.look(|beaten| troubles.join(beaten.troubles.clone()));
    callers.readers.look(|seen| troubles.join(seen.troubles.clone()));
    drop(sending);
    eprintln!("calls that were tried again: {troubles:?}");
    report.note("events that count", oracle.counted as f64, "");
    report.note("rows compared", compared.rows as f64, "");
    report.note("rows of tables compared", tables.rows as f64, "");
    report.note("tables right at rest after", tables.settled_after.as_secs_f64(), "s");
    report.measure("events lost", compared.lost as f64, "", Bar::AtMost(0.0));
    report.measure("events doubled", compared.doubled as f64, "", Bar::AtMost(0.0));
    Ok(tables.wrong.len())
}
