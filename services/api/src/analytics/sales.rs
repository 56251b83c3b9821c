//! GetSales: sales by category, day or month.

use souk_proto::v1;
use souk_proto::v1::get_sales_request::GroupBy;
use souk_proto::v1::query_metric_request::Span;

use super::query;
use crate::{ApiError, Call, Context};

pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: v1::GetSalesRequest,
) -> Result<v1::GetSalesResponse, ApiError> {
    let answer = query::all(context, call, &stands_for(request)?).await?;
    Ok(v1::GetSalesResponse { sales: answer.rows, info: Some(answer.info) })
}

pub(super) fn stands_for(request: v1::GetSalesRequest) -> Result<v1::QueryMetricRequest, ApiError> {
    let group_by = GroupBy::try_from(request.group_by)
        .map_err(|_| ApiError::invalid("group_by", "is no value of its enum"))?;
    let everything = Span::Range(v1::TimeRange::default());
    let (window, by, span) = match (group_by, request.range.map(Span::Range)) {
        (GroupBy::Unspecified | GroupBy::Category, None) => ("total", Some("category"), None),
        (GroupBy::Unspecified | GroupBy::Category, range) => ("day", Some("category"), range),
        (GroupBy::Day, range) => ("day", None, Some(range.unwrap_or(everything))),
        (GroupBy::Month, range) => ("month", None, Some(range.unwrap_or(everything))),
    };
    Ok(v1::QueryMetricRequest {
        name: "metrics/sales".to_owned(),
        window: window.to_owned(),
        group_by: by.map(str::to_owned).into_iter().collect(),
        span,
        read: request.read,
        ..v1::QueryMetricRequest::default()
    })
}
