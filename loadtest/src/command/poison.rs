//! `poison`: messages that cannot count pour into a bridged topic while three nodes are called. How long events of every shard take to be
//! judged meanwhile, whether each message is set aside with its reason, and at rest the recount of everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::callers::Callers;
use super::{Common, measured_on};
use crate::fire::samples::Window;
use crate::limits;
use crate::measure::clock::{self, Millis};
use crate::measure::histogram::in_ms;
use crate::measure::report::{Bar, Report};
use crate::souk::cluster::{self, Cluster, SHARDS};
use crate::souk::topic::TopicAt;

const NODES: usize = 3;
/// Load before the poison, and after it.
const CALM: Duration = Duration::from_secs(10);
/// How much longer than before an event of any shard may take.
const STALLED: f64 = 100.0;
/// Bytes of the largest messages, of which there is one for so many others.
const LARGE: usize = 10_000_000;
const LARGE_EVERY: u64 = 5_000;

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    cluster: cluster::Servers,
    /// Messages that cannot count.
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
    /// Users there are.
    #[arg(long, default_value_t = 1_000)]
    users: u64,
    /// Events a second that can.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let place = common.place()?;
    let logs = options.cluster.logs(place.path(), "poison");
    let brokers = options.cluster.brokers().await?;
    let topic = TopicAt { brokers, topic: format!("{}-ledger", cluster::run_name()) };
    topic.make(SHARDS, LARGE + LARGE / 10).await?;
    std::fs::create_dir_all(&logs)?;
    let bridge = std::path::absolute(logs.join("ledger.toml"))?;
    std::fs::write(&bridge, format!("topic = {:?}\nformat = \"commerce\"\n", topic.topic))?;
    let mut binary = common.binary()?;
    binary.env.push(("SOUK__BRIDGE__FILES".to_owned(), bridge.display().to_string()));
    let cluster = Cluster::new(&binary, &options.cluster, &logs, NODES).await?;
    measured_on(common, cluster, async |cluster, report| one(common, options, &topic, cluster, report).await)
        .await
}

/// Answers how many rows of tables are wrong at rest.
async fn one(
    common: &Common,
    options: &Options,
    topic: &TopicAt,
    cluster: &mut Cluster,
    report: &mut Report,
) -> Result<usize> {
    let callers = Callers::start(common, cluster, NODES, options.users, (options.rate, options.seed)).await?;
    let calm = Instant::now();
    sleep(CALM).await;
    // What pouring alone costs on a machine that nodes, broker and load share.
    let unread = TopicAt { topic: format!("{}_unread", topic.topic), ..topic.clone() };
    unread.make(SHARDS, LARGE + LARGE / 10).await?;
    let control = Instant::now();
    pour(&unread, options.messages).await??;
    sleep(CALM).await;
    let messages = options.messages;
    let poured = Instant::now();
    let sent = pour(topic, messages);
    let letters = TopicAt { topic: format!("{}_dlq", topic.topic), ..topic.clone() };
    let reasons = set_aside(&letters, messages).await?;
    sent.await??;
    let over = Instant::now();
    report.note("messages set aside a second", messages as f64 / (over - poured).as_secs_f64(), "1/s");
    sleep(CALM).await;
    stalls(&callers, [(calm, control), (control, poured), (poured, over)], report);
    told(&reasons, messages, report);
    callers.rest(cluster, report).await
}

/// How long events of all shards took: before, while as many messages are poured that nobody reads, and while they are set aside.
fn stalls(callers: &Callers, [before, alone, meanwhile]: [Window; 3], report: &mut Report) {
    let quantile = |window: Window, quantile| in_ms(callers.pulses_within(&[window]).quantile(quantile));
    for (when, window) in
        [("before", before), ("while messages nobody reads are poured", alone), ("meanwhile", meanwhile)]
    {
        report.note(format!("events judged {when}, p99"), quantile(window, 0.99), "ms");
        report.note(format!("longest an event of any shard took {when}"), quantile(window, 1.0), "ms");
    }
    let more_than = |window| (quantile(meanwhile, 1.0) - quantile(window, 1.0)).max(0.0);
    report.note("more than while messages nobody reads are poured", more_than(alone), "ms");
    report.measure("more than before", more_than(before), "ms", Bar::AtMost(STALLED));
}

