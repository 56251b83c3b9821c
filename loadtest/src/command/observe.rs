//! `observe`: what it costs to be looked at. Two servers, one with logs, histograms and a scrape a second, one with none of that, take the
//! same load by turns; what counts is the processor time of each per event.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::load::Load;
use super::{Common, Place};
use crate::limits;
use crate::measure::cpu::Usage;
use crate::measure::report::{Bar, Report};
use crate::souk::client::{self, Admin};
use crate::souk::http;
use crate::souk::process::Souk;
use crate::souk::shards::Shards;
use crate::traffic::Scenario;
use crate::traffic::batch::Carrier;

/// What watching may cost, in percent.
const COST: f64 = 5.0;
const SCRAPE: Duration = Duration::from_secs(1);
/// Before the first turn: connections, caches, first files.
const WARM_UP: Duration = Duration::from_secs(2);
/// What a page of a server that times its calls holds.
const TIMED: &str = "rpc_server_call_duration_seconds_bucket";

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Events a second, within what the machine can do.
    #[arg(long, default_value_t = 60_000.0)]
    rate: f64,
    /// Events of one call: the smaller, the more calls are timed.
    #[arg(long, default_value_t = 100)]
    batch: usize,
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// Turns of each server.
    #[arg(long, default_value_t = 10)]
    pairs: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    super::measured(common, async |place| measure(common, options, place).await).await
}

/// One of the two servers, with its load.
struct Arm {
    souk: Souk,
    admin: Admin,
    load: Load,
    is_watched: bool,
    used: Duration,
    events: u64,
}

async fn measure(common: &Common, options: &Options, watched: &Place) -> Result<Report> {
    let quiet = common.place()?;
    let mut on = Arm::start(common, options, watched, true).await?;
    let mut off = Arm::start(common, options, &quiet, false).await?;
    let length = Duration::from_secs(options.seconds);
    let mut report = Report::default();
    let (mut costs, mut scrapes) = (Vec::new(), 0);
    for pair in 0..options.pairs {
        // A B B A: what goes on beside it weighs on both.
        let (seen, quiet) = if pair % 2 == 0 {
            let seen = on.turn(options.rate, length).await?;
            (seen, off.turn(options.rate, length).await?.cpu)
        } else {
            let quiet = off.turn(options.rate, length).await?.cpu;
            (on.turn(options.rate, length).await?, quiet)
        };
        let watched = seen.cpu;
        let cost = (watched / quiet - 1.0) * 100.0;
        eprintln!(
            "pair {pair}: {watched:.3} s and {quiet:.3} s of processor per million events: {cost:+.1} %"
        );
        costs.push(cost);
        scrapes += seen.scrapes;
    }
    if scrapes == 0 {
        report.violate("the watched server was never scraped");
    }
    costs.sort_by(f64::total_cmp);
    report.note("server CPU per million events, watched", on.per_million(), "s");
    report.note("server CPU per million events, not watched", off.per_million(), "s");
    report.note("scrapes", scrapes as f64, "");
    report.note("cost of being watched, middle pair", costs[costs.len() / 2], "%");
    let cost = (on.per_million() / off.per_million() - 1.0) * 100.0;
    report.measure("cost of being watched", cost, "%", Bar::AtMost(COST));
    on.souk.stop().await?;
    off.souk.stop().await?;
    Ok(report)
}

/// What one turn took, in processor seconds per million events.
struct Turn {
    cpu: f64,
    scrapes: u64,
}

impl Arm {
    async fn start(common: &Common, options: &Options, place: &Place, is_watched: bool) -> Result<Self> {
        let mut binary = common.binary()?;
        if is_watched {
            binary.flags.extend(["--log-level", "info"].map(str::to_owned));
        } else {
            binary.flags.extend(["--log-level", "off"].map(str::to_owned));
            binary.env = vec![("SOUK__METRICS__HISTOGRAMS".to_owned(), "false".to_owned())];
        }
        let souk = binary.serve(&place.data()).await?;
        let scenario = Scenario::load(common.scenario.as_deref())?;
        let (connections, batch) = (options.connections, options.batch);
        let load = Load::new(&souk.address, &scenario, connections, batch, Carrier::Unary).await?;
        load.run(options.rate, WARM_UP).await?;
        let admin = client::admin(client::connect(&souk.address).await?);
        Ok(Self { souk, admin, load, is_watched, used: Duration::ZERO, events: 0 })
    }

    /// Takes the load for a while, and folds all of it.
    async fn turn(&mut self, rate: f64, length: Duration) -> Result<Turn> {
        Shards::wait(&mut self.admin, "the turn before is folded", Shards::settled).await?;
        let before = Usage::of(self.souk.pid())?;
        let scraping = self.is_watched.then(|| tokio::spawn(scrape(self.souk.metrics.clone(), length)));
        let outcome = self.load.run(rate, length).await?;
        Shards::wait(&mut self.admin, "the turn is folded", Shards::settled).await?;
        let used = Usage::of(self.souk.pid())? - before;
        self.used += used.total();
        self.events += outcome.events;
        let scrapes = match scraping {
            Some(scraping) => scraping.await??,
            None => 0,
        };
        Ok(Turn { cpu: used.per_million(outcome.events), scrapes })
    }

    fn per_million(&self) -> f64 {
        self.used.as_secs_f64() * 1e6 / self.events.max(1) as f64
    }
}

/// Reads the metrics page as a monitor would. How often it did.
async fn scrape(address: String, length: Duration) -> Result<u64> {
    let mut every = interval(SCRAPE);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut scrapes = 0;
    let scraping = async {
        loop {
            every.tick().await;
            let page = http::get(&address, "/metrics").await?;
            anyhow::ensure!(page.contains(TIMED), "no {TIMED} on the page");
            scrapes += 1;
        }
    };
    match timeout(length.min(limits::SETTLE), scraping).await {
        Ok(Err::<(), anyhow::Error>(error)) => Err(error).context("scraping"),
        _ => Ok(scrapes),
    }
}
