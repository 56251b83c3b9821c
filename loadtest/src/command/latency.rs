//! `latency`: an open loop of small batches, and probes that a crowd of watchers waits for. Every time counts from when the request
//! was due.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::load::{self, Load};
use super::{Common, Place};
use crate::measure::cpu::{self, Usage};
use crate::measure::histogram::in_ms;
use crate::measure::report::{Bar, Report};
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::traffic::Scenario;
use crate::traffic::batch::Carrier;
use crate::watcher::probe::Probes;

/// Keys that are probed; watchers share them out.
const KEYS: usize = 10;
/// Probes a second over all keys.
const PROBES: f64 = 20.0;
/// A second of traffic before the clock starts counting: connections, caches, first files.
const WARM_UP: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Events a second.
    #[arg(long, default_value_t = 10_000.0)]
    rate: f64,
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    #[arg(long, default_value_t = 100)]
    watchers: usize,
    /// Events of one call.
    #[arg(long, default_value_t = 10)]
    batch: usize,
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let binary = common.binary()?;
    let souk = binary.serve(&place.data()).await?;
    let scenario = Scenario::load(common.scenario.as_deref())?;
    let load =
        Load::new(&souk.address, &scenario, options.connections, options.batch, Carrier::Unary).await?;
    load.run(options.rate, WARM_UP).await?;

    let probes = Probes::new("probe", KEYS, false);
    probes.watch_all(&souk.address, options.watchers).await?;
    let length = Duration::from_secs(options.seconds);
    let lane = Lane::new(client::connect(&souk.address).await?);
    let (server, client) = (Usage::of(souk.pid())?, Usage::of_this_process()?);
    let probing = load::probe(&probes, lane, KEYS, PROBES, length);
    let outcome = load.run(options.rate, length).await?;
    probing.await??;
    let (server, client) = (Usage::of(souk.pid())? - server, Usage::of_this_process()? - client);
    // The last probe has at most this long to arrive.
    tokio::time::sleep(crate::limits::POLL * 20).await;
    let seen = probes.take();
    eprintln!("ack            {}", outcome.latencies.summary());
    eprintln!("due -> watcher {}", seen.from_due.summary());
    eprintln!("ack -> watcher {}", seen.from_ack.summary());

    let mut report = Report::default();
    let ms = |time| in_ms(time);
    report.note("events acknowledged a second", outcome.rate(), "1/s");
    report.note("ack p50, from due", ms(outcome.latencies.quantile(0.5)), "ms");
    report.measure(
        "ack p99, from due (fsync)",
        ms(outcome.latencies.quantile(0.99)),
        "ms",
        Bar::AtMost(15.0),
    );
    report.note("ack p99.9, from due", ms(outcome.latencies.quantile(0.999)), "ms");
    report.note("ack -> watcher p50", ms(seen.from_ack.quantile(0.5)), "ms");
    report.measure("ack -> watcher p99", ms(seen.from_ack.quantile(0.99)), "ms", Bar::AtMost(20.0));
    report.note("due -> watcher p99", ms(seen.from_due.quantile(0.99)), "ms");
    report.note("server CPU", server.total().as_secs_f64(), "s");
    report.note("client CPU", client.total().as_secs_f64(), "s");
    report.note("server CPU per million events", server.per_million(outcome.events), "s");
    report.note("server memory", cpu::resident(souk.pid())? as f64 / 1e6, "MB");
    for (reason, count) in &outcome.refused {
        report.measure(format!("batches refused: {reason}"), *count as f64, "", Bar::AtMost(0.0));
    }
    let expected = probes.expected(options.watchers);
    if seen.from_due.count() < expected {
        report.violate(format!("{} of {expected} changes reached a watcher", seen.from_due.count()));
    }
    souk.stop().await?;
    Ok(report)
}
