//! ListMetrics: the metric catalogue.

use souk_proto::v1;

use crate::page::{self, Page};
use crate::{ApiError, Context};

pub(super) fn list(
    context: &Context,
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
    let metrics = names.into_iter().filter_map(|name| settings.metric(name));
    Ok(v1::ListMetricsResponse {
        metrics: metrics.map(|metric| metric.to_proto(&settings)).collect(),
        next_page_token,
    })
}
