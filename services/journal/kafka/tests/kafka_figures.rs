//! Figures of this machine and the broker beside it, one line each:
//! `SOUK_TEST_KAFKA=… cargo test --release -p souk-journal-kafka --test kafka_figures -- --ignored --nocapture`.

mod real;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use souk_journal_kafka::KafkaJournal;
use souk_model::journal::{Partitions, ShardId};
use souk_runtime::ports::{Journal, NewRecord};
use tokio::time::{Instant, MissedTickBehavior, interval};

use real::{make, offset_of, open};

const SHARDS: u16 = 8;
const RECORD: usize = 200;
const BATCH: usize = 1_000;
const CALLERS: usize = 4;
/// Records of the backlog that is read.
const BACKLOG: usize = 2_000_000;

/// Microseconds, up to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds in order")
}

/// Text that compresses about as events do.
fn buffer() -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::new();
    while text.len() < BATCH * RECORD {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(&format!(
            "user-{:05} product-{:04} view at {:012x};",
            state >> 48,
            (state >> 36) & 0xfff,
            state >> 16
        ));
    }
    Bytes::from(text)
}

fn batch(buffer: &Bytes) -> Vec<NewRecord> {
    let shard = |n: usize| ShardId::users((n % usize::from(SHARDS)) as u16);
    let slice = |n: usize| buffer.slice(n * RECORD..(n + 1) * RECORD);
    (0..BATCH).map(|n| NewRecord { shard: shard(n), bytes: slice(n) }).collect()
}

/// Appends so many batches, with a few callers at once, each waiting for its answer.
async fn fill(journal: &Arc<KafkaJournal>, batches: usize) -> Histogram<u64> {
    let buffer = buffer();
    let caller = |_| {
        let (journal, buffer) = (Arc::clone(journal), buffer.clone());
        tokio::spawn(async move {
            let mut times = histogram();
            for _ in 0..batches / CALLERS {
                let began = Instant::now();
                let outcomes = journal.append(batch(&buffer)).await;
                assert!(outcomes.iter().all(|outcome| offset_of(outcome) > 0));
                times.saturating_record(began.elapsed().as_micros() as u64);
            }
            times
        })
    };
    let mut all = histogram();
    for caller in (0..CALLERS).map(caller).collect::<Vec<_>>() {
        all.add(caller.await.expect("it ends")).expect("the same bounds");
    }
    all
}

async fn read_to_the_end(journal: &Arc<KafkaJournal>) -> usize {
    let reader = |partition| {
        let journal = Arc::clone(journal);
        tokio::spawn(async move {
            let shard = ShardId::users(partition);
            let end = journal.ends(shard).await.expect("it answers").end;
            let (mut next, mut count) = (1, 0);
            while next <= end {
                let read = journal.read(shard, next, 256 << 10, Duration::ZERO).await.expect("it answers");
                next = read.entries.last().expect("there is more").offset + 1;
                count += read.entries.len();
            }
            count
        })
    };
    let mut read = 0;
    for reader in (0..SHARDS).map(reader).collect::<Vec<_>>() {
        read += reader.await.expect("it ends");
    }
    read
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quiet machine and a minute"]
async fn throughput_and_acknowledgements() {
    let partitions = Partitions { users: SHARDS, products: 1 };
    let (journal, options) = make(partitions).await;
    let began = Instant::now();
    let times = fill(&journal, BACKLOG / BATCH).await;
    let rate = BACKLOG as f64 / began.elapsed().as_secs_f64();
    let (half, most) = (times.value_at_quantile(0.5), times.value_at_quantile(0.99));
    println!(
        "append: {rate:.0} records/s of {RECORD} B, {CALLERS} callers of {BATCH}: p50 {:.1} ms, p99 {:.1} ms",
        millis(half),
        millis(most)
    );
    drop(journal);
    for round in 1..=3 {
        let began = Instant::now();
        let journal = open(&options).await;
        println!("open: {:.0} ms", began.elapsed().as_secs_f64() * 1_000.0);
        let began = Instant::now();
        let read = read_to_the_end(&journal).await;
        assert_eq!(read, BACKLOG);
        let rate = read as f64 / began.elapsed().as_secs_f64();
        println!("read {round}: {rate:.0} records/s of {RECORD} B from {SHARDS} partitions");
    }
}

/// One caller every 10 ms with 100 records: 10,000 a second, from the due time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quiet machine and a minute"]
async fn acknowledgements_at_ten_thousand_a_second() {
    let (journal, _) = make(Partitions { users: SHARDS, products: 1 }).await;
    let buffer = buffer();
    let mut due = interval(Duration::from_millis(10));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut waiting = Vec::new();
    for _ in 0..1_000 {
        let at = due.tick().await;
        let (journal, records) = (Arc::clone(&journal), batch(&buffer).split_off(BATCH - 100));
        waiting.push(tokio::spawn(async move {
            let last = records.last().map(|record| record.shard).expect("a record");
            let outcomes = journal.append(records).await;
            let acknowledged = at.elapsed();
            let offset = outcomes.last().map(offset_of).expect("an outcome");
            journal.read(last, offset, 1, Duration::ZERO).await.expect("it answers");
            (acknowledged, at.elapsed())
        }));
    }
    let mut acknowledged = histogram();
    let mut read = acknowledged.clone();
    for one in waiting {
        let (ack, seen) = one.await.expect("it ends");
        acknowledged.saturating_record(ack.as_micros() as u64);
        read.saturating_record(seen.as_micros() as u64);
    }
    for (what, times) in [("acknowledged", acknowledged), ("read back", read)] {
        let at = |quantile| millis(times.value_at_quantile(quantile));
        println!(
            "10,000 records/s, {what}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}
