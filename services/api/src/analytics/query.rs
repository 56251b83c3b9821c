//! QueryMetric: rows of one metric.

use souk_proto::v1;

use super::resolve::Asked;
use super::rows::{self, Rows};
use crate::page::Page;
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context};

pub(super) async fn answer(
    context: &Context,
    call: &Call,
    request: &v1::QueryMetricRequest,
) -> Result<v1::QueryMetricResponse, ApiError> {
    let read = ReadCall::of(request.read.as_ref(), call)?;
    answer_as(context, call, request, &read).await
}

/// Answers with a freshness that is not the request's own.
pub(super) async fn answer_as(
    context: &Context,
    call: &Call,
    request: &v1::QueryMetricRequest,
    read: &ReadCall,
) -> Result<v1::QueryMetricResponse, ApiError> {
    let asked = Asked::of(request, &call.shop, context.runtime.settings())?;
    let page = Page::of(request)?;
    let Rows { rows, next_page_token, info } = rows::page(context, &asked, read, &page).await?;
    Ok(v1::QueryMetricResponse {
        rows,
        next_page_token,
        unreachable: Vec::new(),
        info: Some(info),
        error: None,
    })
}

/// All rows of a query that stands for a method without pages.
pub(super) async fn all(
    context: &Context,
    call: &Call,
    request: &v1::QueryMetricRequest,
) -> Result<Rows, ApiError> {
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let asked = Asked::of(request, &call.shop, context.runtime.settings())?;
    rows::all(context, &asked, &read).await
}
