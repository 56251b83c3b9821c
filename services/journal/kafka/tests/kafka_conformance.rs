//! The journal on a real broker keeps the port's contract.

mod real;

use std::sync::Arc;

use souk_runtime::conformance;
use souk_runtime::ports::Journal;

async fn suite() {
    conformance::journal::suite(async || {
        let (journal, _) = real::make(real::PARTITIONS).await;
        journal as Arc<dyn Journal>
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_two_threads() {
    suite().await;
}

#[tokio::test]
async fn on_one_thread() {
    suite().await;
}
