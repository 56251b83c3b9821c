//! What a real server does to a store: it dies, hangs, holds half a segment, another schema, or none.

mod real;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use souk_model::cut::manifest::Condition;
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, Unavailable, WriteOutcome};
use souk_runtime::ports::Store as _;
use souk_store_cassandra::limits::{CHUNK_BYTES, QUEUE_WAIT};
use souk_store_cassandra::{CassandraStore, Error, Options, Replication, migrate};
use tokio::time::{Instant, sleep};

use real::{make, manifest, open, operator, segment, services};

const DEADLINE: Duration = Duration::from_secs(120);
const SHARD: ShardId = ShardId::users(1);
/// As a node has it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest a caller may wait: its turn, one request, and a busy machine.
const BOUND: Duration = QUEUE_WAIT.saturating_add(REQUEST_TIMEOUT).saturating_add(Duration::from_secs(1));

fn id(section: u16, cut: u64) -> SegmentId {
    SegmentId { section, cut, epoch: 1 }
}

async fn write(store: &CassandraStore, segments: &[Segment]) -> WriteOutcome {
    store.write_segments(SHARD, segments.to_vec()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_of_20_mb_comes_back_whole() {
    let (store, options) = make().await;
    let segments = [segment(id(1, 1), 20_000_000), segment(id(1, 2), 17), segment(id(2, 1), 20_000_000)];
    assert_eq!(write(&store, &segments).await, WriteOutcome::Written);
    assert_eq!(store.load_sections(SHARD, vec![1, 2]).await, Ok(segments.to_vec()));
    drop(store);
    let store = open(&options).await;
    assert_eq!(store.load_sections(SHARD, vec![2]).await, Ok(segments[2..].to_vec()));
    store.delete_segments(SHARD, vec![id(1, 1)]).await;
    assert_eq!(store.load_sections(SHARD, vec![1, 2]).await, Ok(segments[1..].to_vec()));
}

#[tokio::test]
async fn a_segment_that_lacks_a_chunk_is_not_loaded() {
    let (store, options) = make().await;
    let segments = [segment(id(1, 1), 3 * CHUNK_BYTES), segment(id(1, 2), 100)];
    assert_eq!(write(&store, &segments).await, WriteOutcome::Written);
    let keyspace = &options.keyspace;
    let chunk = "journal = 0 AND shard = 1 AND section = 1 AND cut = 1 AND epoch = 1 AND chunk = 1";
    let text = format!("DELETE FROM {keyspace}.segments USING TIMESTAMP 1 WHERE {chunk}");
    operator().await.query_unpaged(text, ()).await.expect("a chunk is lost");
    assert_eq!(store.load_sections(SHARD, vec![1]).await, Ok(segments[1..].to_vec()));
}

/// Calls everything while the server is away: each is answered within the bound, and none claims anything.
async fn nothing_is_claimed(store: &CassandraStore) {
    let began = Instant::now();
    let answers = tokio::join!(
        store.manifest(SHARD),
        store.write_manifest(Condition::EpochAndCut { epoch: 1, cut: 0 }, manifest(SHARD, 1, 1)),
        store.write_segments(SHARD, vec![segment(id(9, 1), 4_000_000)]),
        store.load_sections(SHARD, (0..64).collect()),
        store.delete_segments(SHARD, vec![id(1, 1), id(2, 2)]),
    );
    let took = began.elapsed();
    assert_eq!(answers, (Err(Unavailable), CasOutcome::Unknown, WriteOutcome::Unknown, Err(Unavailable), ()));
    assert!(took < BOUND, "{took:?} is not within {BOUND:?}");
    println!("the server is away: answered after {took:?}");
}

/// The store comes back by itself, with what it held; what was unknown is settled by a read and a repeat.
async fn it_works_again(store: &CassandraStore) {
    let began = Instant::now();
    let stands = loop {
        match store.manifest(SHARD).await {
            Ok(stands) => break stands.expect("it was written"),
            Err(Unavailable) => assert!(began.elapsed() < DEADLINE, "it never came back"),
        }
        sleep(Duration::from_millis(50)).await;
    };
    println!("the server is back: noticed after {:?}", began.elapsed());
    assert!(stands == manifest(SHARD, 1, 0) || stands == manifest(SHARD, 1, 1));
    let condition = Condition::EpochAndCut { epoch: 1, cut: stands.cut };
    let mut outcome = CasOutcome::Unknown;
    while outcome == CasOutcome::Unknown && began.elapsed() < DEADLINE {
        outcome = store.write_manifest(condition, manifest(SHARD, 1, 2)).await;
    }
    let mine = Some(Box::new(manifest(SHARD, 1, 2)));
    assert!(outcome == CasOutcome::Applied || outcome == CasOutcome::NotApplied { current: mine });
    let again = [segment(id(9, 1), 4_000_000)];
    while write(store, &again).await != WriteOutcome::Written {
        assert!(began.elapsed() < DEADLINE, "segments are written again");
    }
    assert_eq!(store.load_sections(SHARD, vec![9]).await, Ok(again.to_vec()));
}

async fn prepared() -> CassandraStore {
    let (store, options) = make().await;
    assert_eq!(store.write_manifest(Condition::Absent, manifest(SHARD, 1, 0)).await, CasOutcome::Applied);
    open(&Options { request_timeout: REQUEST_TIMEOUT, ..options }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_is_unavailable_and_found_again() {
    let store = prepared().await;
    tokio::task::spawn_blocking(|| services(&["kill", "cassandra"])).await.expect("it dies");
    nothing_is_claimed(&store).await;
    nothing_is_claimed(&store).await;
    tokio::task::spawn_blocking(|| services(&["up", "cassandra"])).await.expect("it is back");
    it_works_again(&store).await;
}

/// The server's process, which `docker/services` has noted.
#[allow(clippy::disallowed_methods, reason = "tests are told where the server's folder is")]
fn signal(name: &str) {
    let folder =
        std::env::var("SOUK_SERVICES_DIR").expect("SOUK_SERVICES_DIR names the folder of the services");
    let note = std::fs::read_to_string(PathBuf::from(folder).join("cassandra/pid")).expect("a plain process");
    let pid = note.split(' ').next().expect("its id");
    let ran = Command::new("kill").args([name, pid]).status().expect("kill runs");
    assert!(ran.success(), "kill {name} {pid}");
}

/// Goes on with the server whatever comes of the test.
struct Frozen;

impl Frozen {
    fn new() -> Self {
        signal("-STOP");
        Self
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_unavailable_and_found_again() {
    let store = prepared().await;
    let frozen = Frozen::new();
    nothing_is_claimed(&store).await;
    nothing_is_claimed(&store).await;
    drop(frozen);
    it_works_again(&store).await;
}

#[tokio::test]
async fn only_its_own_schema_is_opened() {
    let options = real::options();
    let error = CassandraStore::open(options.clone()).await.expect_err("there is nothing");
    assert!(matches!(error, Error::NoSchema { .. }), "{error}");
    assert!(error.to_string().contains("souk migrate"), "{error}");

    for _ in 0..2 {
        migrate(&options).await.expect("making twice is making once");
    }
    drop(open(&options).await);
    let elsewhere = Options { datacenter: Some("datacenter1".to_owned()), ..options.clone() };
    for refused in [CassandraStore::open(elsewhere.clone()).await.map(drop), migrate(&elsewhere).await] {
        assert!(matches!(refused, Err(Error::OtherDatacenter { .. })), "{refused:?}");
    }

    let operator = operator().await;
    let version = async |version: i32| {
        let text = format!(
            "UPDATE {}.schema_version SET version = {version} WHERE name = 'souk' IF EXISTS",
            options.keyspace
        );
        operator.query_unpaged(text, ()).await.expect("the version changes");
    };
    version(2).await;
    for refused in [CassandraStore::open(options.clone()).await.map(drop), migrate(&options).await] {
        assert!(matches!(refused, Err(Error::Newer { found: 2, newest: 1, .. })), "{refused:?}");
    }
    version(0).await;
    let refused = CassandraStore::open(options.clone()).await.map(drop);
    assert!(matches!(refused, Err(Error::Older { found: 0, newest: 1, .. })), "{refused:?}");
}

#[tokio::test]
async fn quorums_of_one_datacenter_do_too() {
    let options = Options {
        datacenter: Some("datacenter1".to_owned()),
        replication: Replication::PerDatacenter([("datacenter1".to_owned(), 1)].into()),
        ..real::options()
    };
    migrate(&options).await.expect("the tables are made");
    let store = open(&options).await;
    assert_eq!(store.write_manifest(Condition::Absent, manifest(SHARD, 1, 0)).await, CasOutcome::Applied);
    assert_eq!(store.manifest(SHARD).await, Ok(Some(manifest(SHARD, 1, 0))));
    let segments = [segment(id(1, 1), 1_000)];
    assert_eq!(write(&store, &segments).await, WriteOutcome::Written);
    assert_eq!(store.load_sections(SHARD, vec![1]).await, Ok(segments.to_vec()));
}

#[tokio::test]
async fn nobody_there_is_said_within_its_patience() {
    let patience = Duration::from_millis(600);
    let nobody = Options { nodes: vec!["127.0.0.1:1".to_owned()], patience, ..real::options() };
    let began = Instant::now();
    let error = CassandraStore::open(nobody).await.expect_err("nobody answers");
    assert!(matches!(error, Error::NoServer { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
