//! How fast the embedded store is on this machine: `cargo test --release -p souk-store --test figures -- --ignored --nocapture`.

use souk_model::cut::manifest::{Condition, Manifest, SectionSummary};
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, WriteOutcome};
use souk_runtime::ports::Store as _;
use souk_store::{EmbeddedStore, check};
use tokio::time::Instant;

const SEGMENT_BYTES: usize = 64 << 10;
const SHARDS: u16 = 8;
/// Sections one shard writes in one go.
const PER_WRITE: u16 = 16;
const FLIPS: u64 = 400;

fn manifest(shard: ShardId, cut: u64) -> Manifest {
    Manifest {
        shard,
        epoch: 1,
        owner: "node-1/1".into(),
        address: String::new(),
        topic_id: 1,
        partitions: SHARDS,
        fold_version: 1,
        settings_hash: 0,
        cut,
        position: cut,
        position_time: 0,
        last_checksum: 0,
        lineage: [(1, cut)].into(),
        sections: (0..64)
            .map(|section| (section, SectionSummary { base: (cut, 1), ..SectionSummary::default() }))
            .collect(),
        skips: [].into(),
        panics: [].into(),
    }
}

/// Segments as a cut writes them: they do not compress.
fn segments(shard: u16, cut: u64) -> Vec<Segment> {
    let mut state = u64::from(shard) << 32 | cut | 1;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let blob: Vec<u8> = (0..SEGMENT_BYTES).map(|_| byte()).collect();
    (0..PER_WRITE)
        .map(|section| Segment {
            id: SegmentId { section, cut, epoch: 1 },
            base: true,
            blob: blob.clone().into(),
        })
        .collect()
}

async fn write(store: &EmbeddedStore, writes: u64) -> f64 {
    let work: Vec<Vec<Vec<Segment>>> =
        (0..SHARDS).map(|shard| (1..=writes).map(|cut| segments(shard, cut)).collect()).collect();
    let begin = Instant::now();
    let shard = async |(shard, cuts): (u16, Vec<Vec<Segment>>)| {
        for cut in cuts {
            assert_eq!(store.write_segments(ShardId::users(shard), cut).await, WriteOutcome::Written);
        }
    };
    futures_util::future::join_all((0..SHARDS).zip(work).map(shard)).await;
    begin.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn figures() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let path = folder.path().join("store.redb");
    let store = EmbeddedStore::open(&path).expect("it opens");

    let writes = 64;
    let megabytes = (SEGMENT_BYTES as u64 * u64::from(PER_WRITE) * u64::from(SHARDS) * writes) as f64 / 1e6;
    let seconds = write(&store, writes).await;
    println!(
        "segments of 64 KiB, {SHARDS} shards at once: {megabytes:.0} MB at {:.0} MB/s",
        megabytes / seconds
    );

    let shard = ShardId::users(0);
    assert_eq!(store.write_manifest(Condition::Absent, manifest(shard, 0)).await, CasOutcome::Applied);
    let mut times = Vec::new();
    for cut in 0..FLIPS {
        let condition = Condition::EpochAndCut { epoch: 1, cut };
        let begin = Instant::now();
        assert_eq!(store.write_manifest(condition, manifest(shard, cut + 1)).await, CasOutcome::Applied);
        times.push(begin.elapsed());
    }
    times.sort();
    println!("manifest flip: p50 {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);

    let begin = Instant::now();
    let loaded = store.load_sections(shard, (0..PER_WRITE).collect()).await.expect("the store answers");
    let megabytes = loaded.iter().map(|segment| segment.blob.len()).sum::<usize>() as f64 / 1e6;
    println!("load: {megabytes:.0} MB at {:.0} MB/s", megabytes / begin.elapsed().as_secs_f64());

    let crashed = folder.path().join("crashed.redb");
    std::fs::copy(&path, &crashed).expect("a copy");
    let begin = Instant::now();
    drop(store);
    println!("close: {:?}", begin.elapsed());
    let begin = Instant::now();
    drop(EmbeddedStore::open(&path).expect("it opens"));
    println!("open and close: {:?}", begin.elapsed());
    let begin = Instant::now();
    drop(EmbeddedStore::open(&crashed).expect("it opens"));
    println!("open after a crash: {:?}", begin.elapsed());
    let begin = Instant::now();
    let checked = check(&path).expect("it reads");
    println!("check: {checked:?} in {:?}", begin.elapsed());
}
