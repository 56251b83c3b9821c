//! Records kept as rows: all of them, once, whoever carries their shards and however long the history is away.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use souk_model::view::Datum;
use souk_runtime::conformance;
use souk_runtime::conformance::memory::MemoryHistory;

use super::harness::{Cluster, PARTITIONS, until};
use crate::{half, publish};

const TABLE: &str = "ecommerce_events";

fn has(history: &MemoryHistory, events: usize) -> bool {
    let rows = history.rows(TABLE);
    let ids: Vec<_> = (0..events).map(|n| Datum::Text(format!("e-{n}"))).collect();
    rows.len() == events && ids.iter().all(|id| rows.iter().any(|row| row[0] == *id))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_in_memory_keeps_the_contract() {
    let history = MemoryHistory::default();
    conformance::history::suite(&history, async |table| history.rows(&table.name)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_kept_once_over_moves_and_outages() {
    let cluster = Cluster::new();
    let history = Arc::<MemoryHistory>::default();
    let one = cluster.node_that_keeps("n-1", half(false), Arc::clone(&history) as _).await;
    let other = cluster.node_that_keeps("n-2", half(true), Arc::clone(&history) as _).await;
    one.serves(half(false)).await;
    other.serves(half(true)).await;
    publish(&one, 0..40).await;
    until(|| has(&history, 40)).await;
    let rows = |node: &super::harness::Node| -> u64 {
        node.runtime.kept().rows_by_table.iter().map(|(_, rows)| *rows).sum()
    };
    // A row is counted once its write was answered.
    until(|| rows(&one) + rows(&other) == 40).await;

    // Nobody waits for a history that is away, and shards move meanwhile.
    history.away.store(true, Relaxed);
    publish(&one, 40..80).await;
    until(|| one.runtime.kept().failures > 0 && other.runtime.kept().failures > 0).await;
    one.place([]);
    one.serves([]).await;
    other.place(PARTITIONS.shards());
    other.serves(PARTITIONS.shards()).await;
    publish(&one, 80..120).await;
    history.away.store(false, Relaxed);
    until(|| has(&history, 120)).await;
    until(|| other.runtime.kept().behind == 0).await;
    // What was written when the history went away may not have been noted yet.
    let written = history.written.load(Relaxed);
    assert!(written <= 160, "the new owner goes on where the last one had come, and wrote {written} rows");
}
