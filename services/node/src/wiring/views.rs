//! Where the node publishes what others read, as the configuration has it: tables and a history in Cassandra, a view in Redis.

use std::sync::Arc;

use anyhow::Context as _;
use souk_journal_kafka::KafkaJournal;
use souk_runtime::ports::{Cache, HistoryAt, TablesAt, Views};
use souk_store_cassandra::{CassandraHistory, CassandraTables};
use souk_store_redis::{Options, RedisCache};

use super::services::{history_tables, journal_options, store_options};
use crate::config::Config;

pub(super) async fn open(config: &Config, incarnation: u64) -> anyhow::Result<Views> {
    let tables = match config.cassandra.table_rows {
        rows_per_second if rows_per_second > 0 && config.is_distributed() => {
            let tables = CassandraTables::open(store_options(config)?).await.context("the tables")?;
            Some(TablesAt { tables: Arc::new(tables), rows_per_second })
        }
        _ => None,
    };
    let cache = match config.redis.address.as_str() {
        "" => None,
        address => {
            let some = |text: String| Some(text).filter(|text| !text.is_empty());
            let options = Options {
                address: address.to_owned(),
                user: some(config.redis.user.clone()),
                password: some(config.redis.password().context("redis.password_file")?),
                node: config.node.name.clone(),
                incarnation,
            };
            Some(Arc::new(RedisCache::open(options)?) as Arc<dyn Cache>)
        }
    };
    Ok(Views { tables, cache, history: history(config).await? })
}

async fn history(config: &Config) -> anyhow::Result<Option<HistoryAt>> {
    if config.cassandra.history.is_empty() || !config.is_distributed() {
        return Ok(None);
    }
    let tables = history_tables(config)?.into_iter().map(|table| table.name.clone()).collect();
    let (history, journal) = tokio::join!(
        CassandraHistory::open(store_options(config)?),
        KafkaJournal::open(journal_options(config))
    );
    let (history, journal) = (history.context("the history")?, journal.context("the history's journal")?);
    Ok(Some(HistoryAt { history: Arc::new(history), journal: Arc::new(journal), tables }))
}
