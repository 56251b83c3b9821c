//! Figures of this machine, one line each: `cargo test --release -p souk-journal --test figures -- --ignored --nocapture`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hashed::spread;
use rustix::time::{ClockId, clock_gettime};
use souk_journal::{Durability, EmbeddedJournal, OnFatal, Options};
use souk_model::journal::{Partitions, ShardId};
use souk_model::time::Millis;
use souk_runtime::ports::{Appended, Clock, Journal, NewRecord};
use tokio::time::{Instant, MissedTickBehavior, interval};

const CALLERS: usize = 4;
const BATCH: usize = 1_000;
const RECORD: usize = 200;
const SHARDS: u16 = 8;

#[derive(Debug)]
struct System;

impl Clock for System {
    fn now(&self) -> Millis {
        let now = clock_gettime(ClockId::Realtime);
        now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
    }
}

/// Seconds of processor time this process has used.
fn processor() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

mod hashed {
    use souk_model::journal::ShardId;

    /// Records come to their partitions in no order.
    pub(super) fn spread(n: usize) -> ShardId {
        let hashed = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        ShardId::users((hashed % u64::from(super::SHARDS)) as u16)
    }
}

fn open(dir: &Path, durability: Durability) -> Arc<EmbeddedJournal> {
    let on_fatal = OnFatal::new(|error| panic!("{error}"));
    let partitions = Partitions { users: SHARDS, products: SHARDS };
    let options = Options { durability, ..Options::new(dir, partitions, 1, on_fatal) };
    Arc::new(EmbeddedJournal::open(options, Arc::new(System)).expect("it opens"))
}

/// A batch as intake hands it over: slices of one buffer.
fn batch(buffer: &Bytes) -> Vec<NewRecord> {
    let slice = |n: usize| buffer.slice(n * RECORD..(n + 1) * RECORD);
    (0..BATCH).map(|n| NewRecord { shard: spread(n), bytes: slice(n) }).collect()
}

async fn throughput(journal: &Arc<EmbeddedJournal>, level: &str, length: Duration) {
    let (began, processor_before) = (Instant::now(), processor());
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (journal, buffer) = (Arc::clone(journal), Bytes::from(vec![7; BATCH * RECORD]));
            tokio::spawn(async move {
                let mut appended = 0;
                while began.elapsed() < length {
                    let outcomes = journal.append(batch(&buffer)).await;
                    assert!(matches!(outcomes.last(), Some(Appended::At { .. })));
                    appended += outcomes.len();
                }
                appended
            })
        })
        .collect();
    let mut appended = 0;
    for caller in callers {
        appended += caller.await.expect("a caller ends");
    }
    let (seconds, used) = (began.elapsed().as_secs_f64(), processor() - processor_before);
    let rate = appended as f64 / seconds;
    println!(
        "append, {level}: {:.2} M records/s, {:.0} MB/s, {:.3} µs of processor per record",
        rate / 1e6,
        rate * RECORD as f64 / 1e6,
        used * 1e6 / appended as f64
    );
}

async fn latency(journal: &EmbeddedJournal, level: &str) {
    let buffer = Bytes::from(vec![7; RECORD]);
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut took = Vec::new();
    for n in 0..1_000 {
        ticks.tick().await;
        let began = Instant::now();
        journal.append(vec![NewRecord { shard: spread(n), bytes: buffer.clone() }]).await;
        took.push(began.elapsed());
    }
    took.sort();
    println!("one record at 200/s, {level}: p50 {:?}, p99 {:?}, worst {:?}", took[500], took[990], took[999]);
}

async fn read_back(journal: &Arc<EmbeddedJournal>) {
    let (began, processor_before) = (Instant::now(), processor());
    let readers: Vec<_> = (0..SHARDS)
        .map(|partition| {
            let journal = Arc::clone(journal);
            tokio::spawn(async move {
                let shard = ShardId::users(partition);
                let end = journal.ends(shard).await.expect("it answers").end;
                let mut next = 1;
                while next <= end {
                    let read = journal.read(shard, next, 1 << 20, Duration::ZERO).await.expect("it answers");
                    next += read.entries.len() as u64;
                }
                end
            })
        })
        .collect();
    let mut entries = 0;
    for reader in readers {
        entries += reader.await.expect("a reader ends");
    }
    let (seconds, used) = (began.elapsed().as_secs_f64(), processor() - processor_before);
    println!(
        "read back by {SHARDS} shards at once: {:.0} MB/s, {:.2} M records/s, {:.3} µs of processor per record",
        entries as f64 * RECORD as f64 / seconds / 1e6,
        entries as f64 / seconds / 1e6,
        used * 1e6 / entries as f64
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures this machine for a quarter of a minute"]
async fn figures() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    for (level, durability) in
        [("fsync", Durability::Fsync), ("interval", Durability::Interval(Duration::from_millis(100)))]
    {
        let dir = dir.path().join(level);
        let journal = open(&dir, durability);
        latency(&journal, level).await;
        throughput(&journal, level, Duration::from_secs(3)).await;
        drop(journal);
        let began = Instant::now();
        let journal = open(&dir, durability);
        let footprint = journal.footprint();
        println!(
            "reopen of {} MB in {} segments: {:?}",
            footprint.bytes >> 20,
            footprint.segments,
            began.elapsed()
        );
        read_back(&journal).await;
    }
}
