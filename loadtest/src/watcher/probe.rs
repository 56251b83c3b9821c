//! Probes: how soon a change shows. A probe is a product view of a product that only one prober ever views, so the count of views a
//! frame carries says which probes it holds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use souk_proto::v1;
use souk_proto::v1::event::Kind;
use souk_proto::v1::stream_frame;
use souk_proto::v1::{AckLevel, VerdictView, metric_value};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tonic::Streaming;
use tonic::transport::Channel;

use crate::limits;
use crate::measure::clock;
use crate::measure::histogram::Latencies;
use crate::souk::client;
use crate::souk::lane::Lane;
use crate::traffic::batch;

/// The probes of one key, in the order in which they were due.
#[derive(Debug, Default)]
struct Log {
    due: Vec<Instant>,
    acknowledged: Vec<Option<Instant>>,
}

/// What watchers saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub from_due: Latencies,
    pub from_ack: Latencies,
    /// When each change was seen, and how long after it was due.
    pub samples: Vec<(Instant, Duration)>,
}

/// A set of keys that are probed and watched.
#[derive(Debug)]
pub struct Probes {
    prefix: String,
    logs: Vec<Mutex<Log>>,
    seen: Mutex<Seen>,
    keep_samples: bool,
}

impl Probes {
    pub fn new(prefix: &str, keys: usize, keep_samples: bool) -> Arc<Self> {
        let logs = (0..keys).map(|_| Mutex::default()).collect();
        Arc::new(Self { prefix: prefix.to_owned(), logs, seen: Mutex::default(), keep_samples })
    }

    fn product(&self, key: usize) -> String {
        format!("{}-{key}", self.prefix)
    }

    pub fn request(&self, key: usize) -> v1::WatchMetricRequest {
        let query = v1::QueryMetricRequest {
            name: "metrics/products".to_owned(),
            window: "total".to_owned(),
            r#where: [("product".to_owned(), self.product(key))].into(),
            ..Default::default()
        };
        v1::WatchMetricRequest { queries: vec![query], watch: None }
    }

    /// A probe is on its way; answers its place among those of its key.
    pub(super) fn note(&self, key: usize, due: Instant) -> usize {
        let mut log = lock(&self.logs[key]);
        log.due.push(due);
        log.acknowledged.push(None);
        log.due.len() - 1
    }

    /// Sends one probe, due at `due`.
    pub async fn send(&self, lane: &mut Lane, key: usize, due: Instant) -> Result<()> {
        let n = self.note(key, due);
        ensure!(n < limits::PROBES, "more probes than one key keeps");
        let view = v1::ProductView {
            product_id: self.product(key),
            category: "probe".to_owned(),
            ..Default::default()
        };
        let event = v1::Event {
            event_id: format!("{}-{key}-{n}", self.prefix),
            event_time: Some(clock::timestamp(clock::now())),
            user_id: format!("{}-user-{key}", self.prefix),
            kind: Some(Kind::ProductView(view)),
            ..Default::default()
        };
        let request = batch::publish_request(vec![event], AckLevel::Logged, VerdictView::Problems);
        lane.publish(request)
            .await
            .with_context(|| format!("publishing a probe of {}", self.product(key)))?;
        lock(&self.logs[key]).acknowledged[n] = Some(Instant::now());
        Ok(())
    }

    /// Opens a watch of one key and reads its snapshot; then a task times every change.
    async fn watch(self: &Arc<Self>, channel: Channel, key: usize) -> Result<()> {
        let mut analytics = client::analytics(channel);
        let opening = analytics.watch_metric(self.request(key));
        let mut frames = timeout(limits::CALL, opening).await.context("opening a watch")??.into_inner();
        loop {
            let frame =
                timeout(limits::CALL, frames.message()).await.context("waiting for the snapshot")??;
            let frame = frame.context("the watch ended within its snapshot")?;
            if frame.frame.is_some_and(|frame| frame.kind() == stream_frame::Kind::SnapshotEnd) {
                break;
            }
        }
        let probes = Arc::clone(self);
        let seen_before = lock(&self.logs[key]).due.len();
        tokio::spawn(async move { probes.time(frames, key, seen_before).await });
        Ok(())
    }

    /// Opens so many watches, keys by turns, so many to a connection; connections side by side, as clients come.
    pub async fn watch_all(self: &Arc<Self>, address: &str, count: usize) -> Result<()> {
        let mut opening = JoinSet::new();
        for first in (0..count).step_by(limits::STREAMS_PER_CONNECTION) {
            let channel = client::connect(address).await?;
            let probes = Arc::clone(self);
            let last = (first + limits::STREAMS_PER_CONNECTION).min(count);
            opening.spawn(async move {
                for n in first..last {
                    probes.watch(channel.clone(), n % probes.logs.len()).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(opened) = opening.join_next().await {
            opened??;
        }
        Ok(())
    }

    async fn time(&self, mut frames: Streaming<v1::WatchMetricResponse>, key: usize, mut counted: usize) {
        while let Ok(Some(frame)) = frames.message().await {
            let now = Instant::now();
            let Some(views) = frame.row.as_ref().and_then(|row| row.values.get("views")) else { continue };
            let Some(metric_value::Value::Integer(views)) = views.value else { continue };
            let log = lock(&self.logs[key]);
            let views = usize::try_from(views).unwrap_or_default().min(log.due.len());
            let mut seen = lock(&self.seen);
            for n in counted..views {
                let latency = now.saturating_duration_since(log.due[n]);
                seen.from_due.record(latency);
                // A frame may overtake its acknowledgement: then it took no time at all.
                seen.from_ack.record(
                    log.acknowledged[n].map_or(Duration::ZERO, |at| now.saturating_duration_since(at)),
                );
                if self.keep_samples {
                    seen.samples.push((now, latency));
                }
            }
            counted = counted.max(views);
        }
    }

    /// What was seen since the last time.
    pub fn take(&self) -> Seen {
        std::mem::take(&mut *lock(&self.seen))
    }

    /// How many changes so many watchers are to see: each probe reaches all watchers of its key, who share the keys out by turns.
    pub fn expected(&self, watchers: usize) -> u64 {
        let keys = self.logs.len();
        let of_key = |key: usize| (watchers + keys - 1 - key) / keys;
        self.logs.iter().enumerate().map(|(key, log)| (lock(log).due.len() * of_key(key)) as u64).sum()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
