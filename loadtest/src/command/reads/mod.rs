//! `reads`: unary reads of live keys against a plain tonic echo of the same message sizes, by turns in the same run, so that whatever
//! else the machine does weighs on both alike; and batches of queries on a stream against the unary echo.

mod arms;

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::load::Load;
use super::{Common, Place, population};
use crate::measure::report::{Bar, Report};
use crate::souk::client;
use crate::souk::echo::EchoProcess;
use crate::traffic::Scenario;
use crate::traffic::batch::Carrier;
use arms::{Arms, Round, Sizes};

/// Rounds of every arm; the median of their ratios counts.
const ROUNDS: u32 = 5;
/// People and traffic there are to read.
const USERS: u64 = 20_000;
const TRAFFIC: f64 = 20_000.0;
const TRAFFIC_FOR: Duration = Duration::from_secs(3);
/// Batches of a stream under way.
const AHEAD: usize = 4;

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Time of each arm over all rounds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Calls under way on each connection.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// Queries of one batch.
    #[arg(long, default_value_t = 100)]
    batch: usize,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let souk = common.binary()?.serve(&place.data()).await?;
    let scenario = Scenario::load(common.scenario.as_deref())?;
    Load::new(&souk.address, &scenario, 2, 100, Carrier::Unary).await?.run(TRAFFIC, TRAFFIC_FOR).await?;
    population::touch(&souk.address, USERS, 0).await?;

    let echo = EchoProcess::start(&std::env::current_exe()?)?;
    let arms = Arms {
        souk: channels(&souk.address, options.connections).await?,
        echo: channels(&echo.address, options.connections).await?,
        pids: (souk.pid(), echo.pid()),
        options: options.clone(),
        slice: Duration::from_secs(options.seconds.into()) / (2 * ROUNDS),
    };
    let sizes = arms.sizes(scenario.products).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(arms.round(sizes, scenario.products as u64).await?);
    }
    souk.stop().await?;
    Ok(report(options, sizes, &rounds))
}

/// Connections, once the server takes them.
async fn channels(address: &str, count: usize) -> Result<Vec<Channel>> {
    let mut channels = Vec::new();
    let deadline = Instant::now() + crate::limits::CALL;
    while channels.len() < count {
        match client::connect(address).await {
            Ok(channel) => channels.push(channel),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(crate::limits::READY_POLL).await,
        }
    }
    Ok(channels)
}

fn report(options: &Options, sizes: Sizes, rounds: &[Round]) -> Report {
    let mut report = Report::default();
    let median = |of: fn(&Round) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    report.note("GetSession answer", sizes.session.answer as f64, "bytes");
    report.note("GetSession", median(|r| r.session.per_second), "1/s");
    report.note("echo of its size", median(|r| r.session_echo.per_second), "1/s");
    report.measure(
        "GetSession over echo (goal 92)",
        100.0 * median(|r| r.session.per_second / r.session_echo.per_second),
        "%",
        Bar::AtLeast(80.0),
    );
    report.note("GetSession server CPU", median(|r| r.session.cost), "µs");
    report.note("echo server CPU", median(|r| r.session_echo.cost), "µs");
    report.note("QueryMetric answer", sizes.query.answer as f64, "bytes");
    report.note("QueryMetric", median(|r| r.query.per_second), "1/s");
    report.note("echo of its size", median(|r| r.query_echo.per_second), "1/s");
    report.measure(
        "QueryMetric over echo (goal 92)",
        100.0 * median(|r| r.query.per_second / r.query_echo.per_second),
        "%",
        Bar::AtLeast(80.0),
    );
    report.note("QueryMetric server CPU", median(|r| r.query.cost), "µs");
    report.note(
        format!("QueryMetrics keys, {} a batch", options.batch),
        median(|r| r.batched.per_second),
        "1/s",
    );
    report.note("QueryMetrics server CPU per key", median(|r| r.batched.cost), "µs");
    report.measure(
        "QueryMetrics keys over unary echo",
        median(|r| r.batched.per_second / r.query_echo.per_second),
        "x",
        Bar::AtLeast(5.0),
    );
    report
}
