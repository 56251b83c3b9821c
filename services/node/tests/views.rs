//! What a node publishes to real servers, Cassandra and Redis: equal to what it answers, whatever happens to them meanwhile.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod api_bench;
mod at_rest;
mod shop;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use api_bench::{Node, now, options};
use redis::AsyncCommands as _;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::value::{CqlValue, Row};
use souk_model::view::{Catalogue, Datum, Table};
use souk_runtime::ports::{TablesAt, Views};
use souk_store_cassandra::{CassandraTables, Replication, migrate};
use souk_store_redis::RedisCache;
use tokio::time::{Instant, sleep};

/// A server that was killed takes its time to start.
const PATIENCE: Duration = Duration::from_secs(120);
/// After Redis was emptied the view stands again within this.
const ANEW: Duration = Duration::from_secs(10);

#[allow(
    clippy::disallowed_methods,
    reason = "tests are told where the servers are, and nothing else tells them"
)]
fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable}=host:port must name a real server: `make test-views` starts them and sets it")
    })
}

/// Runs `docker/services`, which has started the servers.
fn services(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/services");
    let ran = Command::new(script).args(arguments).status().expect("docker/services runs");
    assert!(ran.success(), "docker/services {}", arguments.join(" "));
}

struct Shown {
    node: Node,
    keyspace: String,
}

impl Shown {
    async fn start() -> Self {
        let nodes = vec![server("SOUK_TEST_CASSANDRA")];
        let keyspace = format!("views_{:x}", now());
        let at = souk_store_cassandra::Options {
            keyspace: keyspace.clone(),
            patience: PATIENCE,
            ..souk_store_cassandra::Options::new(nodes, Replication::Simple(1))
        };
        migrate(&at).await.unwrap();
        let tables = Arc::new(CassandraTables::open(at).await.unwrap());
        let redis = souk_store_redis::Options {
            address: server("SOUK_TEST_REDIS"),
            user: None,
            password: None,
            node: "n-1".to_owned(),
            incarnation: now().unsigned_abs(),
        };
        let views = Views {
            tables: Some(TablesAt { tables, rows_per_second: 2_000 }),
            cache: Some(Arc::new(RedisCache::open(redis).unwrap())),
            history: None,
        };
        Self { node: Node::start_shown(options(), views).await, keyspace }
    }

    /// Waits until the tables hold what queries answer.
    async fn is_equal(&self, position: &str) {
        let session = SessionBuilder::new().known_node(server("SOUK_TEST_CASSANDRA")).build().await.unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            let mut wrong = None;
            for (name, expected) in at_rest::expected(&self.node.runtime, position).await {
                let found = self.rows(&session, &name).await;
                if !expected.is_in(&found) {
                    wrong = Some((name, found, expected));
                }
            }
            let Some(wrong) = wrong else { return };
            assert!(Instant::now() < end, "{wrong:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn rows(&self, session: &Session, name: &str) -> Vec<Vec<Datum>> {
        let tables = Catalogue::of(&self.node.runtime.settings()).tables();
        let Table { partition, clustering, values, .. } =
            &tables.iter().find(|shape| shape.table.name == name).unwrap().table;
        let columns = partition.iter().chain(clustering).chain(values);
        let names: Vec<_> = columns.map(|column| format!("\"{}\"", column.name)).collect();
        let text = format!("SELECT {} FROM {}.\"{name}\"", names.join(", "), self.keyspace);
        // Until the tables are made there are none.
        let Ok(answer) = session.query_unpaged(text, ()).await else { return Vec::new() };
        let rows = answer.into_rows_result().unwrap();
        rows.rows::<Row>().unwrap().map(|row| row.unwrap().columns.into_iter().map(datum).collect()).collect()
    }
}

fn datum(value: Option<CqlValue>) -> Datum {
    match value {
        None => Datum::Null,
        Some(CqlValue::Text(text)) => Datum::Text(text),
        Some(CqlValue::BigInt(number)) => Datum::Integer(number),
        Some(CqlValue::Double(number)) => Datum::Double(number),
        Some(CqlValue::Timestamp(time)) => Datum::Time(time.0),
        Some(other) => panic!("{other:?}"),
    }
}

async fn redis() -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(format!("redis://{}/", server("SOUK_TEST_REDIS"))).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// Waits until the view of active users stands and says how many there are.
async fn has_users(wanted: &str, within: Duration) {
    let end = Instant::now() + within;
    let mut redis = redis().await;
    loop {
        let found: Option<String> = redis.hget("cartpulse:metrics", "active_users_5m").await.unwrap();
        if found.as_deref() == Some(wanted) {
            return;
        }
        assert!(Instant::now() < end, "{found:?} users");
        sleep(Duration::from_millis(50)).await;
    }
}

/// One test: it kills the servers there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_is_what_is_answered() {
    let () = redis::cmd("FLUSHALL").query_async(&mut redis().await).await.unwrap();
    let shown = Shown::start().await;
    let position = shown.node.publish(shop::events("a", 500)).await;
    shown.is_equal(&position).await;
    has_users("11", ANEW).await;

    let () = redis::cmd("FLUSHALL").query_async(&mut redis().await).await.unwrap();
    shown.is_equal(&position).await;
    has_users("11", ANEW).await;
    let regions: Vec<String> = redis().await.keys("region:*:window:*").await.unwrap();
    assert!(!regions.is_empty(), "windows that are open stand again too");

    services(&["kill", "redis"]);
    services(&["kill", "cassandra"]);
    let began = Instant::now();
    let position = shown.node.publish(shop::events("b", 500)).await;
    at_rest::expected(&shown.node.runtime, &position).await;
    assert!(began.elapsed() < Duration::from_secs(10), "neither holds anything up");
    services(&["up", "cassandra", "redis"]);
    shown.is_equal(&position).await;
    has_users("11", ANEW).await;
    assert!(shown.node.stop().await);
}
