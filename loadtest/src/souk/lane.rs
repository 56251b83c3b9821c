//! A lane into the server: batches of events that are encoded already, by unary calls or on one stream. The messages are those of
//! EventService; the client spends no time on what it has encoded before.

use bytes::Bytes;
use futures_util::Stream;
use souk_proto::grpc::encoded::Encoded;
use souk_proto::v1;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

const PUBLISH: &str = "/souk.v1.EventService/PublishEvents";
const STREAM: &str = "/souk.v1.EventService/StreamEvents";

#[derive(Debug, Clone)]
pub struct Lane(Grpc<Channel>);

impl Lane {
    pub fn new(channel: Channel) -> Self {
        Self(Grpc::new(channel))
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))
    }

    /// One encoded PublishEventsRequest.
    pub async fn publish(&mut self, request: Bytes) -> Result<v1::PublishEventsResponse, Status> {
        self.ready().await?;
        let codec = ProstCodec::<Encoded, v1::PublishEventsResponse>::default();
        let answer =
            self.0.unary(Request::new(whole(request)), PathAndQuery::from_static(PUBLISH), codec).await?;
        Ok(answer.into_inner())
    }

    /// Encoded StreamEventsRequests.
    pub async fn stream(
        &mut self,
        requests: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Streaming<v1::StreamEventsResponse>, Status> {
        use futures_util::StreamExt as _;
        self.ready().await?;
        let codec = ProstCodec::<Encoded, v1::StreamEventsResponse>::default();
        let requests = Request::new(requests.map(whole));
        let answers = self.0.streaming(requests, PathAndQuery::from_static(STREAM), codec).await?;
        Ok(Response::into_inner(answers))
    }
}

fn whole(message: Bytes) -> Encoded {
    Encoded { head: Bytes::new(), body: message }
}
