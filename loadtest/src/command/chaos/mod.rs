//! `chaos`: three nodes on real servers under load with unique ids, and a schedule from a seed of what goes wrong with any of them. Each
//! round ends at rest, where everything is compared: ids, totals, every row of every metric, what watchers hold.

mod round;
mod schedule;
mod strike;

use std::ops::RangeInclusive;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use souk_proto::v1::AckLevel;
use tokio::task::JoinSet;

use super::Common;
use crate::fire::conductor::{Conductor, Course};
use crate::fire::lane::{self, Manner, Met};
use crate::fire::pulse::Pulses;
use crate::fire::reader::Readers;
use crate::fire::samples::{Sample, Window, latencies};
use crate::fire::watchers::Watchers;
use crate::measure::clock::{self, HOUR, MINUTE, SECOND};
use crate::measure::histogram::in_ms;
use crate::measure::report::Report;
use crate::souk::cluster::{self, Cluster, SHARDS};
use crate::souk::doors::Troubles;
use crate::traffic::{SETTLED_BETWEEN, Scenario, Shop};
use round::Sums;
use schedule::Menu;

const NODES: usize = 3;
/// Slices of traffic a round takes at the most, about: a minute of them.
const SLICES_PER_ROUND: i64 = 600;
/// Event time the run spans, about: within a day all of it counts.
const SPAN: i64 = 6 * HOUR;
/// Event time of one slice.
const STEP: RangeInclusive<i64> = SECOND / 5..=5 * SECOND;
/// How far event time stays behind the clock: every abandoned cart is due by then.
const BEHIND: i64 = 45 * MINUTE;

const LANES: [Manner; 6] = [
    Manner::Unary(AckLevel::Logged),
    Manner::Unary(AckLevel::Applied),
    Manner::Stream,
    Manner::Unary(AckLevel::Applied),
    Manner::Stream,
    Manner::Unary(AckLevel::Logged),
];

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    cluster: cluster::Servers,
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Events a second while they are taken.
    #[arg(long, default_value_t = 2_000)]
    rate: usize,
    /// Seconds somebody stands still or is cut off, from..to.
    #[arg(long, default_value = "5..20", value_parser = seconds)]
    pause: RangeInclusive<u64>,
}

fn seconds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match ends {
        Some((from, to)) if from <= to && to <= 60 => Ok(from..=to),
        _ => Err("want from..to, at most 60".to_owned()),
    }
}

/// Everybody who calls, and the nodes they call.
struct Scene {
    cluster: Cluster,
    conductor: Arc<Conductor>,
    lanes: JoinSet<Result<Met>>,
    pulses: Pulses,
    readers: Readers,
    watchers: Watchers,
    course: Course,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let place = common.place()?;
    let logs = options.cluster.logs(place.path(), "chaos");
    let cluster = Cluster::new(&common.binary()?, &options.cluster, &logs, NODES).await?;
    let mut scene = Scene::set(common, options, cluster).await?;
    let mut report = Report::default();
    let mut sums = Sums::default();
    let done = all_rounds(&mut scene, options, &mut sums, &mut report).await;
    if let Err(error) = done {
        bail!("seed {}, round {}: {error:#}\n{}", options.seed, sums.rounds + 1, scene.cluster.logs());
    }
    scene.end(&sums, &mut report).await?;
    report.print(common.json);
    println!(
        "rounds={} killed={} paused={} lost={} doubled={} wrong_tables={}",
        sums.rounds, sums.killed, sums.paused, sums.lost, sums.doubled, sums.wrong_tables
    );
    Ok(report)
}

async fn all_rounds(
    scene: &mut Scene,
    options: &Options,
    sums: &mut Sums,
    report: &mut Report,
) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let menu = Menu {
        nodes: NODES,
        servers: scene.cluster.has(),
        pause: options.pause.clone(),
        cut_off: scene.cluster.firewall.is_some(),
    };
    for _ in 0..options.rounds {
        let faults = menu.draw(&mut rng);
        eprintln!("round {}: {faults:?}", sums.rounds + 1);
        scene.round(&faults, sums, report).await?;
        sums.rounds += 1;
        if report.violations() > 0 {
            eprintln!("seed {}: round {} is wrong; the rest is not run", options.seed, sums.rounds);
            break;
        }
    }
    Ok(())
}

