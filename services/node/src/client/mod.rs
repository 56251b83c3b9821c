//! A caller of the public API, as every client command is one. It knows the API by its descriptors alone: requests are made from JSON,
//! answers become JSON, so what `-o json` prints is the API's own.

mod codec;
mod connect;
pub(crate) mod problem;
pub(crate) mod schema;
pub(crate) mod watch;

pub(crate) use connect::{Target, connect};

use std::time::Duration;

use futures_util::Stream;
use http::uri::PathAndQuery;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::Value;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use self::codec::DynamicCodec;
use self::schema::{from_json, method, to_json};
use crate::cli::exit::Failure;
use crate::limits;

/// Deadline of a unary call that was given none.
const DEADLINE: Duration = Duration::from_secs(10);

/// A connection to one node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    channel: Channel,
    /// As the user wrote it.
    address: String,
    shop: MetadataValue<Ascii>,
    timeout: Option<Duration>,
}

impl Client {
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A unary call of one of our own methods, as `AnalyticsService/QueryMetric`.
    pub(crate) async fn ask(&self, name: &str, request: Value) -> Result<Value, Failure> {
        let method = method(name)?;
        let request = from_json(method.input(), request)?;
        let answer = self.unary(&method, request).await.map_err(|status| self.failure(&status))?;
        Ok(to_json(&answer))
    }

    pub(crate) fn failure(&self, status: &Status) -> Failure {
        problem::of_status(status, &self.address)
    }

    pub(crate) async fn unary(
        &self,
        method: &MethodDescriptor,
        request: DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let mut request = self.with_metadata(request);
        request.set_timeout(self.timeout.unwrap_or(DEADLINE));
        let mut grpc = self.grpc().await?;
        let answer = grpc.unary(request, path(method)?, DynamicCodec::new(method.output())).await?;
        Ok(answer.into_inner())
    }

    /// A call that streams in any direction. It has a deadline only if one was given.
    pub(crate) async fn stream(
        &self,
        method: &MethodDescriptor,
        requests: impl Stream<Item = DynamicMessage> + Send + 'static,
    ) -> Result<Streaming<DynamicMessage>, Status> {
        let mut request = self.with_metadata(requests);
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        let mut grpc = self.grpc().await?;
        let answer = grpc.streaming(request, path(method)?, DynamicCodec::new(method.output())).await?;
        Ok(answer.into_inner())
    }

    /// A request with what every call of this client says.
    pub(crate) fn with_metadata<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("souk-shop", self.shop.clone());
        request
    }

    async fn grpc(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone())
            .max_decoding_message_size(limits::MESSAGE_BYTES)
            .max_encoding_message_size(limits::MESSAGE_BYTES);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc)
    }
}

fn path(method: &MethodDescriptor) -> Result<PathAndQuery, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    path.parse().map_err(|_| Status::internal("a method's name is no path"))
}
