//! A watcher that believes nothing: it keeps the rows it was told of as a dashboard would, reconnects with its token whenever the
//! stream ends, and notes each step back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use souk_proto::v1;
use souk_proto::v1::stream_frame::Kind;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::Status;

use crate::limits;
use crate::souk::client;

/// How often the server says that it is there: a watcher of several nodes leaves one that is silent for longer than [`limits::TRY`].
const BOOKMARK: prost_types::Duration = prost_types::Duration { seconds: 1, nanos: 0 };

/// A row as a dashboard of newest windows tells rows apart: query and key.
pub type RowName = (i32, BTreeMap<String, String>);

#[derive(Debug, Default)]
pub struct Follower {
    queries: Vec<v1::QueryMetricRequest>,
    token: String,
    rows: BTreeMap<RowName, v1::MetricRow>,
    revisions: BTreeMap<RowName, i64>,
    /// Rows a snapshot under way has repeated.
    snapshot: Option<BTreeSet<RowName>>,
    /// What the frame before was worth, for frames that say nothing.
    revision: Option<i64>,
    pub frames: u64,
    pub connections: u64,
    /// Tokens the server would not go on from.
    pub tokens_refused: u64,
    pub farewells: u64,
    /// Where it reads now.
    pub address: String,
    /// Streams left because nothing came, not even a bookmark.
    pub silences: u64,
    pub faults: Vec<String>,
}

impl Follower {
    pub fn new(queries: Vec<v1::QueryMetricRequest>) -> Self {
        Self { queries, ..Self::default() }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Rows of one query as they are now.
    pub fn rows(&self, query: i32) -> impl Iterator<Item = &v1::MetricRow> {
        self.rows.iter().filter(move |((of, _), _)| *of == query).map(|(_, row)| row)
    }

    /// What it holds otherwise than was answered, for whoever has to find out why.
    pub fn lacks(&self, query: i32, answered: &[v1::MetricRow]) -> String {
        let held: BTreeMap<_, _> = self.rows(query).map(|row| (&row.key, &row.values)).collect();
        let answered: BTreeMap<_, _> = answered.iter().map(|row| (&row.key, &row.values)).collect();
        let names: BTreeSet<_> = held.keys().chain(answered.keys()).collect();
        let others: Vec<_> =
            names.into_iter().filter(|name| held.get(*name) != answered.get(*name)).collect();
        let first = others.first().map(|name| {
            format!("{name:?} is held as {:?}, answered as {:?}", held.get(*name), answered.get(*name))
        });
        let Self { address, frames, connections, revision, .. } = self;
        format!(
            "{} rows differ; {}; at {address}, its stream {connections}, {frames} frames, revision {revision:?}",
            others.len(),
            first.unwrap_or_default()
        )
    }

    /// A new stream begins: nothing said on the one before it counts but its token and its rows.
    fn begin(&mut self) -> v1::WatchMetricRequest {
        (self.snapshot, self.revision) = (None, None);
        v1::WatchMetricRequest {
            queries: self.queries.clone(),
            watch: Some(v1::WatchOptions {
                resume_token: self.token.clone(),
                bookmark_interval: Some(BOOKMARK),
                ..Default::default()
            }),
        }
    }

    /// Takes one frame in.
    pub fn take(&mut self, response: v1::WatchMetricResponse) {
        self.frames += 1;
        let Some(frame) = response.frame else {
            self.faults.push("a frame without a header".to_owned());
            return;
        };
        let kind = frame.kind();
        if frame.resume_token.is_empty() {
            self.faults.push(format!("a {kind:?} frame without a token"));
        } else {
            self.token = frame.resume_token;
        }
        let said = frame.info.as_ref().and_then(|info| info.revision);
        self.revision = said.or(self.revision);
        match kind {
            Kind::Snapshot | Kind::Delta | Kind::Delete => self.row(kind, response.query, response.row),
            Kind::SnapshotEnd => self.end_snapshot(),
            Kind::GoAway => self.farewells += 1,
            Kind::Bookmark | Kind::Lagged => {}
            Kind::Unspecified => self.faults.push("a frame of no kind".to_owned()),
        }
    }

    fn row(&mut self, kind: Kind, query: i32, row: Option<v1::MetricRow>) {
        let Some(row) = row else {
            self.faults.push(format!("a {kind:?} frame without a row"));
            return;
        };
        let name = (query, row.key.clone());
        let own = row.info.as_ref().and_then(|info| info.revision);
        if let Some(revision) = own.or(self.revision) {
            let before = self.revisions.insert(name.clone(), revision).unwrap_or(revision);
            if revision < before {
                self.faults.push(format!("row {name:?} stepped back from revision {before} to {revision}"));
            }
        }
        if kind == Kind::Delete {
            self.rows.remove(&name);
            return;
        }
        if kind == Kind::Snapshot {
            self.snapshot.get_or_insert_default().insert(name.clone());
        }
        self.rows.insert(name, row);
    }

    /// What the snapshot did not repeat is gone.
    fn end_snapshot(&mut self) {
        let repeated = self.snapshot.take().unwrap_or_default();
        self.rows.retain(|name, _| repeated.contains(name));
    }

    fn broken(&mut self, status: &Status) {
        match client::reason(status).as_str() {
            "RESUME_TOKEN_EXPIRED" | "RESUME_TOKEN_MISMATCH" => {
                self.tokens_refused += 1;
                self.token.clear();
            }
            _ => {}
        }
    }
}

/// A follower that a task feeds and others look at.
pub type Shared = Arc<Mutex<Follower>>;

pub fn with<T>(follower: &Shared, look: impl FnOnce(&mut Follower) -> T) -> T {
    look(&mut follower.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Follows until told to stop, through every break of the stream, at one node after the other.
pub async fn follow(addresses: Vec<String>, follower: Shared, mut stop: watch::Receiver<bool>) {
    for address in addresses.iter().cycle() {
        if *stop.borrow() {
            return;
        }
        tokio::select! {
            () = one_stream(address, &follower) => {}
            _ = stop.changed() => return,
        }
        sleep(limits::RECONNECT).await;
    }
}

async fn one_stream(address: &str, follower: &Shared) {
    let Ok(Ok(channel)) = timeout(limits::TRY, client::connect(address)).await else { return };
    let request = with(follower, Follower::begin);
    let mut analytics = client::analytics(channel);
    let mut frames = match timeout(limits::TRY, analytics.watch_metric(request)).await {
        Ok(Ok(frames)) => frames.into_inner(),
        Ok(Err(status)) => return with(follower, |follower| follower.broken(&status)),
        Err(_) => return,
    };
    with(follower, |follower| {
        follower.connections += 1;
        follower.address = address.to_owned();
    });
    loop {
        match timeout(limits::TRY, frames.message()).await {
            Ok(Ok(Some(frame))) => with(follower, |follower| follower.take(frame)),
            Ok(Ok(None)) => return,
            Ok(Err(status)) => return with(follower, |follower| follower.broken(&status)),
            Err(_) => return with(follower, |follower| follower.silences += 1),
        }
    }
}

/// A query for rows over all time.
pub fn total(metric: &str, group_by: &[&str]) -> v1::QueryMetricRequest {
    v1::QueryMetricRequest {
        name: format!("metrics/{metric}"),
        window: "total".to_owned(),
        group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    }
}

/// A query for the windows from now on.
pub fn newest(metric: &str, window: &str) -> v1::QueryMetricRequest {
    v1::QueryMetricRequest {
        name: format!("metrics/{metric}"),
        window: window.to_owned(),
        ..Default::default()
    }
}
