//! `watchers`: ten thousand open watches on one node. How soon a change reaches them; and whether one reader that never reads is felt by
//! the others, with and without it by turns in one run.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::task::JoinSet;
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
    let place = common.place()?;
    let report = measure(common, options, &place).await;
    let report = report.with_context(|| format!("the server's last words:\n{}", place.log()))?;
    report.print(common.json);
    Ok(report)
}

async fn measure(common: &Common, options: &Options, place: &Place) -> Result<Report> {
    let souk = common.binary()?.serve(&place.data()).await?;
    let probes = Probes::new("fan", options.keys, false);
    let before = cpu::resident(souk.pid())?;
    open(&souk.address, &probes, options).await?;
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
    let expected = expected_frames(probes.sent(), options);
    let frames = without.from_due.count() + with.from_due.count();
    if frames < expected {
        report.violate(format!("{frames} of {expected} changes reached a watcher"));
    }
    souk.stop().await?;
    Ok(report)
}

/// Probes go over the keys by turns, each phase from the first key on; every one reaches all watchers of its key.
fn expected_frames(probes: usize, options: &Options) -> u64 {
    let of_key = |key: usize, all: usize| (all + options.keys - 1 - key) / options.keys;
    let phase = probes / PHASES.len();
    let all: usize = (0..options.keys).map(|key| of_key(key, phase) * of_key(key, options.count)).sum();
    (all * PHASES.len()) as u64
}

/// Opens every watch, so many to a connection; connections side by side, as clients come.
pub(super) async fn open(address: &str, probes: &std::sync::Arc<Probes>, options: &Options) -> Result<()> {
    let mut opening = JoinSet::new();
    for first in (0..options.count).step_by(limits::STREAMS_PER_CONNECTION) {
        let channel = client::connect(address).await?;
        let probes = std::sync::Arc::clone(probes);
        let last = (first + limits::STREAMS_PER_CONNECTION).min(options.count);
        let keys = options.keys;
        opening.spawn(async move {
            for n in first..last {
                probes.watch(channel.clone(), n % keys).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(opened) = opening.join_next().await {
        opened??;
    }
    Ok(())
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