/// Whether each is set aside as what it is.
fn told(reasons: &BTreeMap<String, u64>, messages: u64, report: &mut Report) {
    for (reason, wanted) in expected(messages) {
        let found = reasons.get(reason).copied().unwrap_or_default();
        report.note(format!("set aside as {reason}"), found as f64, "");
        if found != wanted {
            report.violate(format!("{found} messages are set aside as {reason}, {wanted} is right"));
        }
    }
}

/// Sends all of them; done once the broker has them.
fn pour(to: &TopicAt, messages: u64) -> JoinHandle<Result<()>> {
    let to = to.clone();
    tokio::task::spawn_blocking(move || to.fill((0..messages).map(poison), LARGE + LARGE / 10))
}

/// The n-th message, with its key: undecodable, of a wrong type, of a time to come, out of bounds, and now and then a very large one.
fn poison(n: u64) -> (String, Vec<u8>) {
    let mut message = json!({
        "transactionId": format!("x-{n}"),
        "userId": format!("u-{}", n % 997),
        "transactionType": "purchase",
        "amount": 12.5,
        "currency": "EUR",
        "transactionDate": written(clock::now()),
        "category": "home",
    });
    let bytes = match reason(n) {
        "PAYLOAD_UNDECODABLE" => b"{\"transactionId\":".to_vec(),
        reason => {
            let (field, value) = match reason {
                "FIELD_INVALID" => ("amount", json!({ "much": true })),
                "TIME_OUT_OF_RANGE" => ("transactionDate", json!("2099-01-01T00:00:00Z")),
                "VALUE_OUT_OF_RANGE" => ("amount", json!(-1)),
                _ => ("note", Value::String("x".repeat(LARGE))),
            };
            message[field] = value;
            message.to_string().into_bytes()
        }
    };
    (format!("x-{n}"), bytes)
}

fn reason(n: u64) -> &'static str {
    if n.is_multiple_of(LARGE_EVERY) {
        return "MESSAGE_TOO_LARGE";
    }
    match n % 4 {
        0 => "PAYLOAD_UNDECODABLE",
        1 => "FIELD_INVALID",
        2 => "TIME_OUT_OF_RANGE",
        _ => "VALUE_OUT_OF_RANGE",
    }
}

fn expected(messages: u64) -> BTreeMap<&'static str, u64> {
    let mut expected = BTreeMap::new();
    (0..messages).for_each(|n| *expected.entry(reason(n)).or_default() += 1);
    expected
}

fn written(at: Millis) -> String {
    clock::timestamp(at).to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letter {
    error_type: String,
}

/// Waits until so many letters are there, and counts their reasons; one that came twice has the same key and counts once.
async fn set_aside(letters: &TopicAt, messages: u64) -> Result<BTreeMap<String, u64>> {
    let deadline = Instant::now() + limits::PATIENCE;
    loop {
        ensure!(Instant::now() < deadline, "{messages} messages are not all set aside");
        sleep(limits::LOOK).await;
        let from = letters.clone();
        // Until the first letter there is no such topic.
        let count = tokio::task::spawn_blocking(move || from.count()).await?.unwrap_or_default();
        if count < messages {
            continue;
        }
        let from = letters.clone();
        let reasons = tokio::task::spawn_blocking(move || reasons(&from)).await??;
        if reasons.values().sum::<u64>() >= messages {
            return Ok(reasons);
        }
    }
}

fn reasons(letters: &TopicAt) -> Result<BTreeMap<String, u64>> {
    let (mut reasons, mut known) = (BTreeMap::new(), BTreeSet::new());
    letters.read(|key, payload| {
        let letter: Letter = serde_json::from_slice(payload).context("a letter")?;
        if known.insert(key.to_vec()) {
            *reasons.entry(letter.error_type).or_default() += 1;
        }
        Ok(())
    })?;
    Ok(reasons)
}
