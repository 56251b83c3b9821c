//! `souk-load`: load on a Souk server from outside. It knows what callers know, the protos and the process's command line, and checks
//! what it is answered against an oracle of its own.

mod command;
mod limits;
mod measure;
mod oracle;
mod souk;
mod traffic;
mod watcher;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use command::{Common, crash, ingest, latency};
use measure::report::Report;

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
    /// Ingest and watch latency in an open loop, from the due time.
    Latency(latency::Options),
    /// The highest rate of events the server keeps up with.
    Ingest(ingest::Options),
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
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match done {
        Ok(report) => report.exit(common.strict),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(common: &Common, what: &What) -> Result<Report> {
    match what {
        What::Crash(options) => crash::run(common, options).await,
        What::Latency(options) => latency::run(common, options).await,
        What::Ingest(options) => ingest::run(common, options).await,
        What::Echo { listen } => souk::echo::serve(listen).await.map(|()| Report::default()),
    }
}
