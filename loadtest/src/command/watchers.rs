//! `watchers`: ten thousand open watches on one node. How soon a change reaches them; and whether one reader that never reads is felt by
//! the others, with and without it by turns in one run.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tonic::Streaming;
use tonic::transport::Channel;

use super::load;
use super::{Common, Place};
use crate::limits;
use crate::measure::cpu::{self, Usage};
use crate::measure::histogram::{Latencies, in_ms};
use crate::measure::report::{Bar, Report};
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::watcher::probe::{Probes, Seen};

/// Phases without and with the stuck reader: A B B A, twice.
const PHASES: [bool; 8] = [false, true, true, false, false, true, true, false];
/// Window of the stuck reader: a few frames fill it.
const NARROW: u32 = 1_024;
/// What a stuck reader may add to the others' p99.
const FELT: f64 = 10.0;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[arg(long, default_value_t = 10_000)]
    count: usize,
    /// Keys they watch, shared out evenly.
    #[arg(long, default_value_t = 100)]
    keys: usize,
    /// Changes a second over all keys.
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// Length of each of the eight phases.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let souk = common.binary()?.serve(&place.data()).await?;
    let probes = Probes::new("fan", options.keys, false);
    let before = cpu::resident(souk.pid())?;
    probes.watch_all(&souk.address, options.count).await?;
    let memory = cpu::resident(souk.pid())?.saturating_sub(before);

    let lane = Lane::new(client::connect(&souk.address).await?);
    let length = Duration::from_secs(options.seconds);
    let (mut without, mut with) = (Seen::default(), Seen::default());
    let used = Usage::of(souk.pid())?;
    for stuck in PHASES {
        let reader = if stuck { Some(stuck_reader(&souk.address, &probes).await?) } else { None };
        load::probe(&probes, lane.clone(), options.keys, options.rate, length).await??;
        tokio::time::sleep(limits::POLL * 10).await;
        let seen = probes.take();
        let into = if stuck { &mut with } else { &mut without };
        into.from_due.merge(&seen.from_due);
        into.from_ack.merge(&seen.from_ack);
        drop(reader);
    }
    let used = Usage::of(souk.pid())? - used;
    eprintln!("due -> frame, all reading   {}", without.from_due.summary());
    eprintln!("due -> frame, one stuck     {}", with.from_due.summary());

    let mut report = Report::default();
    let p99 = |latencies: &Latencies| in_ms(latencies.quantile(0.99));
    report.note("watchers", options.count as f64, "");
    report.note("frames", (without.from_due.count() + with.from_due.count()) as f64, "");
    report.note("change -> frame p50, from due", in_ms(without.from_due.quantile(0.5)), "ms");
    report.measure("ack -> frame p99", p99(&without.from_ack), "ms", Bar::AtMost(20.0));
    report.note("change -> frame p99, from due", p99(&without.from_due), "ms");
    report.note("the same with one stuck reader", p99(&with.from_due), "ms");
    let felt = 100.0 * (p99(&with.from_due) / p99(&without.from_due) - 1.0);
    report.measure("what the stuck reader adds to p99", felt, "%", Bar::AtMost(FELT));
    report.note(
        "server CPU per million frames",
        used.per_million(without.from_due.count() + with.from_due.count()),
        "s",
    );
    report.note("server memory per watcher", memory as f64 / options.count as f64, "bytes");
    let expected = probes.expected(options.count);
    let frames = without.from_due.count() + with.from_due.count();
    if frames < expected {
        report.violate(format!("{frames} of {expected} changes reached a watcher"));
    }
    souk.stop().await?;
    Ok(report)
}

/// A watch of the first key by somebody who never reads a frame of it.
async fn stuck_reader(
    address: &str,
    probes: &Probes,
) -> Result<(Channel, Streaming<souk_proto::v1::WatchMetricResponse>)> {
    let channel = client::connect_narrow(address, NARROW).await?;
    let frames = client::analytics(channel.clone()).watch_metric(probes.request(0)).await?.into_inner();
    Ok((channel, frames))
}
