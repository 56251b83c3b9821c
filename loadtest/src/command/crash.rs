//! `crash`: kill -9 under load, again and again on one data directory. What was acknowledged is counted exactly once; every metric says
//! what the oracle says; watchers go on from their tokens without a gap and without a step back.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use souk_proto::v1::AckLevel;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Common, Place};
use crate::fire::conductor::{self, Conductor, Course};
use crate::fire::lane::{self, Manner, Met};
use crate::fire::rest;
use crate::fire::watchers::Watchers;
use crate::limits;
use crate::measure::clock::{self, HOUR, MINUTE, SECOND};
use crate::measure::report::{Bar, Report};
use crate::oracle;
use crate::souk::client;
use crate::souk::process::{Binary, Souk};
use crate::souk::shards::Shards;
use crate::traffic::{SETTLED_BETWEEN, Scenario, Shop};

/// Slices of traffic between two crashes, at the most.
const SLICES_PER_ROUND: u64 = 15;
/// Event time the run spans at the most: within a day all of it counts.
const SPAN: i64 = 6 * HOUR;
/// Event time of one slice at the most.
const STEP: i64 = 30 * SECOND;
/// How far event time stays behind the clock: every abandoned cart is due by then.
const BEHIND: i64 = 45 * MINUTE;

const LANES: [Manner; 4] = [
    Manner::Unary(AckLevel::Logged),
    Manner::Unary(AckLevel::Applied),
    Manner::Stream,
    Manner::Unary(AckLevel::Logged),
];

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Crashes.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Events a second while the server is there.
    #[arg(long, default_value_t = 4_000)]
    rate: usize,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let place = common.place()?;
    let crashed = under_fire(common, options, &place).await;
    let (report, events) = crashed.with_context(|| format!("the server's last words:\n{}", place.log()))?;
    report.print(common.json);
    println!("rounds={} events={events} differences={}", options.rounds, report.violations());
    Ok(report)
}

async fn under_fire(common: &Common, options: &Options, place: &Place) -> Result<(Report, u64)> {
    let binary = common.binary()?;
    let scenario = Scenario::load(common.scenario.as_deref())?;
    let slices = (options.rounds * SLICES_PER_ROUND).max(1);
    let step = STEP.min(SPAN / slices as i64);
    let course = Course {
        start: clock::now() - BEHIND - (slices as i64 + 40) * step,
        step,
        events: (options.rate / 10).max(1),
    };
    let shop = Shop::new(scenario, options.seed, "c", SETTLED_BETWEEN);
    let conductor = Arc::new(Conductor::new(shop, LANES.len(), course));
    let souk = binary.serve(&place.data()).await?;

    let mut lanes = JoinSet::new();
    for (number, manner) in LANES.into_iter().enumerate() {
        lanes.spawn(lane::run(vec![binary.address()], Arc::clone(&conductor), number, manner));
    }
    let watchers = Watchers::start(&[binary.address()]);

    let mut report = Report::default();
    let crashing = rounds(&binary, place, options, &conductor, course, souk, &mut report);
    let (souk, met) = beside(crashing, lanes).await?;
    let conductor = Arc::into_inner(conductor).context("the lanes are done with the conductor")?;
    let events = verify(&binary, conductor, watchers, met, &mut report).await?;
    drop(souk);
    Ok((report, events))
}

/// Crashes while lanes send. A lane that fails ends the run; at the end of the traffic they all end.
async fn beside(
    crashing: impl Future<Output = Result<Souk>>,
    mut lanes: JoinSet<Result<Met>>,
) -> Result<(Souk, Met)> {
    let mut met = Met::default();
    tokio::pin!(crashing);
    let souk = loop {
        tokio::select! {
            souk = &mut crashing => break souk?,
            Some(lane) = lanes.join_next() => met.join(lane??),
        }
    };
    while let Some(lane) = lanes.join_next().await {
        met.join(lane??);
    }
    Ok((souk, met))
}

/// Traffic and crashes by turns; the moment of each crash is drawn from the seed.
async fn rounds(
    binary: &Binary,
    place: &Place,
    options: &Options,
    conductor: &Conductor,
    course: Course,
    mut souk: Souk,
    report: &mut Report,
) -> Result<Souk> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut slowest = std::time::Duration::ZERO;
    for _ in 0..options.rounds {
        let slices = rng.random_range(1..=SLICES_PER_ROUND);
        for _ in 0..slices {
            conductor.slice(course).await?;
        }
        // Most crashes tear batches that are on their way, some find the server at rest.
        conductor.begin(course).await?;
        let torn = rng.random_bool(0.8);
        let within = if torn { conductor::UNDER_WAY } else { conductor::PACE };
        sleep(within.mul_f64(rng.random())).await;
        souk.kill()?;
        // Sometimes it dies again while it still recovers.
        if rng.random_bool(0.1) {
            let early = binary.start(&place.data())?;
            sleep(conductor::PACE.mul_f64(rng.random())).await;
            early.kill()?;
        }
        let restarted = Instant::now();
        souk = binary.serve(&place.data()).await?;
        slowest = slowest.max(restarted.elapsed());
    }
    conductor.finish(course).await?;
    report.note("slowest restart, exec to SERVING", slowest.as_secs_f64() * 1e3, "ms");
    Ok(souk)
}

/// Waits until all has been folded and time has passed, and compares every row of every metric.
async fn verify(
    binary: &Binary,
    conductor: Conductor,
    watchers: Watchers,
    met: Met,
    report: &mut Report,
) -> Result<u64> {
    let acknowledged = conductor.acknowledged();
    let (mut oracle, last) = conductor.into_oracle();
    oracle.settle();
    let channel = client::connect(&binary.address()).await?;
    let due = last + oracle::ABANDON_AFTER + MINUTE;
    let mut admin = client::admin(channel.clone());
    Shards::wait(&mut admin, "every record folded and every cart due", |shards| {
        shards.settled() && shards.watermark().is_some_and(|watermark| watermark > due)
    })
    .await?;
    let compared = rest::compared(&oracle, channel.clone(), limits::SETTLE / 4).await?;
    let differences = compared.differences;
    report.note("rows compared", compared.rows as f64, "");
    report.note("answers settled after", compared.settled_after.as_secs_f64(), "s");
    for difference in differences.iter().chain(&met.wrong) {
        report.violate(difference.clone());
    }
    report.note("events acknowledged", acknowledged as f64, "");
    report.note("events that count", oracle.counted as f64, "");
    report.note("sends repeated", met.again as f64, "");
    report.note("events kept though unheard (APPLIED lanes)", met.kept as f64, "");
    report.measure("figures that differ from the recount", differences.len() as f64, "", Bar::AtMost(0.0));
    report.measure("verdicts other than meant", met.wrong.len() as f64, "", Bar::AtMost(0.0));
    for behind in watchers.behind(&mut client::analytics(channel)).await? {
        report.violate(behind);
    }
    watchers.end(report).await;
    Ok(acknowledged)
}