impl Scene {
    /// Starts the nodes, and everybody who calls them.
    async fn set(common: &Common, options: &Options, mut cluster: Cluster) -> Result<Self> {
        (0..NODES).try_for_each(|number| cluster.start(number))?;
        let started = async {
            cluster.ready().await?;
            cluster.served().await
        };
        started.await.with_context(|| format!("the nodes' last words:\n{}", cluster.logs()))?;
        let addresses = cluster.addresses();
        let slices = i64::from(options.rounds) * SLICES_PER_ROUND;
        let step = (SPAN / slices.max(1)).clamp(*STEP.start(), *STEP.end());
        let course =
            Course { start: clock::now() - BEHIND - slices * step, step, events: (options.rate / 10).max(1) };
        let scenario = Scenario::load(common.scenario.as_deref())?;
        let shop = Shop::new(scenario, options.seed, "x", SETTLED_BETWEEN);
        let conductor = Arc::new(Conductor::new(shop, LANES.len(), course));
        let mut lanes = JoinSet::new();
        for (number, manner) in LANES.into_iter().enumerate() {
            lanes.spawn(lane::run(addresses.clone(), Arc::clone(&conductor), number, manner));
        }
        let pulses = Pulses::start(&addresses, SHARDS).await?;
        let readers = Readers::start(&addresses, pulses.users.values().cloned().collect())?;
        let watchers = Watchers::start(&addresses);
        Ok(Self { cluster, conductor, lanes, pulses, readers, watchers, course })
    }

    /// Finishes the traffic, and says how calls fared.
    async fn end(mut self, sums: &Sums, report: &mut Report) -> Result<()> {
        let mut met = Met::default();
        if report.violations() == 0 {
            // All was compared at the end of the last round.
            self.conductor.finish(self.course).await?;
            while let Some(lane) = self.lanes.join_next().await {
                met.join(lane??);
            }
        }
        met.wrong.iter().for_each(|wrong| report.violate(wrong.clone()));
        self.pulses.look(|beaten| beaten.wrong.iter().for_each(|wrong| report.violate(wrong.clone())));
        report.note("events acknowledged", self.conductor.acknowledged() as f64, "");
        report.note("sends repeated", met.again as f64, "");
        report.note("drained", f64::from(sums.drained), "");
        report.note("cut off", f64::from(sums.cut_off), "");
        report.note("nodes that ended by themselves and were started again", f64::from(sums.died), "");
        report.note("slowest recovery after the last fault", sums.slowest.as_secs_f64(), "s");
        report.note("slowest answers to be right at rest", sums.settled.as_secs_f64(), "s");
        self.calls(&sums.windows, met.troubles, report);
        self.watchers.end(report).await;
        Ok(())
    }

    /// How many calls were answered, and how fast.
    fn calls(&self, windows: &[Window], mut troubles: Troubles, report: &mut Report) {
        self.pulses.look(|beaten| {
            let all = || beaten.samples.values();
            let during = all().flat_map(|samples| samples.within(windows));
            let outside = all().flat_map(|samples| samples.outside(windows));
            answered("events judged", during, outside, report);
            troubles.join(beaten.troubles.clone());
        });
        self.readers.look(|seen| {
            answered("reads", seen.samples.within(windows), seen.samples.outside(windows), report);
            let (stale, oldest, ageless) = seen.stale(windows);
            report.note("stale answers during faults", stale as f64, "");
            report.note("oldest of those", oldest.as_secs_f64(), "s");
            if ageless > 0 {
                report.violate(format!("{ageless} stale answers do not say how old they are"));
            }
            troubles.join(seen.troubles.clone());
        });
        eprintln!("calls that were tried again: {troubles:?}");
        // One that is not answered in all the time callers have ends the run.
        report.note("calls answered after retries", 100.0, "%");
    }
}

fn answered<'a>(
    what: &str,
    during: impl Iterator<Item = &'a Sample>,
    outside: impl Iterator<Item = &'a Sample>,
    report: &mut Report,
) {
    let (during, outside): (Vec<_>, Vec<_>) = (during.collect(), outside.collect());
    for (when, samples) in [("during faults", during), ("outside faults", outside)] {
        let at_once = samples.iter().filter(|sample| sample.at_once).count();
        let share = 100.0 * at_once as f64 / samples.len().max(1) as f64;
        let taken = latencies(samples.into_iter());
        report.note(format!("{what} {when}"), taken.count() as f64, "");
        report.note(format!("{what} {when}, answered at the first try"), share, "%");
        report.note(format!("{what} {when}, p99"), in_ms(taken.quantile(0.99)), "ms");
    }
}
