//! What the node knows of itself, for AdminService: its version, what an acknowledgement means, and how its dependencies answer. They
//! are asked every few seconds, so that the answer is there when somebody wants it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use souk_api::admin::NodeFacts;
use souk_model::journal::ShardId;
use souk_proto::v1::{self, dependency::State};
use souk_runtime::Ports;
use tokio::time::{Instant, interval, timeout};

use super::bridges::Bridges;
use crate::config::{Config, Durability};

/// How often dependencies are asked.
const EVERY: Duration = Duration::from_secs(5);
/// An answer that takes longer is degraded.
const SLOW: Duration = Duration::from_millis(250);
/// An answer that takes longer is none.
const NONE: Duration = Duration::from_secs(2);
/// Whose end and manifest are asked for: every node that can answer at all has it.
const SHARD: ShardId = ShardId::users(0);

/// The facts, as last seen.
#[derive(Debug)]
pub(super) struct Facts {
    durability: &'static str,
    bridges: Arc<Bridges>,
    dependencies: RwLock<Vec<v1::Dependency>>,
}

impl Facts {
    pub(super) fn new(config: &Config, bridges: Arc<Bridges>) -> Arc<Self> {
        let durability = match config.journal.durability {
            _ if config.is_distributed() => "replicated",
            Durability::Fsync => "fsync",
            Durability::Interval => "interval",
        };
        Arc::new(Self { durability, bridges, dependencies: RwLock::default() })
    }

    /// Asks until it is aborted.
    pub(super) async fn follow(self: Arc<Self>, ports: Ports) {
        let mut every = interval(EVERY);
        loop {
            every.tick().await;
            let journal = asked("journal", async { ports.journal.ends(SHARD).await.is_ok() });
            let store = asked("store", async { ports.store.manifest(SHARD).await.is_ok() });
            let (journal, store) = tokio::join!(journal, store);
            let cache = ports.views.cache.as_ref().map(|cache| view(cache.figures().open));
            *self.dependencies.write() = [journal, store].into_iter().chain(cache).collect();
        }
    }
}

/// The view in Redis, as its last requests found it. Nothing waits for it, so its answers are not timed.
fn view(is_away: bool) -> v1::Dependency {
    let (state, message) = match is_away {
        true => (State::Down, "does not answer; readers of it see older values"),
        false => (State::Healthy, ""),
    };
    v1::Dependency {
        name: "view".to_owned(),
        state: state.into(),
        message: message.to_owned(),
        ..v1::Dependency::default()
    }
}

/// A topic of others, as its bridge finds it.
fn bridge(topic: &str, problem: Option<String>) -> v1::Dependency {
    let state = if problem.is_none() { State::Healthy } else { State::Down };
    v1::Dependency {
        name: format!("bridge {topic}"),
        state: state.into(),
        message: problem.unwrap_or_default(),
        ..v1::Dependency::default()
    }
}

async fn asked(name: &str, answers: impl Future<Output = bool>) -> v1::Dependency {
    let began = Instant::now();
    let answered = timeout(NONE, answers).await;
    let took = began.elapsed();
    let (state, message) = match answered {
        Ok(true) if took <= SLOW => (State::Healthy, ""),
        Ok(true) => (State::Degraded, "answers slowly"),
        Ok(false) => (State::Down, "answers that it cannot"),
        Err(_) => (State::Down, "does not answer"),
    };
    v1::Dependency {
        name: name.to_owned(),
        state: state.into(),
        response_time: prost_types::Duration::try_from(took).ok(),
        message: message.to_owned(),
    }
}

impl NodeFacts for Facts {
    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn durability(&self) -> String {
        self.durability.to_owned()
    }

    fn dependencies(&self) -> Vec<v1::Dependency> {
        let bridges = self.bridges.counts();
        let bridges = bridges.into_iter().map(|(topic, counts)| bridge(&topic, counts.problem));
        self.dependencies.read().iter().cloned().chain(bridges).collect()
    }
}
