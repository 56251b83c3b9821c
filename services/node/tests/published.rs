//! What a node publishes of its series, to tables and a cache in memory: equal to what it answers, whatever happened to them meanwhile.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod api_bench;
mod at_rest;
mod shop;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use api_bench::{Node, options, within};
use souk_runtime::conformance::cache::Stored;
use souk_runtime::conformance::memory::{MemoryCache, MemoryTables};
use souk_runtime::ports::{Cache as _, TablesAt, Views};

struct Shown {
    node: Node,
    tables: Arc<MemoryTables>,
    cache: Arc<MemoryCache>,
}

impl Shown {
    async fn start(rows_per_second: usize) -> Self {
        let (tables, cache) = (Arc::<MemoryTables>::default(), Arc::<MemoryCache>::default());
        let at = TablesAt { tables: tables.clone(), rows_per_second };
        let views = Views { tables: Some(at), cache: Some(cache.clone()), ..Views::default() };
        Self { node: Node::start_shown(options(), views).await, tables, cache }
    }

    /// Waits until the tables hold what queries answer.
    async fn is_equal(&self, position: &str) {
        within(async {
            loop {
                let expected = at_rest::expected(&self.node.runtime, position).await;
                let unequal = expected.iter().find(|(table, rows)| !rows.is_in(&self.tables.rows(table)));
                if unequal.is_none() {
                    assert!(
                        expected.values().filter(|rows| !rows.must.is_empty()).count() >= 8,
                        "{expected:?}"
                    );
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }

    /// Waits until something stands under a name, and more.
    async fn stands(&self, name: &str, holds: impl Fn(&Stored) -> bool) {
        within(async {
            while !self.cache.stored(name).is_some_and(|stored| holds(&stored)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Waits until a list of first products stands: of whichever hour it is.
    async fn has_top(&self) {
        within(async {
            while !self.cache.names().iter().any(|name| name.starts_with("cartpulse:top_products_hourly:")) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
}

fn is_field(stored: &Stored, field: &str, value: &str) -> bool {
    matches!(stored, Stored::Hash(fields) if fields.get(field).is_some_and(|found| found == value))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_and_cache_show_what_queries_answer() {
    let shown = Shown::start(1_000).await;
    let position = shown.node.publish(shop::events("a", 400)).await;
    shown.is_equal(&position).await;
    shown.stands("cartpulse:metrics", |stored| is_field(stored, "active_users_5m", "11")).await;

    // More of the same: values change in place.
    let position = shown.node.publish(shop::events("b", 400)).await;
    shown.is_equal(&position).await;
    assert!(!shown.cache.told.lock().is_empty(), "who listens was told");
    let figures = shown.node.runtime.published();
    assert_eq!((figures.tables.failures, figures.tables.overflows, figures.cache.failures), (0, 0, 0));
    assert!(figures.rows_by_table.iter().any(|(table, rows)| table == "products_hourly" && *rows > 0));
    assert!(shown.node.stop().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_away_hold_nothing_up_and_catch_up() {
    let shown = Shown::start(1_000).await;
    shown.tables.away.store(true, Relaxed);
    shown.cache.away.store(true, Relaxed);
    shown.node.publish(shop::events("a", 300)).await;
    within(async {
        loop {
            let figures = shown.node.runtime.published();
            if figures.tables.failures > 1 && figures.cache.failures > 1 && figures.cache.waiting > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(shown.cache.stored("cartpulse:metrics"), None);
    let position = shown.node.publish(shop::events("b", 300)).await;
    shown.tables.away.store(false, Relaxed);
    shown.cache.away.store(false, Relaxed);
    shown.is_equal(&position).await;
    shown.stands("cartpulse:metrics", |stored| is_field(stored, "active_users_5m", "11")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_cache_is_written_anew() {
    let shown = Shown::start(1_000).await;
    shown.node.publish(shop::events("a", 300)).await;
    shown.stands("cartpulse:metrics", |stored| is_field(stored, "active_users_5m", "11")).await;
    shown.has_top().await;
    shown.cache.empty();
    shown.stands("cartpulse:metrics", |stored| is_field(stored, "active_users_5m", "11")).await;
    shown.has_top().await;
}

/// What is written follows the rows there are, not the events: here at most so many a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_of_a_row_are_one_write() {
    let shown = Shown::start(60).await;
    let mut position = String::new();
    for run in 0..10 {
        position = shown.node.publish(shop::events(&format!("r-{run}"), 1_000)).await;
    }
    shown.is_equal(&position).await;
    let written = shown.tables.written.load(Relaxed);
    let events = 10_000;
    assert!(written < events / 10, "{written} rows for {events} events");
    assert_eq!(shown.cache.figures().failures, 0);
}
