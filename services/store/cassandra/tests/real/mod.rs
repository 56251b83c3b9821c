//! A real server for tests: its address comes from the environment, and without one they fail.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use souk_model::cut::manifest::{Manifest, SectionSummary};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_store_cassandra::{CassandraStore, Options, Replication, migrate};

/// Where the server is.
#[allow(
    clippy::disallowed_methods,
    reason = "tests are told where the server is, and nothing else tells them"
)]
pub(crate) fn server() -> String {
    std::env::var("SOUK_TEST_CASSANDRA").unwrap_or_else(|_| {
        panic!("SOUK_TEST_CASSANDRA=host:port must name a real server: `make test-cassandra` starts one and sets it")
    })
}

/// With a keyspace nobody has used before, and patience for a machine that is busy.
#[allow(clippy::disallowed_methods, reason = "names only")]
pub(crate) fn options() -> Options {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    Options {
        keyspace: format!("test_{since:x}_{}", MADE.fetch_add(1, Ordering::Relaxed)),
        patience: Duration::from_secs(60),
        request_timeout: Duration::from_secs(10),
        ..Options::new(vec![server()], Replication::Simple(1))
    }
}

pub(crate) async fn make() -> (CassandraStore, Options) {
    let options = options();
    migrate(&options).await.expect("the tables are made");
    (open(&options).await, options)
}

pub(crate) async fn open(options: &Options) -> CassandraStore {
    CassandraStore::open(options.clone()).await.expect("it opens")
}

/// Somebody else at the same server.
pub(crate) async fn operator() -> Session {
    SessionBuilder::new().known_node(server()).build().await.expect("the server answers")
}

/// Runs `docker/services`, which has started the server.
pub(crate) fn services(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docker/services");
    let ran = Command::new(script).args(arguments).status().expect("docker/services runs");
    assert!(ran.success(), "docker/services {}", arguments.join(" "));
}

/// Bytes that do not compress.
pub(crate) fn segment(id: SegmentId, bytes: usize) -> Segment {
    let mut state = u64::from(id.section) << 40 | id.cut << 8 | id.epoch | 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    Segment { id, base: true, blob: (0..bytes).map(|_| byte()).collect() }
}

/// As large as a shard's with all its sections.
pub(crate) fn manifest(shard: ShardId, epoch: u64, cut: u64) -> Manifest {
    let section = SectionSummary { base: (cut, epoch), ..SectionSummary::default() };
    Manifest {
        shard,
        epoch,
        owner: format!("node-1/{epoch}"),
        address: String::new(),
        topic_id: 1,
        partitions: 8,
        fold_version: 1,
        settings_hash: 0,
        cut,
        position: cut,
        position_time: 0,
        last_checksum: 0,
        lineage: [(epoch, cut)].into(),
        sections: (0..64).map(|number| (number, section.clone())).collect(),
        skips: [].into(),
        panics: [].into(),
    }
}
