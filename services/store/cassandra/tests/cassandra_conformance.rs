//! The store on a real server keeps the port's contract.

mod real;

use souk_runtime::conformance;
use souk_store_cassandra::{CassandraStore, Options};

async fn suite() {
    let mut made: Option<Options> = None;
    conformance::store::suite(async |store: Option<CassandraStore>| match (store, &made) {
        (Some(store), Some(options)) => {
            drop(store);
            real::open(options).await
        }
        _ => {
            let (store, options) = real::make().await;
            made = Some(options);
            store
        }
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
