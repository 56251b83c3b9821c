//! The embedded journal on this machine's disk keeps the port's contract.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use souk_journal::{Durability, EmbeddedJournal, OnFatal, Options, Retention};
use souk_model::journal::Partitions;
use souk_model::time::Millis;
use souk_runtime::conformance;
use souk_runtime::ports::{Clock, Journal};

/// Runs backwards: append times must not.
#[derive(Debug)]
struct Backwards(Mutex<Millis>);

impl Clock for Backwards {
    fn now(&self) -> Millis {
        let mut now = self.0.lock();
        *now -= 1;
        *now
    }
}

async fn suite(durability: Durability, segment_bytes: u64, tail_bytes: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let made = Mutex::new(0);
    let make = async || {
        let n = {
            let mut made = made.lock();
            *made += 1;
            *made
        };
        let partitions = Partitions { users: 3, products: 2 };
        let options = Options {
            durability,
            segment_bytes,
            tail_bytes,
            retention: Retention { keep: Duration::ZERO, most_bytes: 0 },
            ..Options::new(
                dir.path().join(format!("{n}")),
                partitions,
                7,
                OnFatal::new(|error| panic!("{error}")),
            )
        };
        let clock = Arc::new(Backwards(Mutex::new(1_700_000_000_000)));
        let journal = EmbeddedJournal::open(options, clock).expect("it opens");
        Arc::new(journal) as Arc<dyn Journal>
    };
    conformance::journal::suite(make).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synced() {
    suite(Durability::Fsync, 64 << 20, 256 << 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synced_in_small_segments_without_a_tail() {
    suite(Durability::Fsync, 128 << 10, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synced_now_and_then() {
    suite(Durability::Interval(Duration::from_millis(20)), 1 << 20, 64 << 20).await;
}

#[tokio::test]
async fn on_one_thread() {
    suite(Durability::Fsync, 1 << 20, 1 << 20).await;
}
