//! `ingest`: the highest rate the server keeps up with. Keeping up means that what it has acknowledged it also folds: the lag between
//! journal and fold stays bounded, and the batches are acknowledged at the rate at which they are due.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::load::{Load, Outcome};
use super::{Common, Place};
use crate::measure::cpu::{self, Usage};
use crate::measure::histogram::in_ms;
use crate::measure::report::{Bar, Report};
use crate::souk::client::{self, Admin};
use crate::souk::process::Souk;
use crate::souk::shards::Shards;
use crate::traffic::Scenario;
use crate::traffic::batch::Carrier;

/// Length of a trial that looks for the rate.
const TRIAL: Duration = Duration::from_secs(4);
/// A rate is kept up with when the lag at the end is what arrives in so many seconds.
const LAG_SECONDS: f64 = 0.5;
/// Share of the batches due that must be acknowledged in time.
const IN_TIME: f64 = 0.98;
/// Growth of the rate while it is kept up with, and its end.
const GROWTH: f64 = 1.4;
const FASTEST: f64 = 10_000_000.0;
/// Halvings between the last rate kept up with and the first that was not.
const HALVINGS: usize = 4;
/// The long run may find that the short ones were too kind.
const STEPS_BACK: usize = 6;
const STEP_BACK: f64 = 0.94;

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Length of the run at the rate found.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    #[arg(long, default_value_t = 2)]
    connections: usize,
    #[arg(long, default_value_t = 500)]
    batch: usize,
    /// The rate the search begins at, in events a second.
    #[arg(long, default_value_t = 60_000.0)]
    from: f64,
    /// Only one of the two calls.
    #[arg(long)]
    only: Option<Call>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Call {
    Publish,
    Stream,
}

/// One rate tried.
#[derive(Debug)]
struct Trial {
    rate: f64,
    outcome: Outcome,
    most_lag: i64,
    last_lag: i64,
    server: Usage,
    client: Usage,
}

impl Trial {
    fn kept_up(&self) -> bool {
        let in_time = self.outcome.rate() >= IN_TIME * self.rate;
        in_time && self.outcome.refused.is_empty() && self.last_lag as f64 <= LAG_SECONDS * self.rate
    }
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let mut report = Report::default();
    for (call, carrier, name) in
        [(Call::Publish, Carrier::Unary, "PublishEvents"), (Call::Stream, Carrier::Stream, "StreamEvents")]
    {
        if options.only.is_none_or(|only| only == call) {
            let place = common.place()?;
            let found = measure(common, options, &place, carrier, name, &mut report).await;
            found.with_context(|| format!("the server's last words:\n{}", place.log()))?;
        }
    }
    report.print(common.json);
    Ok(report)
}

async fn measure(
    common: &Common,
    options: &Options,
    place: &Place,
    carrier: Carrier,
    name: &str,
    report: &mut Report,
) -> Result<()> {
    let souk = common.binary()?.serve(&place.data()).await?;
    let scenario = Scenario::load(common.scenario.as_deref())?;
    let load = Load::new(&souk.address, &scenario, options.connections, options.batch, carrier).await?;
    let mut admin = client::admin(client::connect(&souk.address).await?);
    let mut rate = search(&load, &souk, &mut admin, options.from).await?;
    let mut trial = try_rate(&load, &souk, &mut admin, rate, Duration::from_secs(options.seconds)).await?;
    for _ in 0..STEPS_BACK {
        if trial.kept_up() {
            break;
        }
        rate *= STEP_BACK;
        trial = try_rate(&load, &souk, &mut admin, rate, Duration::from_secs(options.seconds)).await?;
    }
    let kept_up = if trial.kept_up() { trial.outcome.rate() } else { 0.0 };
    report.measure(format!("{name}: events a second kept up with"), kept_up, "1/s", Bar::AtLeast(250_000.0));
    report.note(format!("{name}: ack p99, from due"), in_ms(trial.outcome.latencies.quantile(0.99)), "ms");
    report.note(format!("{name}: most records unfolded"), trial.most_lag as f64, "");
    let events = trial.outcome.events;
    report.note(format!("{name}: server CPU per million events"), trial.server.per_million(events), "s");
    report.measure(
        format!("{name}: client CPU per million events"),
        trial.client.per_million(events),
        "s",
        Bar::AtMost(1.0),
    );
    report.note(format!("{name}: server memory"), cpu::resident(souk.pid())? as f64 / 1e6, "MB");
    souk.stop().await?;
    Ok(())
}

/// Up by steps until the server does not keep up, then by halves in between.
async fn search(load: &Load, souk: &Souk, admin: &mut Admin, from: f64) -> Result<f64> {
    let (mut good, mut bad) = (from / GROWTH, None);
    let mut rate = from;
    while bad.is_none() && rate < FASTEST {
        if try_rate(load, souk, admin, rate, TRIAL).await?.kept_up() {
            good = rate;
            rate *= GROWTH;
        } else {
            bad = Some(rate);
        }
    }
    let mut bad = bad.unwrap_or(FASTEST);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(good, bad);
        if try_rate(load, souk, admin, middle, TRIAL).await?.kept_up() {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(good)
}

async fn try_rate(load: &Load, souk: &Souk, admin: &mut Admin, rate: f64, length: Duration) -> Result<Trial> {
    Shards::wait(admin, "the trial before is folded", Shards::settled).await?;
    let (server, client) = (Usage::of(souk.pid())?, Usage::of_this_process()?);
    let running = load.run(rate, length);
    tokio::pin!(running);
    let mut looks = interval(Duration::from_millis(250));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut most_lag = 0;
    let begun = Instant::now();
    let outcome = loop {
        tokio::select! {
            outcome = &mut running => break outcome?,
            _ = looks.tick() => most_lag = most_lag.max(Shards::ask(admin).await?.lag()),
        }
    };
    let last_lag = Shards::ask(admin).await?.lag();
    let trial = Trial {
        rate,
        outcome,
        most_lag: most_lag.max(last_lag),
        last_lag,
        server: Usage::of(souk.pid())? - server,
        client: Usage::of_this_process()? - client,
    };
    eprintln!(
        "{rate:>10.0}/s for {:.1} s: {:.0}/s acknowledged, lag {last_lag} (most {}), {}",
        begun.elapsed().as_secs_f64(),
        trial.outcome.rate(),
        trial.most_lag,
        if trial.kept_up() { "kept up" } else { "not kept up" },
    );
    for (reason, count) in &trial.outcome.refused {
        eprintln!("             {count} batches refused: {reason}");
    }
    Ok(trial)
}
