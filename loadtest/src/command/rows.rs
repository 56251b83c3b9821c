//! `rows`: what tables in Cassandra cost and how old they are. Two rates, the second ten times the first: how many rows nodes write for an
//! event, and how much later than answers the rows of the products show what was counted, as whoever reads the table sees it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::time::{Instant, sleep};

use super::Common;
use super::load::Load;
use crate::limits;
use crate::measure::cpu;
use crate::measure::histogram::{Latencies, in_ms};
use crate::measure::report::{Bar, Report};
use crate::oracle::compare;
use crate::souk::client::{self, Analytics};
use crate::souk::cluster::{self, Cluster};
use crate::souk::tables::Tables;
use crate::souk::{http, shards::Shards};
use crate::traffic::Scenario;
use crate::traffic::batch::Carrier;

/// Between the two rates.
const TIMES: f64 = 10.0;
/// Rows for an event at the higher rate, and rows a second at it for one at the lower.
const ROWS: f64 = 0.01;
const MORE_ROWS: f64 = 1.5;
/// How old what a table shows may be.
const STALE: f64 = 1_000.0;
/// Load before rows are counted: all rows there will be are there, and are written again and again.
const WARM_UP: Duration = Duration::from_secs(5);
/// How often the table is read: a tenth of the age it may have. What is found is as much too old at most.
const LOOK: Duration = Duration::from_millis(100);
/// Rests between two answers whose rows are followed: each a step longer than the one before, up to a second, so that they come at every
/// moment of whatever the nodes do at intervals.
const REST_STEP: u64 = 130;
const REST_MOST: u64 = 1_000;
/// How long the rows of one answer are waited for.
const LOST: Duration = Duration::from_secs(20);
/// The series of rows written, a table each.
const COUNTED: &str = "table_rows_written_total{";

#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    cluster: cluster::Servers,
    /// Nodes that share the shards. Each has a budget of rows of its own.
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Events a second, at most; a tenth of it before.
    #[arg(long, default_value_t = 50_000.0)]
    rate: f64,
    /// Length of the load at each rate.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    #[arg(long, default_value_t = 2)]
    connections: usize,
    #[arg(long, default_value_t = 100)]
    batch: usize,
}

pub async fn run(common: &Common, options: &Options) -> Result<Report> {
    let place = common.place()?;
    let logs = options.cluster.logs(place.path(), "rows");
    let mut cluster = Cluster::new(&common.binary()?, &options.cluster, &logs, options.nodes).await?;
    let measured = measure(common, options, &mut cluster).await;
    let report = measured.with_context(|| format!("the nodes' last words:\n{}", cluster.logs()))?;
    report.print(common.json);
    Ok(report)
}

async fn measure(common: &Common, options: &Options, cluster: &mut Cluster) -> Result<Report> {
    (0..options.nodes).try_for_each(|number| cluster.start(number))?;
    cluster.ready().await?;
    cluster.served().await?;
    let scenario = Scenario::load(common.scenario.as_deref())?;
    let address = cluster.addresses()[0].clone();
    let load = Load::new(&address, &scenario, options.connections, options.batch, Carrier::Stream).await?;
    let mut report = Report::default();
    let few = at_rate(options.rate / TIMES, options, cluster, &load, &mut report).await?;
    let many = at_rate(options.rate, options, cluster, &load, &mut report).await?;
    report.measure("rows of tables for an event", many.rows_per_event, "", Bar::AtMost(ROWS));
    let more = many.rows_per_second / few.rows_per_second;
    report.measure("rows at ten times the rate", more, "times", Bar::AtMost(MORE_ROWS));
    report.measure("of a product's row behind its answer, p99", many.stale_p99, "ms", Bar::AtMost(STALE));
    report.measure("the most", many.stale_most, "ms", Bar::AtMost(STALE));
    Ok(report)
}

/// What was found at one rate.
struct Found {
    rows_per_event: f64,
    rows_per_second: f64,
    stale_p99: f64,
    stale_most: f64,
}

async fn at_rate(
    rate: f64,
    options: &Options,
    cluster: &Cluster,
    load: &Load,
    report: &mut Report,
) -> Result<Found> {
    load.run(rate, WARM_UP).await?;
    let tables = cluster.tables().connect().await?;
    let mut analytics = client::analytics(client::connect(&cluster.addresses()[0]).await?);
    let (rows, before, begun) = (written(cluster).await?, cluster.usage().await?, Instant::now());
    let until = begun + Duration::from_secs(options.seconds);
    let loaded = async {
        let outcome = load.run(rate, Duration::from_secs(options.seconds)).await?;
        anyhow::Ok((outcome, written(cluster).await? - rows, begun.elapsed().as_secs_f64()))
    };
    let ((outcome, rows, took), behind) = tokio::try_join!(loaded, followed(&tables, &mut analytics, until))?;
    let name = |what: &str| format!("{rate:.0}/s: {what}");
    for (reason, count) in &outcome.refused {
        report.violate(name(&format!("{count} batches refused: {reason}")));
    }
    report.note(name("events a second"), outcome.rate(), "1/s");
    report.note(name("rows written a second"), rows / took, "1/s");
    report.note(name("events for a row"), outcome.events as f64 / rows, "");
    report.note(name("rows of products followed"), behind.count() as f64, "");
    report.note(name("row behind its answer, p50"), in_ms(behind.quantile(0.5)), "ms");
    cluster.wait("every record is folded", limits::SETTLE, Shards::settled).await?;
    for (process, cost) in cpu::costs(&before, &cluster.usage().await?, outcome.events) {
        report.note(name(&format!("processor time of {process}")), cost, "s per million");
    }
    Ok(Found {
        rows_per_event: rows / outcome.events as f64,
        rows_per_second: rows / took,
        stale_p99: in_ms(behind.quantile(0.99)),
        stale_most: in_ms(behind.max()),
    })
}

/// Rows that all nodes have written to tables so far.
async fn written(cluster: &Cluster) -> Result<f64> {
    let mut rows = 0.0;
    for address in cluster.metrics_addresses() {
        let page = http::get(&address, "/metrics").await?;
        let series = page.lines().filter(|line| line.starts_with(COUNTED));
        let values = series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        rows += values.sum::<f64>();
    }
    ensure!(rows > 0.0, "no node says that it wrote rows: {COUNTED}");
    Ok(rows)
}

/// Asks what is counted of each product, then reads the table until it shows as much of each: how long after the answer that was. Again
/// until the time is over.
async fn followed(tables: &Tables, analytics: &mut Analytics, until: Instant) -> Result<Latencies> {
    let mut behind = Latencies::default();
    let mut rest = 0;
    while Instant::now() < until {
        let mut answered = compare::counts(analytics, "products", &["product"], "1h", "views").await?;
        let asked = Instant::now();
        while !answered.is_empty() {
            ensure!(asked.elapsed() < LOST, "the table does not show {answered:?}");
            sleep(LOOK).await;
            let shown = tables.of_products("views").await?;
            answered.retain(|product, views| {
                let is_shown = shown.get(product).is_some_and(|shown| shown >= views);
                if is_shown {
                    behind.record(asked.elapsed());
                }
                !is_shown
            });
        }
        rest = (rest + REST_STEP) % REST_MOST;
        sleep(Duration::from_millis(rest)).await;
    }
    Ok(behind)
}
