//! ListMetrics: the metric catalogue, with how much there is of each metric and since when it is counted.

use std::collections::BTreeMap;

use souk_model::journal::{Journal, ShardId};
use souk_model::time::{Millis, to_timestamp};
use souk_proto::v1;
use souk_runtime::read::{Freshness, ReadOptions};

use crate::page::{self, Page};
use crate::{ApiError, Call, Context};

/// Bytes of a journal that hold the one record asked for.
const ONE_RECORD: usize = 1;

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: &v1::ListMetricsRequest,
) -> Result<v1::ListMetricsResponse, ApiError> {
    let page = Page::of(request)?;
    let after = match &page.cursor {
        Some(cursor) => Some(std::str::from_utf8(cursor).map_err(|_| page::mismatch())?),
        None => None,
    };
    let settings = context.runtime.settings();
    let mut names: Vec<&str> = settings.metrics.iter().map(|metric| metric.name.as_str()).collect();
    names.sort_unstable();
    let rest = names.into_iter().filter(|name| after.is_none_or(|after| *name > after));
    let (names, next_page_token) = page.cut(rest, |name| name.as_bytes().to_vec());
    let options =
        ReadOptions { freshness: Freshness::Any, deadline: call.deadline, ..ReadOptions::default() };
    let mut times = Times::default();
    let mut metrics = Vec::with_capacity(names.len());
    for metric in names.into_iter().filter_map(|name| settings.metric(name)) {
        metrics.push(v1::Metric {
            series_count: series(context, &options, &call.shop, &metric.name).await?,
            count_start_time: times.since(context, &options, &metric.name).await?.map(to_timestamp),
            ..metric.to_proto(&settings)
        });
    }
    Ok(v1::ListMetricsResponse { metrics, next_page_token })
}

/// Series of a metric over all shards; none while one of them does not know.
async fn series(
    context: &Context,
    options: &ReadOptions,
    shop: &str,
    metric: &str,
) -> Result<Option<i64>, ApiError> {
    let (counts, missing) = context
        .runtime
        .shards(Journal::Products, options, |shard| {
            shard.as_products().and_then(|shard| shard.series().count(shop, metric))
        })
        .await?;
    let all: Option<usize> = counts.into_iter().map(|count| count.value).sum();
    Ok(all.filter(|_| missing.is_empty()).and_then(|all| i64::try_from(all).ok()))
}

/// When the records were appended that metrics are counted from: many of them from the same.
#[derive(Debug, Default)]
struct Times(BTreeMap<(ShardId, u64), Option<Millis>>);

impl Times {
    /// Since when every shard counts the metric.
    async fn since(
        &mut self,
        context: &Context,
        options: &ReadOptions,
        metric: &str,
    ) -> Result<Option<Millis>, ApiError> {
        let since = |shard: &souk_model::shard::Shard| {
            shard.as_users().map_or(0, |shard| shard.book().ledger(metric).since)
        };
        let (read, _) = context.runtime.shards(Journal::Users, options, since).await?;
        let mut latest = None;
        for read in read.into_iter().filter(|read| read.value > 0) {
            latest = latest.max(self.appended(context, read.shard, read.value).await?);
        }
        Ok(latest)
    }

    /// When a record was appended; none when the journal does not hold it any more.
    async fn appended(
        &mut self,
        context: &Context,
        shard: ShardId,
        offset: u64,
    ) -> Result<Option<Millis>, ApiError> {
        if let Some(known) = self.0.get(&(shard, offset)) {
            return Ok(*known);
        }
        let read = context.runtime.entries(shard, offset, ONE_RECORD).await?;
        let time = read.entries.first().filter(|entry| entry.offset == offset).map(|entry| entry.append_time);
        self.0.insert((shard, offset), time);
        Ok(time)
    }
}
