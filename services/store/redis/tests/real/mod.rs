//! A real Redis for tests: its address comes from the environment, and without one they fail. They empty it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use redis::{AsyncCommands as _, Client};
use souk_runtime::conformance::cache::Stored;
use souk_store_redis::{Options, RedisCache};

/// Where the server is.
#[allow(
    clippy::disallowed_methods,
    reason = "tests are told where the server is, and nothing else tells them"
)]
pub(crate) fn server() -> String {
    std::env::var("SOUK_TEST_REDIS").unwrap_or_else(|_| {
        panic!("SOUK_TEST_REDIS=host:port must name a real server: `make test-redis` starts one and sets it")
    })
}

pub(crate) fn open() -> RedisCache {
    let options =
        Options { address: server(), user: None, password: None, node: "n-1".to_owned(), incarnation: 7 };
    RedisCache::open(options).expect("an address")
}

/// Somebody else at the same server.
pub(crate) async fn operator() -> redis::aio::MultiplexedConnection {
    let client = Client::open(format!("redis://{}/", server())).expect("an address");
    client.get_multiplexed_async_connection().await.expect("the server answers")
}

pub(crate) async fn empty() {
    let () = redis::cmd("FLUSHALL").query_async(&mut operator().await).await.expect("it answers");
}

/// What stands under a name.
pub(crate) async fn read(name: &str) -> Option<Stored> {
    let mut redis = operator().await;
    let kind: String = redis::cmd("TYPE").arg(name).query_async(&mut redis).await.expect("it answers");
    match kind.as_str() {
        "none" => None,
        "string" => Some(Stored::Text(redis.get(name).await.expect("it is a string"))),
        "hash" => {
            let fields: BTreeMap<String, String> = redis.hgetall(name).await.expect("it is a hash");
            Some(Stored::Hash(fields))
        }
        "zset" => Some(Stored::SortedSet(
            redis.zrevrange_withscores(name, 0, -1).await.expect("it is a sorted set"),
        )),
        "list" => Some(Stored::List(redis.lrange(name, 0, -1).await.expect("it is a list"))),
        other => panic!("{name} is a {other}"),
    }
}

/// Runs `docker/services`, which has started the server.
pub(crate) fn services(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docker/services");
    let ran = Command::new(script).args(arguments).status().expect("docker/services runs");
    assert!(ran.success(), "docker/services {}", arguments.join(" "));
}
