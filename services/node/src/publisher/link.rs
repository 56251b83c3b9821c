//! One StreamEvents call, from its first message to its last.

use http::uri::PathAndQuery;
use souk_proto::grpc::raw;
use souk_proto::v1::StreamEventsResponse;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::{Status, Streaming};
use tonic_prost::ProstCodec;

use crate::client::Client;

const METHOD: &str = "/souk.v1.EventService/StreamEvents";

#[derive(Debug)]
pub(super) struct Link {
    requests: mpsc::Sender<raw::StreamEventsRequest>,
    answers: Streaming<StreamEventsResponse>,
}

impl Link {
    /// Begins a stream that holds so many messages.
    pub(super) async fn begin(client: &Client, most: usize) -> Result<Self, Status> {
        let (requests, messages) = mpsc::channel(most);
        let mut grpc = Grpc::new(client.channel());
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let request = client.with_metadata(ReceiverStream::new(messages));
        let codec: ProstCodec<raw::StreamEventsRequest, StreamEventsResponse> = ProstCodec::default();
        let answers = grpc.streaming(request, PathAndQuery::from_static(METHOD), codec).await?;
        Ok(Self { requests, answers: answers.into_inner() })
    }

    /// Hands a message to the stream. A stream that is over says so in its answers.
    pub(super) async fn send(&self, request: raw::StreamEventsRequest) {
        if self.requests.send(request).await.is_err() {
            tracing::debug!("a stream ended while it was written to");
        }
    }

    pub(super) async fn answer(&mut self) -> Result<Option<StreamEventsResponse>, Status> {
        self.answers.message().await
    }
}
