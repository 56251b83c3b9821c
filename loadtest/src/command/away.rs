//! `away`: one of the servers stands still for a while, or is killed, while three nodes are called; an owner may be killed meanwhile. What
//! is judged and answered all the same, how soon cuts catch up, and at rest the recount of everything.

use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use tokio::time::{Instant, sleep, sleep_until};

use super::callers::{Callers, cut_since};
use super::{Common, measured_on};
use crate::fire::samples::{Sample, Window, latencies};
use crate::measure::histogram::in_ms;
use crate::measure::report::{Bar, Report};
use crate::souk::cluster::{self, Cluster};
use crate::souk::services::Server;

const NODES: usize = 3;
/// Load before something happens, and after it.
const CALM: Duration = Duration::from_secs(5);
/// Without the server, before an owner is killed too.
const BEFORE_A_KILL: Duration = Duration::from_secs(10);
/// How soon events are judged without the server: what a call may take anyway.
const SOON: Duration = Duration::from_secs(1);
const JUDGED: f64 = 1_000.0;

/// A server that can be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Cassandra,
    Redis,
}

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    cluster: cluster::Servers,
    /// Which of the servers.
    #[arg(long, value_enum, default_value = "cassandra")]
    server: Which,
    /// How long it is away.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// It is killed and started again, instead of standing still.
    #[arg(long)]
    killed: bool,
    /// An owner is killed meanwhile, and started again: nobody can take its shards over without a store.
    #[arg(long)]
    kill_owner: bool,
    /// Users there are.
    #[arg(long, default_value_t = 10_000)]
    users: u64,
    /// Events a second.
    #[arg(long, default_value_t = 2_000.0)]
    rate: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let place = common.place()?;
    let logs = options.cluster.logs(place.path(), "away");
    let binary = common.binary()?;
    let cluster = Cluster::new(&binary, &options.cluster, &logs, NODES).await?;
    measured_on(common, cluster, async |cluster, report| one(common, options, cluster, report).await).await
}

/// Answers how many rows of tables are wrong at rest.
async fn one(
    common: &Common,
    options: &Options,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<usize> {
    let callers = Callers::start(common, cluster, NODES, options.users, (options.rate, options.seed)).await?;
    let calm = Instant::now();
    sleep(CALM).await;
    let gone = Instant::now();
    let killed = away(options, cluster).await?;
    let back = Instant::now();
    report.note("the server was away for", back.duration_since(gone).as_secs_f64(), "s");
    cluster.ready().await?;
    cluster.served().await?;
    report.note("every shard served again after", back.elapsed().as_secs_f64(), "s");
    cut_since(cluster, back, "every users shard has a cut made since").await?;
    report.note("every users shard cut again after", back.elapsed().as_secs_f64(), "s");
    sleep(CALM).await;
    judged(&callers, "before", &[(calm, gone)], report);
    match killed {
        Some(died) => {
            judged(&callers, "while it was away", &[(gone, died)], report);
            judged(&callers, "while an owner was dead too", &[(died, back)], report);
        }
        None => {
            let p99 = judged(&callers, "while it was away", &[(gone, back)], report);
            report.measure("of them judged in, p99", p99, "ms", Bar::AtMost(JUDGED));
            // A killed owner breaks connections under their calls; nothing else may.
            let failed = callers.failures() as f64;
            report.measure("calls failed beyond UNAVAILABLE with RetryInfo", failed, "", Bar::AtMost(0.0));
        }
    }
    callers.reads_within(&[(gone, back)], report);
    callers.rest(cluster, report).await
}

/// Takes the server away and brings it back. Answers when an owner was killed meanwhile.
async fn away(options: &Options, cluster: &mut Cluster) -> Result<Option<Instant>> {
    let server = match options.server {
        Which::Cassandra => Server::Cassandra,
        Which::Redis => Server::Redis,
    };
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let services = cluster.services.clone();
    let paused = match options.killed {
        true => services.kill(server).await.map(|()| None)?,
        false => Some(services.pause(server).await?),
    };
    let mut died = None;
    if options.kill_owner {
        sleep(BEFORE_A_KILL).await;
        cluster.kill(NODES - 1)?;
        died = Some(Instant::now());
    }
    sleep_until(until).await;
    drop(paused);
    services.up(server).await?;
    if options.kill_owner {
        cluster.start(NODES - 1)?;
    }
    Ok(died)
}

/// Events due within the windows: how many were judged within a second, and the p99 of all in ms.
fn judged(callers: &Callers, when: &str, windows: &[Window], report: &mut Report) -> f64 {
    callers.pulses.look(|beaten| {
        let due = || beaten.samples.values().flat_map(|all| all.within(windows));
        let soon = |sample: &&Sample| sample.done.duration_since(sample.due) <= SOON;
        let all = due().count().max(1);
        let share = 100.0 * due().filter(soon).count() as f64 / all as f64;
        let p99 = in_ms(latencies(due()).quantile(0.99));
        report.note(format!("events due {when}, judged within a second"), share, "%");
        report.note(format!("events due {when}, p99"), p99, "ms");
        p99
    })
}
