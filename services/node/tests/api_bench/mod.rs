//! One whole node in this process, on its embedded ports, behind a server on a free port of loopback.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

// Each test file uses its own part of it.
#![allow(dead_code)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use souk_api::admin::NodeFacts;
use souk_api::{ApiError, Options, Server};
use souk_journal::{EmbeddedJournal, OnFatal};
use souk_model::journal::Partitions;
use souk_model::time::Millis;
use souk_proto::grpc::client::admin_service_client::AdminServiceClient;
use souk_proto::grpc::client::analytics_service_client::AnalyticsServiceClient;
use souk_proto::grpc::client::event_service_client::EventServiceClient;
use souk_proto::grpc::client::user_service_client::UserServiceClient;
use souk_proto::v1;
use souk_runtime::ports::{Clock, Journal, Views};
use souk_runtime::{Config, Ports, Runtime};
use souk_store::EmbeddedStore;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::{ErrorDetails, StatusExt as _};

/// How long anything here may take before the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const PARTITIONS: Partitions = Partitions { users: 2, products: 2 };

pub(crate) struct Node {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) address: SocketAddr,
    pub(crate) counters: Arc<souk_api::server::Counters>,
    stop: CancellationToken,
    serving: JoinHandle<Result<bool, ApiError>>,
    _dir: TempDir,
}

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

#[derive(Debug)]
struct Facts;

impl NodeFacts for Facts {
    fn version(&self) -> String {
        "0.1.0".to_owned()
    }

    fn durability(&self) -> String {
        "fsync".to_owned()
    }

    fn dependencies(&self) -> Vec<v1::Dependency> {
        vec![v1::Dependency { name: "journal".to_owned(), ..Default::default() }]
    }
}

/// Options for a test: any free port.
pub(crate) fn options() -> Options {
    Options { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Options::default() }
}

/// Another journal for every node, as chance gives them.
fn topic() -> u64 {
    static TOPICS: AtomicU64 = AtomicU64::new(7);
    TOPICS.fetch_add(1, Ordering::Relaxed)
}

impl Node {
    /// A node whose shards all serve.
    pub(crate) async fn start() -> Self {
        Self::start_with(options()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        Self::start_shown(options, Views::default()).await
    }

    /// A node that publishes to these.
    pub(crate) async fn start_shown(options: Options, views: Views) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let on_fatal = OnFatal::new(|error| panic!("{error}"));
        let journal = souk_journal::Options::new(dir.path().join("journal"), PARTITIONS, topic(), on_fatal);
        let journal: Arc<dyn Journal> = Arc::new(EmbeddedJournal::open(journal, clock.clone()).unwrap());
        let store = Arc::new(EmbeddedStore::open(dir.path().join("store.redb")).unwrap());
        let config = Config {
            node: "n-1".to_owned(),
            incarnation: 1,
            settings: String::new(),
            memory_budget: 64 << 20,
            timed: true,
        };
        let ports = Ports { views, ..Ports::alone(journal.clone(), store, clock) };
        let runtime = Runtime::start(config, ports).await.unwrap();
        let server = Server::bind(options, runtime.clone(), Arc::new(Facts)).await.unwrap();
        let (address, counters, stop) = (server.address(), server.counters(), CancellationToken::new());
        let serving = tokio::spawn(server.serve(stop.clone().cancelled_owned()));
        let node = Self { runtime, journal, address, counters, stop, serving, _dir: dir };
        node.is_served().await;
        node
    }

    /// Waits until health says so.
    async fn is_served(&self) {
        let mut health = HealthClient::new(self.channel().await);
        let request = HealthCheckRequest { service: "souk.v1.EventService".to_owned() };
        within(async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                ticks.tick().await;
                let answer = health.check(request.clone()).await;
                if answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving) {
                    return;
                }
            }
        })
        .await;
    }

    pub(crate) async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel().await)
    }

    pub(crate) async fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel().await)
    }

    pub(crate) async fn analytics(&self) -> AnalyticsServiceClient<Channel> {
        AnalyticsServiceClient::new(self.channel().await)
    }

    pub(crate) async fn users(&self) -> UserServiceClient<Channel> {
        UserServiceClient::new(self.channel().await)
    }

    /// Publishes a batch that is all right, and answers where it was folded.
    pub(crate) async fn publish(&self, events: Vec<v1::Event>) -> String {
        let ack = v1::AckLevel::Applied.into();
        let request = v1::PublishEventsRequest { events, ack, ..Default::default() };
        let answer = self.events().await.publish_events(request).await.unwrap().into_inner();
        assert_eq!(answer.counts.as_ref().unwrap().rejected, Some(0), "{:?}", answer.verdicts);
        answer.position
    }

    /// Tells it to stop; the test goes on.
    pub(crate) fn leave(&self) {
        self.stop.cancel();
    }

    /// Stops it, and answers whether everything ended by itself.
    pub(crate) async fn stop(self) -> bool {
        self.stop.cancel();
        within(self.serving).await.unwrap().unwrap()
    }
}

/// Fails the test rather than hang it.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("not within the test's patience")
}

/// The machine's time.
pub(crate) fn now() -> Millis {
    SystemClock.now()
}

/// A page view of a user.
pub(crate) fn page_view(event_id: &str, user_id: &str, page: &str) -> v1::Event {
    let view = v1::PageView { page: page.to_owned(), ..Default::default() };
    v1::Event {
        event_id: event_id.to_owned(),
        user_id: user_id.to_owned(),
        kind: Some(v1::event::Kind::PageView(view)),
        ..Default::default()
    }
}

/// The code, the reason and the details of an error of ours.
#[track_caller]
pub(crate) fn failed<T>(result: Result<T, Status>) -> (Code, String, ErrorDetails) {
    let Err(status) = result else { panic!("it should have failed") };
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "souk");
    assert_eq!(details.help().expect("always there").links[0].url, format!("docs/errors.md#{}", info.reason));
    (status.code(), info.reason.clone(), details)
}

/// Paths of the fields at fault.
pub(crate) fn bad_fields(details: &ErrorDetails) -> Vec<String> {
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    violations.iter().map(|violation| violation.field.clone()).collect()
}
