//! GetRegionMetrics: trips of one region or of all.

use std::collections::BTreeMap;

use souk_proto::v1;
use souk_proto::v1::metric_value::Value;
use souk_proto::v1::query_metric_request::Span;

use super::query;
use crate::{ApiError, Call, Context};

const REGIONS: i32 = 100;
const REGION: &str = "region";
const MILLI: i128 = 1_000_000;
const SECOND: i128 = 1_000 * MILLI;

pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: v1::GetRegionMetricsRequest,
) -> Result<v1::GetRegionMetricsResponse, ApiError> {
    let answer = query::all(context, call, &stands_for(request)?).await?;
    let regions = answer.rows.into_iter().map(region).collect();
    Ok(v1::GetRegionMetricsResponse { regions, info: Some(answer.info) })
}

pub(super) fn stands_for(request: v1::GetRegionMetricsRequest) -> Result<v1::QueryMetricRequest, ApiError> {
    if !(0..=REGIONS).contains(&request.region_id) {
        return Err(ApiError::out_of_range("region_id", request.region_id, 0, REGIONS));
    }
    let one = (request.region_id > 0).then(|| (REGION.to_owned(), request.region_id.to_string()));
    Ok(v1::QueryMetricRequest {
        name: "metrics/region_trips".to_owned(),
        window: request.window,
        r#where: one.into_iter().collect(),
        group_by: vec![REGION.to_owned()],
        span: request.range.map(Span::Range),
        read: request.read,
        ..v1::QueryMetricRequest::default()
    })
}

/// A row as a message of its own. A region that is no number ("unknown", "other") is 0.
pub(super) fn region(row: v1::MetricRow) -> v1::RegionMetrics {
    let values = &row.values;
    v1::RegionMetrics {
        region_id: row.key.get(REGION).and_then(|region| region.parse().ok()).unwrap_or_default(),
        trips: integer(values, "trips"),
        avg_fare: one_currency(values, "avg_fare"),
        total_fare: one_currency(values, "total_fare"),
        distance_meters: integer(values, "total_distance"),
        avg_duration: duration(values, "avg_duration"),
        p50_duration: duration(values, "p50_duration"),
        p95_duration: duration(values, "p95_duration"),
        p99_duration: duration(values, "p99_duration"),
        range: row.range,
    }
}

type Values = BTreeMap<String, v1::MetricValue>;

fn integer(values: &Values, measure: &str) -> Option<i64> {
    match values.get(measure)?.value {
        Some(Value::Integer(integer)) => Some(integer),
        _ => None,
    }
}

/// Fares of several currencies have no sum.
fn one_currency(values: &Values, measure: &str) -> Option<v1::Money> {
    match values.get(measure)?.amounts.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// Milliseconds, whole or a mean, which is rounded half up to nanoseconds.
fn duration(values: &Values, measure: &str) -> Option<prost_types::Duration> {
    let nanos = match values.get(measure)?.value.as_ref()? {
        Value::Integer(millis) => i128::from(*millis) * MILLI,
        Value::Fraction(v1::Fraction { numerator: Some(sum), denominator: Some(count), .. })
            if *count > 0 =>
        {
            let (sum, count) = (i128::from(*sum) * MILLI, i128::from(*count));
            (2 * sum + count).div_euclid(2 * count)
        }
        Value::Fraction(_) => return None,
    };
    Some(prost_types::Duration {
        seconds: i64::try_from(nanos / SECOND).ok()?,
        nanos: i32::try_from(nanos % SECOND).ok()?,
    })
}
