//! `souk-load`: one command per promise.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use souk_loadtest::command::{
    Common, adopt, away, chaos, crash, cut, disk_full, drain, failover, ingest, latency, observe, poison,
    reads, rows, start, watchers,
};
use souk_loadtest::measure::report::Report;
use souk_loadtest::souk;

/// The client shares the machine with the server it measures: the less it costs, the better.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(about = "Load on a Souk server, from outside, with answers checked")]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// kill -9 under load, again and again: nothing acknowledged is lost or counted twice.
    Crash(crash::Options),
    /// Three nodes on real servers; any of it killed, stopped and cut off by turns: nothing is lost or counted twice.
    Chaos(chaos::Options),
    /// An owner killed under load, then moved shards: how soon calls are answered again.
    Failover(failover::Options),
    /// A server that is away while nodes are called: what is answered meanwhile, and that all catches up
    Away(away::Options),
    /// A topic others filled with JSON, folded from its beginning: how fast, and whether the totals are its own.
    Adopt(adopt::Options),
    /// Messages that cannot count pour into a bridged topic: each set aside with its reason, while no shard stands still.
    Poison(poison::Options),
    /// Rows of tables an event costs at two rates, and how old what they show is.
    Rows(rows::Options),
    /// Ingest and watch latency in an open loop, from the due time.
    Latency(latency::Options),
    /// The highest rate of events the server keeps up with.
    Ingest(ingest::Options),
    /// What logs, histograms and a scrape a second cost.
    Observe(observe::Options),
    /// Unary reads against a plain echo, and batches of queries against it.
    Reads(reads::Options),
    /// Ten thousand watchers, and one that never reads.
    Watchers(watchers::Options),
    /// SIGTERM with streams open.
    Drain(drain::Options),
    /// From exec to the first answer, empty and full; idle with all of it.
    Start(start::Options),
    /// Whether a cut is felt by watchers.
    Cut(cut::Options),
    /// A disk that runs full, and has room again.
    DiskFull(disk_full::Options),
    /// The plain echo server that unary reads are compared with.
    #[command(hide = true)]
    Echo {
        #[arg(long)]
        listen: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let common = &arguments.common;
    let done = tokio::select! {
        done = run(common, &arguments.what) => done,
        // Servers end with the handles that are dropped here.
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    match done {
        Ok(report) => report.exit(common.strict),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Somebody, or a time limit, ends this process: it must not leave a server behind.
async fn interrupted() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

async fn run(common: &Common, what: &What) -> Result<Report> {
    match what {
        What::Crash(options) => crash::run(common, options).await,
        What::Chaos(options) => chaos::run(common, options).await,
        What::Failover(options) => failover::run(common, options).await,
        What::Away(options) => away::run(common, options).await,
        What::Adopt(options) => adopt::run(common, options).await,
        What::Poison(options) => poison::run(common, options).await,
        What::Rows(options) => rows::run(common, options).await,
        What::Latency(options) => latency::run(common, options).await,
        What::Ingest(options) => ingest::run(common, options).await,
        What::Observe(options) => observe::run(common, options).await,
        What::Reads(options) => reads::run(common, options).await,
        What::Watchers(options) => watchers::run(common, options).await,
        What::Drain(options) => drain::run(common, options).await,
        What::Start(options) => start::run(common, options).await,
        What::Cut(options) => cut::run(common, options).await,
        What::DiskFull(options) => disk_full::run(common, options).await,
        What::Echo { listen } => souk::echo::serve(listen).await.map(|()| Report::default()),
    }
}
