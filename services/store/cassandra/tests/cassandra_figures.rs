//! Figures of this machine and the server beside it, one line each:
//! `SOUK_TEST_CASSANDRA=… cargo test --release -p souk-store-cassandra --test cassandra_figures -- --ignored --nocapture`.

mod real;

use futures_util::future::join_all;
use hdrhistogram::Histogram;
use souk_model::cut::manifest::Condition;
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, WriteOutcome};
use souk_runtime::ports::Store as _;
use souk_store_cassandra::CassandraStore;
use tokio::time::Instant;

const SHARDS: u16 = 8;
/// Sections one shard writes in one cut.
const SECTIONS: u16 = 16;
const CUTS: u64 = 4;
const FLIPS: u64 = 500;

fn segments(shard: u16, cut: u64, bytes: usize) -> Vec<Segment> {
    let id = |section| SegmentId { section, cut, epoch: 1 + u64::from(shard) };
    (0..SECTIONS).map(|section| real::segment(id(section), bytes)).collect()
}

async fn write_and_load(store: &CassandraStore, bytes: usize) {
    let mut writing = 0.0;
    for cut in 1..=CUTS {
        let cuts: Vec<_> = (0..SHARDS).map(|shard| (shard, segments(shard, cut, bytes))).collect();
        let began = Instant::now();
        let writes = cuts.into_iter().map(|(shard, cut)| store.write_segments(ShardId::users(shard), cut));
        let outcomes = join_all(writes).await;
        writing += began.elapsed().as_secs_f64();
        assert!(outcomes.iter().all(|outcome| *outcome == WriteOutcome::Written));
    }
    let began = Instant::now();
    let load = |shard| store.load_sections(ShardId::users(shard), (0..SECTIONS).collect());
    let found = join_all((0..SHARDS).map(load)).await;
    let loading = began.elapsed().as_secs_f64();
    let count: usize = found.into_iter().map(|found| found.expect("the store answers").len()).sum();
    assert_eq!(count as u64, u64::from(SHARDS) * u64::from(SECTIONS) * CUTS);
    let megabytes = (count * bytes) as f64 / 1e6;
    println!(
        "segments of {} KiB, {SHARDS} shards at once: write {:.0} MB/s, load {:.0} MB/s ({megabytes:.0} MB)",
        bytes >> 10,
        megabytes / writing,
        megabytes / loading
    );
}

/// Microseconds, up to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds in order")
}

async fn flips(store: &CassandraStore) {
    let flip = async |shard: ShardId| {
        let (mut writes, mut reads) = (histogram(), histogram());
        assert_eq!(
            store.write_manifest(Condition::Absent, real::manifest(shard, 1, 0)).await,
            CasOutcome::Applied
        );
        for cut in 0..FLIPS {
            let condition = Condition::EpochAndCut { epoch: 1, cut };
            let next = real::manifest(shard, 1, cut + 1);
            let began = Instant::now();
            assert_eq!(store.write_manifest(condition, next).await, CasOutcome::Applied);
            writes.saturating_record(began.elapsed().as_micros() as u64);
            let began = Instant::now();
            store.manifest(shard).await.expect("the store answers");
            reads.saturating_record(began.elapsed().as_micros() as u64);
        }
        (writes, reads)
    };
    for shards in [vec![ShardId::products(0)], (0..SHARDS).map(ShardId::users).collect()] {
        let at_once = shards.len();
        let (mut writes, mut reads) = (histogram(), histogram());
        for (written, read) in join_all(shards.into_iter().map(&flip)).await {
            writes.add(written).expect("the same bounds");
            reads.add(read).expect("the same bounds");
        }
        let ms = |times: &Histogram<u64>, quantile| times.value_at_quantile(quantile) as f64 / 1_000.0;
        println!(
            "{at_once} shard(s) at once: conditional write p50 {:.1} ms, p99 {:.1} ms; serial read p50 {:.1} ms, p99 {:.1} ms",
            ms(&writes, 0.5),
            ms(&writes, 0.99),
            ms(&reads, 0.5),
            ms(&reads, 0.99)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "figures, not a test"]
async fn figures() {
    for bytes in [64 << 10, 512 << 10] {
        let (store, _) = real::make().await;
        write_and_load(&store, bytes).await;
    }
    let (store, _) = real::make().await;
    flips(&store).await;
}
