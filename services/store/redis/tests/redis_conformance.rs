//! The view in a real Redis keeps the port's contract.

mod real;

use souk_runtime::conformance;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_view_keeps_the_contract() {
    real::empty().await;
    conformance::cache::suite(&real::open(), real::read, real::empty).await;
}
