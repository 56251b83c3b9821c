//! QueryMetric: rows of one metric.

use prost::Message as _;
use souk_proto::v1;
use souk_proto::wire::field::QUERY_METRIC_RESPONSE_ROWS;

use super::resolve::Asked;
use super::rows;
use crate::page::Page;
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context};

/// Room for an answer of one row, as most are.
const ANSWER_BYTES: usize = 512;

/// The bytes of a [`v1::QueryMetricResponse`].
pub(super) async fn answer(
    context: &Context,
    call: &Call,
    request: &v1::QueryMetricRequest,
) -> Result<Vec<u8>, ApiError> {
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let mut out = Vec::with_capacity(ANSWER_BYTES);
    answer_into(context, call, request, &read, &mut out).await?;
    Ok(out)
}

/// Appends the answer, with a freshness that is not the request's own. Nothing is appended of one that fails.
pub(super) async fn answer_into(
    context: &Context,
    call: &Call,
    request: &v1::QueryMetricRequest,
    read: &ReadCall,
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    let asked = Asked::of(request, &call.shop, context.runtime.settings())?;
    let page = Page::of(request)?;
    let mut rows = rows::page(context, &asked, read, &page).await?;
    let head = v1::QueryMetricResponse {
        next_page_token: std::mem::take(&mut rows.next_page_token),
        info: Some(std::mem::take(&mut rows.info)),
        ..v1::QueryMetricResponse::default()
    };
    head.encode_raw(out);
    rows.encode(QUERY_METRIC_RESPONSE_ROWS, out);
    Ok(())
}

/// All rows of a query that stands for a method without pages.
#[derive(Debug)]
pub(super) struct All {
    pub rows: Vec<v1::MetricRow>,
    pub info: v1::AnswerInfo,
}

pub(super) async fn all(
    context: &Context,
    call: &Call,
    request: &v1::QueryMetricRequest,
) -> Result<All, ApiError> {
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let asked = Asked::of(request, &call.shop, context.runtime.settings())?;
    let rows = rows::all(context, &asked, &read).await?;
    Ok(All { rows: rows.to_proto(), info: rows.info })
}
