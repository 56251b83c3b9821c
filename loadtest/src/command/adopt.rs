//! `adopt`: a topic that others filled with JSON becomes the users journal of one node, which folds it from its beginning with every
//! metric, view and cut on. How fast it comes to the end, what that costs each process, and whether its totals are those of a recount
//! of the topic.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::Common;
use crate::limits;
use crate::measure::cpu;
use crate::measure::report::{Bar, Report};
use crate::oracle::compare;
use crate::souk::client;
use crate::souk::cluster::{self, Cluster, SHARDS};
use crate::souk::process::Binary;
use crate::souk::topic::TopicAt;

/// Events a second a node should fold of a topic that waits for it.
const DRAINED: f64 = 400_000.0;
/// How often the node is asked how far it is: a hundredth of what the drain takes.
const LOOK: Duration = Duration::from_millis(50);
/// The form of the messages, one of those `souk generate` writes.
const FORMAT: &str = "cartpulse";
const USERS_TOPIC: &str = "SOUK__KAFKA__USERS_TOPIC";

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    cluster: cluster::Servers,
    /// Messages in the topic.
    #[arg(long, default_value_t = 2_000_000)]
    events: u64,
    /// Messages a second while it is filled: event time goes on accordingly.
    #[arg(long, default_value_t = 100_000)]
    rate: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let mut report = Report::default();
    let place = common.place()?;
    let logs = options.cluster.logs(place.path(), "adopt");
    let mut binary = common.binary()?;
    let brokers = options.cluster.brokers().await?;
    let topic = TopicAt { brokers, topic: format!("{}-events", cluster::run_name()) };
    fill(&binary, &topic, options).await?;
    let recount = tokio::task::spawn_blocking({
        let topic = topic.clone();
        move || Recount::of(&topic)
    });
    let recount = recount.await??;
    report.note("messages in the topic", recount.messages as f64, "");
    report.note("bytes of a message", recount.bytes as f64 / recount.messages.max(1) as f64, "B");

    binary.env.push((USERS_TOPIC.to_owned(), topic.topic));
    binary.env.push(("SOUK__ADOPT__FORMAT".to_owned(), FORMAT.to_owned()));
    let mut cluster = Cluster::new(&binary, &options.cluster, &logs, 1).await?;
    let run = drain(&mut cluster, &recount, &mut report).await;
    run.with_context(|| format!("the node's last words:\n{}", cluster.logs()))?;
    report.print(common.json);
    Ok(report)
}

/// Has the topic made and filled.
async fn fill(binary: &Binary, topic: &TopicAt, options: &Options) -> Result<()> {
    let mut command = Command::new(&binary.path);
    command.args(["generate", "--format", FORMAT, "--partitions", &SHARDS.to_string()]);
    command.args(["--to", &format!("kafka://{}/{}", topic.brokers, topic.topic)]);
    command.args(["--events", &options.events.to_string(), "--rate", &options.rate.to_string()]);
    command.args(["--seed", &options.seed.to_string()]).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.context("running souk generate")?;
    ensure!(output.status.success(), "souk generate: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// What the topic holds, counted without the node.
#[derive(Debug, Default)]
struct Recount {
    messages: u64,
    bytes: u64,
    /// Ids that are told apart.
    events: i64,
    /// Times each product was put into a cart.
    adds: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    event_id: String,
    event_type: String,
    product_id: Option<String>,
}

impl Recount {
    fn of(topic: &TopicAt) -> Result<Self> {
        let (mut recount, mut known) = (Self::default(), BTreeSet::new());
        let messages = topic.read(|_, payload| {
            recount.bytes += payload.len() as u64;
            let message: Message = serde_json::from_slice(payload).context("a message of the topic")?;
            if known.insert(message.event_id)
                && message.event_type == "add_to_cart"
                && let Some(product) = message.product_id
            {
                *recount.adds.entry(product).or_default() += 1;
            }
            Ok(())
        })?;
        recount.messages = messages;
        recount.events = i64::try_from(known.len())?;
        Ok(recount)
    }
}

/// Starts the node and follows it to the topic's end.
async fn drain(cluster: &mut Cluster, recount: &Recount, report: &mut Report) -> Result<()> {
    let before = cluster.usage().await?;
    cluster.start(0)?;
    let deadline = Instant::now() + limits::PATIENCE;
    // From the first look that shows something folded.
    let mut first: Option<(Instant, u64)> = None;
    let (from, upto, ended) = loop {
        ensure!(Instant::now() < deadline, "the topic is not folded");
        sleep(LOOK).await;
        // Until the node listens nobody knows.
        let Ok(shards) = cluster.shards().await else { continue };
        let folded = shards.users().map(|shard| shard.position.max(0).unsigned_abs()).sum::<u64>();
        if folded == 0 {
            continue;
        }
        let from = *first.get_or_insert_with(|| (Instant::now(), folded));
        if folded >= recount.messages && shards.settled() {
            break (from, folded, Instant::now());
        }
    };
    let used = cluster.usage().await?;
    cluster.ready().await?;
    let rate = (upto - from.1) as f64 / (ended - from.0).as_secs_f64();
    report.note("seen from", from.1 as f64, "events");
    report.measure("events folded a second", rate, "1/s", Bar::AtLeast(DRAINED));
    for (process, cost) in cpu::costs(&before, &used, recount.messages) {
        report.note(format!("processor time of {process}"), cost, "s per million");
    }
    let pid = cluster.pid(0)?;
    report.note("memory of the node", cpu::resident(pid)? as f64 / f64::from(1 << 20), "MiB");
    totals(cluster, recount, report).await
}

/// What the node answers is what the topic holds.
async fn totals(cluster: &Cluster, recount: &Recount, report: &mut Report) -> Result<()> {
    let mut analytics = client::analytics(client::connect(&cluster.addresses()[0]).await?);
    let deadline = Instant::now() + limits::SETTLE;
    let answered = loop {
        let answered = compare::counts(&mut analytics, "products", &["product"], "total", "adds").await?;
        if answered == recount.adds || Instant::now() > deadline {
            break answered;
        }
        sleep(limits::LOOK).await;
    };
    let products: BTreeSet<&String> = recount.adds.keys().chain(answered.keys()).collect();
    let mut differences = 0;
    for product in products {
        let (must, is) = (recount.adds.get(product), answered.get(product));
        if must != is {
            differences += 1;
            report.violate(format!("{product} was added {is:?} times, {must:?} is right"));
        }
    }
    let minutes = compare::counts(&mut analytics, "events", &[], "1m", "events").await?;
    let events: i64 = minutes.values().sum();
    if events != recount.events {
        differences += 1;
        report.violate(format!("{events} events count, {} is right", recount.events));
    }
    report.note("products recounted", recount.adds.len() as f64, "");
    report.measure("totals that differ", f64::from(differences), "", Bar::AtMost(0.0));
    Ok(())
}
