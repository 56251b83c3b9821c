//! ListTopProducts: products in the order of a measure, revenue unless another is named.

use souk_proto::v1;
use souk_proto::v1::query_metric_request::Span;

use super::resolve::Asked;
use super::rows;
use crate::limits::{TOP_MOST, TOP_PRODUCTS};
use crate::page::Page;
use crate::read_options::ReadCall;
use crate::{ApiError, Call, Context};

const MEASURE: &str = "revenue";

pub(super) async fn list(
    context: &Context,
    call: &Call,
    request: v1::ListTopProductsRequest,
) -> Result<v1::ListTopProductsResponse, ApiError> {
    let page = Page::with_default(&request, TOP_PRODUCTS)?;
    let read = ReadCall::of(request.read.as_ref(), call)?;
    let asked = Asked::of(&stands_for(request.clone()), &call.shop, context.runtime.settings())?;
    let rows = rows::page(context, &asked, &read, &page).await?;
    Ok(v1::ListTopProductsResponse {
        products: rows.to_proto(),
        next_page_token: rows.next_page_token,
        unreachable: Vec::new(),
        info: Some(rows.info),
    })
}

pub(super) fn stands_for(request: v1::ListTopProductsRequest) -> v1::QueryMetricRequest {
    let measure = if request.measure.is_empty() { MEASURE.to_owned() } else { request.measure };
    v1::QueryMetricRequest {
        name: "metrics/products".to_owned(),
        window: request.window,
        group_by: vec!["product".to_owned()],
        span: request.range.map(Span::Range),
        top: Some(v1::TopN { n: TOP_MOST as i32, measure, ..v1::TopN::default() }),
        read: request.read,
        ..v1::QueryMetricRequest::default()
    }
}
