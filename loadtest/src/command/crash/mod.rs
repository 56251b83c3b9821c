//! `crash`: kill -9 under load, again and again on one data directory. What was acknowledged is counted exactly once; every metric says
//! what the oracle says; watchers go on from their tokens without a gap and without a step back.

mod conductor;
mod lane;

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use clap::Args;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use souk_proto::v1;
use souk_proto::v1::AckLevel;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Common, Place};
use crate::limits;
use crate::measure::clock::{self, HOUR, MINUTE, SECOND};
use crate::measure::report::{Bar, Report};
use crate::oracle::{self, Oracle, compare};
use crate::souk::client;
use crate::souk::process::{Binary, Souk};
use crate::souk::shards::Shards;
use crate::traffic::{SETTLED_BETWEEN, Scenario, Shop};
use crate::watcher::follower::{self, Follower, Shared};
use conductor::{Conductor, Course};
use lane::{Manner, Met};

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
        lanes.spawn(lane::run(binary.address(), Arc::clone(&conductor), number, manner));
    }
    let (stop, stopped) = watch::channel(false);
    let followers: Vec<Shared> =
        watched().into_iter().map(|queries| Arc::new(Mutex::new(Follower::new(queries)))).collect();
    let mut following = JoinSet::new();
    for each in &followers {
        following.spawn(follower::follow(binary.address(), Arc::clone(each), stopped.clone()));
    }

    let mut report = Report::default();
    let crashing = rounds(&binary, place, options, &conductor, course, souk, &mut report);
    let (souk, met) = beside(crashing, lanes).await?;
    drop(stopped);
    let conductor = Arc::into_inner(conductor).context("the lanes are done with the conductor")?;
    let events = verify(&binary, conductor, &followers, met, &mut report).await?;
    stop.send(true).ok();
    while following.join_next().await.is_some() {}
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

/// One watch per kind of question; each of a few queries, as a dashboard has them.
fn watched() -> Vec<Vec<v1::QueryMetricRequest>> {
    vec![
        vec![follower::total("products", &["product"]), follower::newest("events", "1m")],
        vec![follower::total("sales", &["category"]), follower::total("abandoned_carts", &["stage"])],
        vec![follower::total("products", &[]), follower::newest("active_users", "5m/1m")],
    ]
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
    followers: &[Shared],
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
    let differences = compared(&oracle, channel, report).await?;
    for difference in differences.iter().chain(&met.wrong) {
        report.violate(difference.clone());
    }
    report.note("events acknowledged", acknowledged as f64, "");
    report.note("events that count", oracle.counted as f64, "");
    report.note("sends repeated", met.again as f64, "");
    report.note("events kept though unheard (APPLIED lanes)", met.kept as f64, "");
    report.measure("figures that differ from the recount", differences.len() as f64, "", Bar::AtMost(0.0));
    report.measure("verdicts other than meant", met.wrong.len() as f64, "", Bar::AtMost(0.0));
    watchers(binary, followers, report).await?;
    Ok(acknowledged)
}

/// The answers settle within moments; what still differs after that is wrong.
async fn compared(
    oracle: &Oracle,
    channel: tonic::transport::Channel,
    report: &mut Report,
) -> Result<Vec<String>> {
    let must = oracle.rows();
    let mut analytics = client::analytics(channel);
    let begun = Instant::now();
    loop {
        let differences = must.differences(&compare::all_rows(&mut analytics).await?);
        if differences.is_empty() || begun.elapsed() > limits::SETTLE / 4 {
            report.note("rows compared", must.0.len() as f64, "");
            report.note("answers settled after", begun.elapsed().as_secs_f64(), "s");
            return Ok(differences);
        }
        sleep(limits::POLL).await;
    }
}

/// What each watcher holds at the end is what a query answers.
async fn watchers(binary: &Binary, followers: &[Shared], report: &mut Report) -> Result<()> {
    let mut analytics = client::analytics(client::connect(&binary.address()).await?);
    let (mut frames, mut resumed, mut refused, mut steps_back) = (0, 0, 0, 0);
    for (each, queries) in followers.iter().zip(watched()) {
        for (number, query) in queries.into_iter().enumerate().filter(|(_, query)| query.window == "total") {
            let asked = v1::QueryMetricRequest { page_size: limits::PAGE, ..query };
            let answer = analytics.query_metric(asked.clone()).await?.into_inner();
            ensure!(answer.next_page_token.is_empty(), "more rows than one page: use a smaller scenario");
            let reached = timeout(limits::SETTLE / 4, async {
                while !holds(each, number as i32, &answer.rows) {
                    sleep(limits::POLL).await;
                }
            });
            if reached.await.is_err() {
                report.violate(format!("a watcher of {} does not end at the last state", asked.name));
            }
        }
        follower::with(each, |each| {
            frames += each.frames;
            resumed += each.connections.saturating_sub(1);
            refused += each.tokens_refused;
            steps_back += each.faults.len();
            for fault in &each.faults {
                report.violate(fault.clone());
            }
        });
    }
    report.note("frames watched", frames as f64, "");
    report.note("watches resumed", resumed as f64, "");
    report.measure("resume tokens refused", refused as f64, "", Bar::AtMost(0.0));
    report.measure("steps back and gaps seen by watchers", steps_back as f64, "", Bar::AtMost(0.0));
    Ok(())
}

fn holds(follower: &Shared, query: i32, rows: &[v1::MetricRow]) -> bool {
    follower::with(follower, |follower| {
        let held: Vec<_> = follower.rows(query).map(|row| (&row.key, &row.values)).collect();
        let mut asked: Vec<_> = rows.iter().map(|row| (&row.key, &row.values)).collect();
        asked.sort_by(|a, b| a.0.cmp(b.0));
        held == asked
    })
}
