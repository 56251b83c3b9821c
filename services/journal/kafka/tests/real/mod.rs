//! A real broker for tests: its address comes from the environment, and without one they fail.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use souk_journal_kafka::{KafkaJournal, Options, Topics, Wanted, prepare};
use souk_model::journal::{Partitions, ShardId};
use souk_runtime::ports::{Appended, Journal, NewRecord};

pub(crate) const PARTITIONS: Partitions = Partitions { users: 3, products: 2 };

/// Where the broker is.
#[allow(
    clippy::disallowed_methods,
    reason = "tests are told where the broker is, and nothing else tells them"
)]
pub(crate) fn broker() -> String {
    std::env::var("SOUK_TEST_KAFKA").unwrap_or_else(|_| {
        panic!("SOUK_TEST_KAFKA=host:port must name a real broker: `make test-kafka` starts one and sets it")
    })
}

/// Names nobody has used before.
#[allow(clippy::disallowed_methods, reason = "names only")]
pub(crate) fn new_topics() -> Topics {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    let name = format!("test-{since:x}-{}", MADE.fetch_add(1, Ordering::Relaxed));
    Topics { users: format!("{name}-users"), products: format!("{name}-products") }
}

pub(crate) fn options(partitions: Partitions) -> Options {
    Options::new(vec![broker()], new_topics(), partitions)
}

pub(crate) async fn make(partitions: Partitions) -> (Arc<KafkaJournal>, Options) {
    let options = options(partitions);
    prepare(&options, Wanted::ONE_BROKER).await.expect("the topics are made");
    (open(&options).await, options)
}

pub(crate) async fn open(options: &Options) -> Arc<KafkaJournal> {
    Arc::new(KafkaJournal::open(options.clone()).await.expect("it opens"))
}

pub(crate) fn record(shard: ShardId, text: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord { shard, bytes: Bytes::from(text.into()) }
}

pub(crate) fn offset_of(outcome: &Appended) -> u64 {
    match outcome {
        Appended::At { offset, .. } => *offset,
        other => panic!("an append was answered with {other:?}"),
    }
}

/// Everything a partition holds, as text, with its offsets.
pub(crate) async fn read_all(journal: &dyn Journal, shard: ShardId) -> Vec<(u64, String)> {
    let ends = journal.ends(shard).await.expect("the journal answers");
    let (mut next, mut all) = (ends.start, Vec::new());
    while next <= ends.end {
        let read = journal.read(shard, next, 1 << 20, Duration::ZERO).await.expect("the journal answers");
        for entry in read.entries {
            next = entry.offset + 1;
            all.push((entry.offset, String::from_utf8_lossy(&entry.bytes).into_owned()));
        }
    }
    all
}

/// Runs `docker/services`, which has started the broker.
pub(crate) fn services(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docker/services");
    let ran = Command::new(script).args(arguments).status().expect("docker/services runs");
    assert!(ran.success(), "docker/services {}", arguments.join(" "));
}
