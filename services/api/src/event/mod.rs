//! EventService: takes what others report. Events stay the bytes they came in; `souk_runtime::intake` decodes each once.

mod publish;
mod stream;
mod verdicts;

use souk_proto::grpc::raw;
use souk_proto::grpc::server::event_service_server::EventService;
use souk_proto::v1;
use souk_runtime::intake::Level;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use verdicts::verdict;

use crate::error::Checks;
use crate::limits::EVENTS_PER_MESSAGE;
use crate::{ApiError, Call, Context};

/// The service.
#[derive(Debug)]
pub struct EventApi {
    context: Context,
}

impl EventApi {
    pub fn new(context: Context) -> Self {
        Self { context }
    }
}

#[tonic::async_trait]
impl EventService for EventApi {
    async fn publish_events(
        &self,
        request: Request<raw::PublishEventsRequest>,
    ) -> Result<Response<v1::PublishEventsResponse>, Status> {
        let call = Call::of(&request)?;
        let answer = publish::publish(&self.context, call, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    type StreamEventsStream = stream::Answers;

    async fn stream_events(
        &self,
        request: Request<Streaming<raw::StreamEventsRequest>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(stream::answers(self.context.clone(), call, request.into_inner())))
    }
}

/// What both methods check of a batch: its size, and when it wants its answer.
fn level(events: usize, ack: i32, checks: &mut Checks) -> Level {
    checks.take(if events > EVENTS_PER_MESSAGE {
        Err(ApiError::too_many("events", events, EVENTS_PER_MESSAGE))
    } else {
        Ok(())
    });
    match v1::AckLevel::try_from(ack) {
        Ok(v1::AckLevel::Unspecified | v1::AckLevel::Logged) => Level::Logged,
        Ok(v1::AckLevel::Applied) => Level::Applied,
        Err(_) => {
            checks.take::<()>(Err(ApiError::invalid("ack", "is no value of its enum")));
            Level::Logged
        }
    }
}
