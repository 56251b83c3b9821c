//! WatchMetric: rows of up to 32 queries, and what changes in them.

use souk_model::journal::ShardId;
use souk_proto::v1;
use souk_runtime::limits::QUERIES_PER_WATCH;
use souk_runtime::watch::Watched;

use super::resolve::Asked;
use crate::error::Checks;
use crate::stream::{self, Binding, Frames, Options, Resumed};
use crate::{ApiError, Call, Context};

const METHOD: &str = "WatchMetric";

pub(super) async fn frames(
    context: &Context,
    call: &Call,
    mut request: v1::WatchMetricRequest,
) -> Result<Frames, ApiError> {
    let options = Options::of(request.watch.take().as_ref())?;
    if request.queries.is_empty() {
        return Err(ApiError::missing("queries", "name at least one metric to watch"));
    }
    if request.queries.len() > QUERIES_PER_WATCH {
        return Err(ApiError::too_many("queries", request.queries.len(), QUERIES_PER_WATCH));
    }
    for query in &mut request.queries {
        // What a watch ignores, its tokens do too.
        (query.page_size, query.read) = (0, None);
        query.page_token.clear();
    }
    let settings = context.runtime.settings();
    let mut checks = Checks::default();
    let asked: Vec<Option<Asked>> = (0_usize..)
        .zip(&request.queries)
        .map(|(at, query)| {
            let asked = Asked::of(query, &call.shop, settings.clone());
            checks.take(asked.map_err(|error| error.within(&format!("queries[{at}]"))))
        })
        .collect();
    checks.done()?;
    let queries: Vec<_> = asked.into_iter().flatten().map(|asked| asked.query).collect();
    let topic = context.runtime.ends(ShardId::users(0)).await?.topic_id;
    let binding = Binding::of(METHOD, &call.shop, &request, topic);
    let resumed = match options.resume_token.as_str() {
        "" => None,
        token => {
            let products = context.runtime.partitions().products;
            let shards = queries.iter().map(|query| if query.key.is_some() { 1 } else { products });
            let most: Vec<u64> = most_revisions(context, shards.collect()).await?;
            let is_reached =
                |resumed: &Resumed| resumed.revisions.iter().zip(&most).all(|(at, most)| at <= most);
            Some(binding.open(token, queries.len(), is_reached)?)
        }
    };
    let start = Resumed::start(resumed.as_ref(), options.from_now);
    let subscription = context.runtime.watch(Watched::Metrics(queries), start).await?;
    Ok(stream::write(head, binding, &options, subscription, None, context.drain.clone()))
}

fn head(frame: v1::StreamFrame, query: usize) -> v1::WatchMetricResponse {
    let query = i32::try_from(query).unwrap_or(i32::MAX);
    v1::WatchMetricResponse { frame: Some(frame), query, row: None }
}

/// The revision of a query that has counted in everything there is: each of its shards hears all of every source.
async fn most_revisions(context: &Context, shards: Vec<u16>) -> Result<Vec<u64>, ApiError> {
    let mut all = 0_u64;
    for partition in 0..context.runtime.partitions().users {
        all = all.saturating_add(context.runtime.ends(ShardId::users(partition)).await?.end);
    }
    Ok(shards.into_iter().map(|shards| all.saturating_mul(shards.into())).collect())
}
