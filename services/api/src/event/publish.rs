//! PublishEvents: one batch, one answer.

use souk_proto::grpc::raw;
use souk_proto::v1;
use souk_runtime::intake::{Order, Publication, Published};

use super::level;
use super::verdicts::{Counted, verdicts};
use crate::error::Checks;
use crate::{ApiError, Call, Context};

pub(super) async fn publish(
    context: &Context,
    call: Call,
    request: raw::PublishEventsRequest,
) -> Result<v1::PublishEventsResponse, ApiError> {
    let mut checks = Checks::default();
    let level = level(request.events.len(), request.ack, &mut checks);
    let wants_all = checks.take(wants_all(request.view));
    checks.done()?;
    let with_ids = wants_all.unwrap_or_default();
    let batch =
        Publication { events: request.events, shop: call.shop, level, order: Order::default(), with_ids };
    let Published { outcomes, position } = if request.validate_only {
        context.runtime.validate(batch)?
    } else {
        context.runtime.publish(batch, call.deadline).await?
    };
    Ok(v1::PublishEventsResponse {
        counts: Some(Counted::of(&outcomes).into()),
        verdicts: verdicts(outcomes, with_ids),
        position: position.to_string(),
    })
}

/// Whether every event gets its verdict, or only those with a problem.
fn wants_all(view: i32) -> Result<bool, ApiError> {
    match v1::VerdictView::try_from(view) {
        Ok(v1::VerdictView::Unspecified | v1::VerdictView::All) => Ok(true),
        Ok(v1::VerdictView::Problems) => Ok(false),
        Err(_) => Err(ApiError::invalid("view", "is no value of its enum")),
    }
}
