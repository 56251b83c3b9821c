//! One round: faults under load, calm, rest, and the comparison of everything.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep, timeout};

use super::Scene;
use super::schedule::Fault;
use super::strike::strike;
use crate::fire::rest::{self, Compared};
use crate::fire::samples::Window;
use crate::limits;
use crate::measure::clock::MINUTE;
use crate::measure::report::Report;
use crate::oracle;
use crate::souk::client;
use crate::souk::doors::Doors;

/// Load without faults between two rounds: what is outside them is measured here.
const CALM: Duration = Duration::from_secs(3);

/// What came of all rounds so far.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) rounds: u32,
    pub(super) killed: u32,
    pub(super) paused: u32,
    pub(super) drained: u32,
    pub(super) cut_off: u32,
    /// Nodes that ended though nobody asked them to.
    pub(super) died: u32,
    pub(super) lost: i64,
    pub(super) doubled: i64,
    /// Rows of tables that were wrong at rest.
    pub(super) wrong_tables: usize,
    pub(super) slowest: Duration,
    /// Longest time from rest to right answers.
    pub(super) settled: Duration,
    pub(super) windows: Vec<Window>,
}

impl Scene {
    pub(super) async fn round(
        &mut self,
        faults: &[Fault],
        sums: &mut Sums,
        report: &mut Report,
    ) -> Result<()> {
        let from = Instant::now();
        let over = {
            let striking = strike(&mut self.cluster, faults, sums);
            let (conductor, course) = (&self.conductor, self.course);
            let load = async {
                loop {
                    if let Err(error) = conductor.slice(course).await {
                        return error;
                    }
                }
            };
            tokio::select! {
                over = striking => over?,
                error = load => return Err(error),
                Some(lane) = self.lanes.join_next() => {
                    lane??;
                    anyhow::bail!("a lane ended before the traffic did");
                }
            }
        };
        let until = Instant::now();
        sums.slowest = sums.slowest.max(until - over);
        sums.windows.push((from, until));
        let calm = Instant::now() + CALM;
        while Instant::now() < calm {
            self.conductor.slice(self.course).await?;
        }
        if let Some(error) = self.readers.failed().await {
            return Err(error.context("a reader"));
        }
        self.at_rest(sums, report).await
    }

    /// Waits until all has been folded and time has passed, and compares.
    pub(super) async fn at_rest(&mut self, sums: &mut Sums, report: &mut Report) -> Result<()> {
        self.conductor.pause(self.course).await?;
        let held =
            timeout(limits::PATIENCE, self.pulses.hold()).await.context("the pulses do not rest")??;
        self.conductor.count(&self.pulses.acknowledged());
        let (mut oracle, last) = self.conductor.so_far();
        oracle.settle();
        let due = last + oracle::ABANDON_AFTER + MINUTE;
        let what = "every record folded and every cart due";
        let is_due = |shards: &crate::souk::shards::Shards| {
            shards.settled() && shards.watermark().is_some_and(|watermark| watermark > due)
        };
        let shards = self.cluster.wait(what, limits::RECOVER, is_due).await?;
        let channel = client::lazy(&self.cluster.addresses()[0])?;
        let compared = rest::compared(&oracle, channel.clone(), limits::SETTLE).await?;
        let round = sums.rounds + 1;
        compared
            .differences
            .iter()
            .for_each(|difference| report.violate(format!("round {round}: {difference}")));
        let tables = rest::stands(&oracle, &self.cluster.tables(), shards.watermark().unwrap_or(due)).await?;
        tables.wrong.iter().for_each(|row| report.violate(format!("round {round}: {row}")));
        sums.wrong_tables += tables.wrong.len();
        let mut doors = Doors::new(&self.cluster.addresses(), 0)?;
        let unknown = rest::unknown(&mut doors, &self.conductor.ledger()).await?;
        unknown.iter().for_each(|event| report.violate(format!("round {round}: {event}")));
        for behind in self.watchers.behind(&mut client::analytics(channel)).await? {
            report.violate(format!("round {round}: {behind}"));
        }
        // They tell what they found wrong at the end; the round is wrong now.
        if self.watchers.faults() > 0 {
            report.violate(format!("round {round}: a watcher saw a step back or a gap"));
        }
        sums.lost += compared.lost + unknown.len() as i64;
        sums.doubled += compared.doubled;
        sums.settled = sums.settled.max(compared.settled_after);
        let Compared { differences, rows, settled_after, held_by, .. } = compared;
        let (differ, counted) = (differences.len(), oracle.counted);
        eprintln!(
            "round {round}: {differ} figures differ in {rows} rows after {settled_after:?}, {counted} events counted"
        );
        let (wrong, stand) = (tables.wrong.len(), tables.rows);
        eprintln!(
            "round {round}: {wrong} of {stand} rows of tables are wrong after {:?}",
            tables.settled_after
        );
        if differ > 0 {
            eprintln!("answers say they wait for {held_by:?}");
        }
        drop(held);
        sleep(limits::POLL).await;
        Ok(())
    }
}
