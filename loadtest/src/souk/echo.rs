//! The yardstick for unary reads: a plain tonic service that does nothing. It answers as many bytes as it is asked for, from one
//! buffer, so that the gRPC stack is all it costs.

use std::convert::Infallible;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{Service, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const CALL: &str = "/souk.load.EchoService/Echo";

/// As many bytes as the request of the call compared with, and how many the answer is to have.
#[derive(Clone, PartialEq, prost::Message)]
pub struct EchoRequest {
    #[prost(bytes = "bytes", tag = "1")]
    pub payload: Bytes,
    #[prost(uint32, tag = "2")]
    pub answer_bytes: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct EchoResponse {
    #[prost(bytes = "bytes", tag = "1")]
    pub payload: Bytes,
}

/// More than any answer compared with.
const LARGEST_ANSWER: usize = 1 << 20;

#[derive(Debug, Clone)]
struct Echo(Bytes);

impl UnaryService<EchoRequest> for Echo {
    type Response = EchoResponse;
    type Future = std::future::Ready<Result<Response<EchoResponse>, Status>>;

    fn call(&mut self, request: Request<EchoRequest>) -> Self::Future {
        let length = (request.into_inner().answer_bytes as usize).min(self.0.len());
        std::future::ready(Ok(Response::new(EchoResponse { payload: self.0.slice(..length) })))
    }
}

/// The service around the one method, as generated code has it.
#[derive(Debug, Clone)]
struct EchoServer(Echo);

impl NamedService for EchoServer {
    const NAME: &'static str = "souk.load.EchoService";
}

impl Service<http::Request<Body>> for EchoServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.0.clone();
        Box::pin(async move {
            let codec = ProstCodec::<EchoResponse, EchoRequest>::default();
            Ok(tonic::server::Grpc::new(codec).unary(echo, request).await)
        })
    }
}

/// Serves until the process is ended.
pub async fn serve(address: &str) -> Result<()> {
    let listener = TcpListener::bind(address).await.context("listening")?;
    let echo = EchoServer(Echo(vec![7; LARGEST_ANSWER].into()));
    let connections = TcpListenerStream::new(listener);
    Ok(Server::builder().tcp_nodelay(true).add_service(echo).serve_with_incoming(connections).await?)
}

/// An echo server in a process of its own, as the server compared with is.
#[derive(Debug)]
pub struct EchoProcess {
    child: std::process::Child,
    pub address: String,
}

impl EchoProcess {
    pub fn start(this_program: &Path) -> Result<Self> {
        let address = format!("127.0.0.1:{}", super::process::free_port()?);
        let child = std::process::Command::new(this_program)
            .args(["echo", "--listen", &address])
            .stdin(Stdio::null())
            .spawn()
            .context("starting the echo server")?;
        Ok(Self { child, address })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for EchoProcess {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            self.child.wait().ok();
        }
    }
}

/// A caller of the echo.
#[derive(Debug, Clone)]
pub struct EchoClient(Grpc<Channel>);

impl EchoClient {
    pub fn new(channel: Channel) -> Self {
        Self(Grpc::new(channel))
    }

    pub async fn echo(&mut self, request: EchoRequest) -> Result<EchoResponse, Status> {
        self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec = ProstCodec::<EchoRequest, EchoResponse>::default();
        Ok(self.0.unary(Request::new(request), PathAndQuery::from_static(CALL), codec).await?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_as_many_bytes_as_asked_for() {
        let address = format!("127.0.0.1:{}", crate::souk::process::free_port().expect("a port"));
        let served = address.clone();
        let server = tokio::spawn(async move { serve(&served).await });
        let channel = loop {
            match crate::souk::client::connect(&address).await {
                Ok(channel) => break channel,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let request = EchoRequest { payload: vec![1; 40].into(), answer_bytes: 300 };
        let answer = EchoClient::new(channel).echo(request).await.expect("answers");
        assert_eq!(answer.payload.len(), 300);
        server.abort();
    }
}
