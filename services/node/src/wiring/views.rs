//! Where the node publishes what others read, as the configuration has it: tables in Cassandra, a view in Redis.

use std::sync::Arc;

use anyhow::Context as _;
use souk_runtime::ports::{Cache, TablesAt, Views};
use souk_store_cassandra::CassandraTables;
use souk_store_redis::{Options, RedisCache};

use super::services::store_options;
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
    Ok(Views { tables, cache })
}
