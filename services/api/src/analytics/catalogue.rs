//! ListMetrics: the metric catalogue, with how much there is of each metric and since when it is counted.

use std::collections::BTreeMap;

use souk_model::journal::{Journal, ShardId};
use souk_model::metric::Metric;
use souk_model::shard::Shard;
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
    let metrics: Vec<&Metric> = names.into_iter().filter_map(|name| settings.metric(name)).collect();
    let counts = series(context, &options, &call.shop, &metrics).await?;
    let since = since(context, &options, &metrics).await?;
    let described = metrics.iter().zip(counts).zip(since).map(|((metric, count), since)| v1::Metric {
        series_count: count,
        count_start_time: since.map(to_timestamp),
        ..metric.to_proto(&settings)
    });
    Ok(v1::ListMetricsResponse { metrics: described.collect(), next_page_token })
}

/// Series of each metric over all shards, which are asked once; none while one of them does not know.
async fn series(
    context: &Context,
    options: &ReadOptions,
    shop: &str,
    metrics: &[&Metric],
) -> Result<Vec<Option<i64>>, ApiError> {
    let count = |shard: &Shard| -> Vec<Option<usize>> {
        let series = shard.as_products().map(|shard| shard.series());
        metrics.iter().map(|metric| series?.count(shop, &metric.name)).collect()
    };
    let (counts, missing) = context.runtime.shards(Journal::Products, options, count).await?;
    let of_metric = |place: usize| {
        let all: Option<usize> = counts.iter().map(|count| count.value[place]).sum();
        all.filter(|_| missing.is_empty()).and_then(|all| i64::try_from(all).ok())
    };
    Ok((0..metrics.len()).map(of_metric).collect())
}

/// Since when every shard counts each metric. They are asked once.
async fn since(
    context: &Context,
    options: &ReadOptions,
    metrics: &[&Metric],
) -> Result<Vec<Option<Millis>>, ApiError> {
    let since = |shard: &Shard| -> Vec<u64> {
        let of =
            |metric: &&Metric| shard.as_users().map_or(0, |shard| shard.book().ledger(&metric.name).since);
        metrics.iter().map(of).collect()
    };
    let (reads, _) = context.runtime.shards(Journal::Users, options, since).await?;
    let mut times = Times::default();
    let mut latest = vec![None; metrics.len()];
    for read in reads {
        for (latest, offset) in latest.iter_mut().zip(read.value).filter(|(_, offset)| *offset > 0) {
            *latest = (*latest).max(times.appended(context, read.shard, offset).await?);
        }
    }
    Ok(latest)
}

/// When the records were appended that metrics are counted from: many of them from the same.
#[derive(Debug, Default)]
struct Times(BTreeMap<(ShardId, u64), Option<Millis>>);

impl Times {
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
