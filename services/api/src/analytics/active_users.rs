//! GetActiveUsers: the newest window of active_users.

use souk_proto::v1;
use souk_proto::v1::metric_value::Value;

use super::query;
use crate::{ApiError, Call, Context};

pub(super) async fn get(
    context: &Context,
    call: &Call,
    request: v1::GetActiveUsersRequest,
) -> Result<v1::GetActiveUsersResponse, ApiError> {
    let answer = query::all(context, call, &stands_for(request)).await?;
    let row = answer.rows.into_iter().next();
    let users = row.as_ref().and_then(|row| row.values.get("users")).and_then(|value| match value.value {
        Some(Value::Integer(users)) => Some(users),
        _ => None,
    });
    Ok(v1::GetActiveUsersResponse {
        users: Some(users.unwrap_or_default()),
        range: row.and_then(|row| row.range),
        info: Some(answer.info),
    })
}

pub(super) fn stands_for(request: v1::GetActiveUsersRequest) -> v1::QueryMetricRequest {
    v1::QueryMetricRequest {
        name: "metrics/active_users".to_owned(),
        window: request.window,
        read: request.read,
        ..v1::QueryMetricRequest::default()
    }
}
