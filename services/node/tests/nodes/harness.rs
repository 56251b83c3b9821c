//! Nodes in one process that share a journal and a store and speak to each other directly: what a cluster is, without its servers. Which shard
//! is whose is for the test to say.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use parking_lot::Mutex;
use souk_journal::{EmbeddedJournal, OnFatal};
use souk_model::journal::{Partitions, ShardId};
use souk_model::time::Millis;
use souk_proto::internal::v1::{
    AskRequest, AskResponse, FollowRequest, Interest, LinkRequest, ask_request, link_request,
};
use souk_runtime::conformance::memory::MemoryCache;
use souk_runtime::observe::ShardState;
use souk_runtime::ports::{
    Clock, History, HistoryAt, Inbound, Journal, LinkInbound, News, Peers, Placement, Store, Unreachable,
    Views,
};
use souk_runtime::{Config, Ports, Runtime};
use souk_store::EmbeddedStore;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) const PARTITIONS: Partitions = Partitions { users: 4, products: 4 };
/// How long anything here may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    // The adapter that reads the machine's clock.
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Millis {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        i64::try_from(since.as_millis()).expect("fits")
    }
}

/// Who can be reached at which address.
#[derive(Debug, Default)]
struct Net(Mutex<BTreeMap<String, Weak<dyn Inbound>>>);

impl Net {
    fn at(&self, address: &str) -> Result<Arc<dyn Inbound>, Unreachable> {
        self.0.lock().get(address).and_then(Weak::upgrade).ok_or(Unreachable)
    }
}

struct Direct {
    address: String,
    net: Arc<Net>,
    links: Mutex<BTreeMap<String, Box<dyn LinkInbound>>>,
    watched: Mutex<bool>,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("address", &self.address).finish_non_exhaustive()
    }
}

fn interest(watched: bool) -> LinkRequest {
    let message = Some(link_request::Message::Interest(Interest { watched }));
    LinkRequest { message, ..LinkRequest::default() }
}

#[async_trait]
impl Peers for Direct {
    fn address(&self) -> &str {
        &self.address
    }

    fn tell(&self, address: &str, message: LinkRequest) -> bool {
        let mut links = self.links.lock();
        let Ok(inbound) = self.net.at(address) else {
            links.remove(address);
            return false;
        };
        let link = links.entry(address.to_owned()).or_insert_with(|| {
            let mut link = inbound.link_opened();
            link.hear(interest(*self.watched.lock()));
            link
        });
        link.hear(message);
        true
    }

    fn set_interest(&self, watched: bool) {
        *self.watched.lock() = watched;
        self.links.lock().values_mut().for_each(|link| link.hear(interest(watched)));
    }

    async fn ask(
        &self,
        address: &str,
        question: ask_request::Question,
        deadline: Instant,
    ) -> Result<AskResponse, Unreachable> {
        let inbound = self.net.at(address)?;
        let patience = deadline.saturating_duration_since(Instant::now()).as_millis();
        let request = AskRequest { patience_ms: patience as u32, question: Some(question) };
        Ok(inbound.answer(request).await)
    }

    async fn follow(&self, address: &str, request: FollowRequest) -> Result<News, Unreachable> {
        self.net.at(address)?.follow(request).map_err(|_| Unreachable)
    }
}

/// Placement as the test says.
#[derive(Debug)]
struct Told(watch::Sender<Arc<BTreeSet<ShardId>>>);

impl Placement for Told {
    fn shards(&self) -> watch::Receiver<Arc<BTreeSet<ShardId>>> {
        self.0.subscribe()
    }
}

pub(crate) struct Cluster {
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    /// What they all publish to.
    pub(crate) cache: Arc<MemoryCache>,
    net: Arc<Net>,
    _dir: TempDir,
}

pub(crate) struct Node {
    pub(crate) runtime: Arc<Runtime>,
    placement: Arc<Told>,
    address: String,
    net: Arc<Net>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let on_fatal = OnFatal::new(|error| panic!("{error}"));
        let options = souk_journal::Options::new(dir.path().join("journal"), PARTITIONS, 7, on_fatal);
        let journal = EmbeddedJournal::open(options, Arc::new(SystemClock)).unwrap();
        let store = EmbeddedStore::open(dir.path().join("store.redb")).unwrap();
        Self {
            journal: Arc::new(journal),
            store: Arc::new(store),
            cache: Arc::default(),
            net: Arc::default(),
            _dir: dir,
        }
    }

    /// A node that carries these shards.
    pub(crate) async fn node(&self, name: &str, shards: impl IntoIterator<Item = ShardId>) -> Node {
        self.node_that_shows(name, shards, self.views()).await
    }

    /// One that keeps all events in a history.
    pub(crate) async fn node_that_keeps(
        &self,
        name: &str,
        shards: impl IntoIterator<Item = ShardId>,
        history: Arc<dyn History>,
    ) -> Node {
        let (journal, tables) = (Arc::clone(&self.journal), vec!["ecommerce_events".to_owned()]);
        let history = Some(HistoryAt { history, journal, tables });
        self.node_that_shows(name, shards, Views { history, ..self.views() }).await
    }

    fn views(&self) -> Views {
        Views { cache: Some(Arc::clone(&self.cache) as _), ..Views::default() }
    }

    async fn node_that_shows(
        &self,
        name: &str,
        shards: impl IntoIterator<Item = ShardId>,
        views: Views,
    ) -> Node {
        let placement = Arc::new(Told(watch::Sender::new(Arc::new(shards.into_iter().collect()))));
        let address = format!("{name}:7071");
        let (net, links, watched) = (Arc::clone(&self.net), Mutex::default(), Mutex::default());
        let peers = Direct { address: address.clone(), net, links, watched };
        let ports = Ports {
            placement: Arc::clone(&placement) as _,
            peers: Arc::new(peers),
            views,
            ..Ports::alone(Arc::clone(&self.journal), Arc::clone(&self.store), Arc::new(SystemClock))
        };
        let config = Config {
            node: name.to_owned(),
            incarnation: 1,
            settings: String::new(),
            memory_budget: 64 << 20,
            timed: false,
        };
        let runtime = Runtime::start(config, ports).await.unwrap();
        let node = Node { runtime, placement, address, net: Arc::clone(&self.net) };
        node.connect();
        node
    }
}

impl Node {
    /// Others reach it.
    fn connect(&self) {
        let inbound: Arc<dyn Inbound> = Arc::clone(&self.runtime) as _;
        self.net.0.lock().insert(self.address.clone(), Arc::downgrade(&inbound));
    }

    /// Nobody reaches it any more, as when it died; what it carries it goes on carrying.
    pub(crate) fn disconnect(&self) {
        self.net.0.lock().remove(&self.address);
    }

    /// It is to carry these shards now, and no others.
    pub(crate) fn place(&self, shards: impl IntoIterator<Item = ShardId>) {
        self.placement.0.send_replace(Arc::new(shards.into_iter().collect()));
    }

    /// Waits until it serves exactly these.
    pub(crate) async fn serves(&self, shards: impl IntoIterator<Item = ShardId>) {
        let wanted: BTreeSet<ShardId> = shards.into_iter().collect();
        until(|| {
            let statuses = self.runtime.statuses();
            let serving = statuses.iter().filter(|status| status.state == ShardState::Serving);
            serving.map(|status| status.shard).collect::<BTreeSet<_>>() == wanted
        })
        .await;
    }
}

/// Waits for a condition.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    within(async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !holds() {
            ticks.tick().await;
        }
    })
    .await;
}

/// Fails the test rather than hang it.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("not within the test's patience")
}
