//! Watchers beside the load, one per kind of question, each of a few queries as a dashboard has them. They go on from their tokens at
//! whichever node is there, never see a step back, and reach the last state.

use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use souk_proto::v1;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::limits;
use crate::measure::report::{Bar, Report};
use crate::souk::client::Analytics;
use crate::watcher::follower::{self, Follower, Shared};

#[derive(Debug)]
pub struct Watchers {
    followers: Vec<Shared>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Watchers {
    pub fn start(addresses: &[String]) -> Self {
        let (stop, stopped) = watch::channel(false);
        let followers: Vec<Shared> =
            watched().into_iter().map(|queries| Arc::new(Mutex::new(Follower::new(queries)))).collect();
        let mut tasks = JoinSet::new();
        for (number, each) in followers.iter().enumerate() {
            // Each begins at another node.
            let mut addresses = addresses.to_vec();
            let first = number % addresses.len();
            addresses.rotate_left(first);
            tasks.spawn(follower::follow(addresses, Arc::clone(each), stopped.clone()));
        }
        Self { followers, stop, tasks }
    }

    /// Those that do not come to hold what a query answers now.
    pub async fn behind(&self, analytics: &mut Analytics) -> Result<Vec<String>> {
        let mut behind = Vec::new();
        for (each, queries) in self.followers.iter().zip(watched()) {
            for (number, query) in
                queries.into_iter().enumerate().filter(|(_, query)| query.window == "total")
            {
                let asked = v1::QueryMetricRequest { page_size: limits::PAGE, ..query };
                let answer = analytics.query_metric(asked.clone()).await?.into_inner();
                ensure!(answer.next_page_token.is_empty(), "more rows than one page: use a smaller scenario");
                let reached = timeout(limits::SETTLE / 4, async {
                    while !holds(each, number as i32, &answer.rows) {
                        sleep(limits::POLL).await;
                    }
                });
                if reached.await.is_err() {
                    let what = follower::with(each, |each| each.lacks(number as i32, &answer.rows));
                    behind
                        .push(format!("a watcher of {} does not end at the last state: {what}", asked.name));
                }
            }
        }
        Ok(behind)
    }

    /// Steps back, gaps and frames that break the contract, so far.
    pub fn faults(&self) -> usize {
        self.followers.iter().map(|each| follower::with(each, |each| each.faults.len())).sum()
    }

    /// Says what they saw, and ends them.
    pub async fn end(mut self, report: &mut Report) {
        let (mut frames, mut resumed, mut refused, mut steps_back) = (0, 0, 0, 0);
        for each in &self.followers {
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
        // They end with the channel too.
        self.stop.send(true).ok();
        while self.tasks.join_next().await.is_some() {}
    }
}

fn watched() -> Vec<Vec<v1::QueryMetricRequest>> {
    vec![
        vec![follower::total("products", &["product"]), follower::newest("events", "1m")],
        vec![follower::total("sales", &["category"]), follower::total("abandoned_carts", &["stage"])],
        vec![follower::total("products", &[]), follower::newest("active_users", "5m/1m")],
    ]
}

fn holds(follower: &Shared, query: i32, rows: &[v1::MetricRow]) -> bool {
    follower::with(follower, |follower| {
        let held: Vec<_> = follower.rows(query).map(|row| (&row.key, &row.values)).collect();
        let mut asked: Vec<_> = rows.iter().map(|row| (&row.key, &row.values)).collect();
        asked.sort_by(|a, b| a.0.cmp(b.0));
        held == asked
    })
}
