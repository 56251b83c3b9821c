//! Open-loop ingest, as several commands use it: batches at a fixed rate over several connections, each timed from when it was due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use souk_proto::v1;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::limits;
use crate::measure::clock;
use crate::measure::histogram::Latencies;
use crate::measure::schedule::{Due, Schedule};
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::traffic::Scenario;
use crate::traffic::batch::Carrier;
use crate::traffic::pool::Pool;

/// Events kept encoded: more than the caches hold, as in life.
const POOL: usize = 65_536;
/// Batches a stream's sender may be ahead of the connection.
const AHEAD: usize = 64;

/// Senders that are ready to go.
#[derive(Debug)]
pub struct Load {
    lanes: Vec<Lane>,
    pool: Arc<Pool>,
    batch: usize,
    carrier: Carrier,
    /// Ids go on from run to run.
    serial: Arc<AtomicU64>,
}

/// What came of one run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub latencies: Latencies,
    /// Events acknowledged.
    pub events: u64,
    /// Batches refused or broken, by reason.
    pub refused: BTreeMap<String, u64>,
    /// From the first due time to the last acknowledgement.
    pub took: Duration,
}

impl Outcome {
    fn refuse(&mut self, reason: String) {
        *self.refused.entry(reason).or_default() += 1;
    }

    fn join(&mut self, other: Self) {
        self.latencies.merge(&other.latencies);
        self.events += other.events;
        for (reason, count) in other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
    }

    /// Events acknowledged a second.
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

impl Load {
    pub async fn new(
        address: &str,
        scenario: &Scenario,
        connections: usize,
        batch: usize,
        carrier: Carrier,
    ) -> Result<Self> {
        let mut lanes = Vec::new();
        for _ in 0..connections {
            lanes.push(Lane::new(client::connect(address).await?));
        }
        let scenario = scenario.clone();
        let pool = tokio::task::spawn_blocking(move || Pool::new(&scenario, 1, POOL, carrier)).await?;
        // Runs on one data directory must not share ids: they start at the clock.
        let serial = u64::try_from(clock::now()).unwrap_or_default() << 20;
        Ok(Self { lanes, pool: Arc::new(pool), batch, carrier, serial: Arc::new(AtomicU64::new(serial)) })
    }

    /// `rate` events a second for `length`.
    pub async fn run(&self, rate: f64, length: Duration) -> Result<Outcome> {
        let schedule = Schedule::new(Instant::now(), rate / self.batch as f64, length);
        let mut outcome = match self.carrier {
            Carrier::Unary => self.unary(schedule).await,
            Carrier::Stream => self.streams(schedule).await?,
        };
        outcome.took = Instant::now() - schedule.due(0);
        Ok(outcome)
    }

    fn encode(&self, n: u64) -> bytes::Bytes {
        let serial = self.serial.fetch_add(self.batch as u64, Ordering::Relaxed);
        self.pool.batch(n as usize * self.batch, self.batch, serial, clock::now(), n as i64 + 1)
    }

    /// A call per batch; connections by turns.
    async fn unary(&self, schedule: Schedule) -> Outcome {
        let (done, mut results) = mpsc::channel(limits::IN_FLIGHT);
        let collected = tokio::spawn(async move {
            let mut outcome = Outcome::default();
            while let Some((latency, result)) = results.recv().await {
                match result {
                    Ok(events) => {
                        outcome.latencies.record(latency);
                        outcome.events += events;
                    }
                    Err(reason) => outcome.refuse(reason),
                }
            }
            outcome
        });
        let room = Arc::new(Semaphore::new(limits::IN_FLIGHT));
        let mut due = schedule.pace();
        while let Some(Due { n, at }) = due.recv().await {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
            let mut lane = self.lanes[n as usize % self.lanes.len()].clone();
            let (request, batch, done) = (self.encode(n), self.batch as u64, done.clone());
            tokio::spawn(async move {
                let answer = timeout(limits::CALL, lane.publish(request)).await;
                let result = match answer {
                    Ok(Ok(answer)) => Ok(taken(answer.counts, batch)),
                    Ok(Err(status)) => Err(client::reason(&status)),
                    Err(_) => Err("no answer".to_owned()),
                };
                // The collector ends when every sender has.
                done.send((Instant::now().saturating_duration_since(at), result)).await.ok();
                drop(permit);
            });
        }
        drop(done);
        collected.await.unwrap_or_default()
    }

    /// One stream per connection; batches by turns, acknowledged in order.
    async fn streams(&self, schedule: Schedule) -> Result<Outcome> {
        let mut senders = Vec::new();
        let mut readers: JoinSet<Outcome> = JoinSet::new();
        for lane in &self.lanes {
            let (requests, sent) = mpsc::channel(AHEAD);
            let mut lane = lane.clone();
            senders.push(requests);
            let batch = self.batch as u64;
            // The answer's headers come with the first batch: nobody may wait for them here.
            readers.spawn(async move {
                match lane.stream(ReceiverStream::new(sent)).await {
                    Ok(answers) => acknowledged(answers, schedule, batch).await,
                    Err(status) => {
                        let mut outcome = Outcome::default();
                        outcome.refuse(client::reason(&status));
                        outcome
                    }
                }
            });
        }
        let mut due = schedule.pace();
        while let Some(Due { n, .. }) = due.recv().await {
            let sender = &senders[n as usize % senders.len()];
            if sender.send(self.encode(n)).await.is_err() {
                break;
            }
        }
        drop(senders);
        let mut outcome = Outcome::default();
        while let Some(read) = readers.join_next().await {
            outcome.join(read.context("a reader of acknowledgements")?);
        }
        Ok(outcome)
    }
}

/// Reads one stream's acknowledgements; a batch's number says when it was due.
async fn acknowledged(
    mut answers: Streaming<v1::StreamEventsResponse>,
    schedule: Schedule,
    batch: u64,
) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        match answers.message().await {
            Ok(Some(answer)) if answer.seq > 0 => {
                let due = schedule.due(answer.seq as u64 - 1);
                outcome.latencies.record(Instant::now().saturating_duration_since(due));
                outcome.events += taken(answer.counts, batch);
            }
            Ok(Some(_)) => {}
            Ok(None) => return outcome,
            Err(status) => {
                outcome.refuse(client::reason(&status));
                return outcome;
            }
        }
    }
}

fn taken(counts: Option<v1::VerdictCounts>, batch: u64) -> u64 {
    let rejected = counts.unwrap_or_default().rejected();
    batch.saturating_sub(u64::try_from(rejected).unwrap_or_default())
}

/// Runs probes of every key by turns, `rate` a second in all, until the handle is aborted or `length` is over.
pub fn probe(
    probes: &Arc<crate::watcher::probe::Probes>,
    mut lane: Lane,
    keys: usize,
    rate: f64,
    length: Duration,
) -> JoinHandle<Result<()>> {
    let probes = Arc::clone(probes);
    let mut due = Schedule::new(Instant::now(), rate, length).pace();
    tokio::spawn(async move {
        while let Some(Due { n, at }) = due.recv().await {
            probes.send(&mut lane, n as usize % keys, at).await?;
        }
        Ok(())
    })
}
