//! A real broker for tests: its address comes from the environment, and without one they fail.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use souk_cluster::{Brokers, PlacementOptions};
use souk_model::journal::Partitions;
use tokio::time::{Instant, sleep};

pub(crate) const PARTITIONS: Partitions = Partitions { users: 8, products: 4 };
/// More than anything here takes on a busy machine, where no figure is asked for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Where the broker is.
#[allow(
    clippy::disallowed_methods,
    reason = "tests are told where the broker is, and nothing else tells them"
)]
pub(crate) fn broker() -> String {
    std::env::var("SOUK_TEST_KAFKA").unwrap_or_else(|_| {
        panic!(
            "SOUK_TEST_KAFKA=host:port must name a real broker: `make test-cluster` starts one and sets it"
        )
    })
}

pub(crate) fn brokers() -> Brokers {
    Brokers::new(vec![broker()])
}

/// A name nobody has used before.
#[allow(clippy::disallowed_methods, reason = "names only")]
pub(crate) fn new_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    format!("test-{since:x}-{}", MADE.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn options() -> PlacementOptions {
    let name = new_name();
    PlacementOptions {
        brokers: brokers(),
        members_topic: format!("{name}-members"),
        group: name,
        partitions: PARTITIONS,
    }
}

/// Waits until something is so, and answers how long that took.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < DEADLINE, "in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

/// Runs `docker/services`, which has started the broker.
pub(crate) fn services(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/services");
    let ran = Command::new(script).args(arguments).status().expect("docker/services runs");
    assert!(ran.success(), "docker/services {}", arguments.join(" "));
}
