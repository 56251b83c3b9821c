//! The embedded store keeps the contract of the store port.

use souk_runtime::conformance;
use souk_store::EmbeddedStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = 0;
    conformance::store::suite(async |store: Option<EmbeddedStore>| {
        made += u32::from(store.is_none());
        drop(store);
        EmbeddedStore::open(folder.path().join(format!("{made}.redb"))).expect("it opens")
    })
    .await;
}
