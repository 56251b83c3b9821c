//! One connection to a node. It does not come back by itself: what is lost on it is found out at once, and whoever wants another says so.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper_util::rt::TokioIo;
use souk_proto::grpc::peer::peer_service_client::PeerServiceClient;
use souk_runtime::ports::Unreachable;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::limits::{
    CONNECT_TIMEOUT, CONNECTION_WINDOW_BYTES, HEADER_BYTES, KEEPALIVE, KEEPALIVE_ANSWER, MESSAGE_BYTES,
    STREAM_WINDOW_BYTES,
};
use crate::{Error, Tls};

pub(super) type Client = PeerServiceClient<Channel>;

/// Where a node is, and how it is spoken to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) address: Arc<str>,
    tls: Option<Arc<Tls>>,
}

impl Target {
    pub(super) fn new(address: &str, tls: Option<Arc<Tls>>) -> Self {
        Self { address: address.into(), tls }
    }

    pub(super) async fn connect(&self) -> Result<Client, Unreachable> {
        let endpoint = self.endpoint().map_err(|error| self.failed(&error))?;
        let connecting = timeout(CONNECT_TIMEOUT, endpoint.connect_with_connector(self.once()));
        match connecting.await {
            Ok(Ok(channel)) => Ok(PeerServiceClient::new(channel)
                .max_decoding_message_size(MESSAGE_BYTES)
                .max_encoding_message_size(MESSAGE_BYTES)),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => Err(self.failed(&"it took too long")),
        }
    }

    /// Also finds what is wrong with certificates in themselves.
    pub(super) fn endpoint(&self) -> Result<Endpoint, Error> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{}", self.address))
            .map_err(|_| Error::option("address", format!("`{}` is not host:port", self.address)))?
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_ANSWER)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_max_header_list_size(HEADER_BYTES);
        match &self.tls {
            None => Ok(endpoint),
            Some(tls) => endpoint.tls_config(tls.client()).map_err(|error| Error::Tls { why: why(&error) }),
        }
    }

    /// Connects the first time it is asked, and never again.
    fn once(
        &self,
    ) -> impl tower::Service<
        Uri,
        Response = TokioIo<TcpStream>,
        Error = io::Error,
        Future = impl Future<Output = io::Result<TokioIo<TcpStream>>> + Send,
    > + Send
    + 'static {
        let (address, used) = (self.address.clone(), Arc::new(AtomicBool::new(false)));
        tower::service_fn(move |_: Uri| {
            let (address, used) = (address.clone(), used.clone());
            async move {
                if used.swap(true, Ordering::Relaxed) {
                    return Err(io::ErrorKind::NotConnected.into());
                }
                let stream = TcpStream::connect(&*address).await?;
                stream.set_nodelay(true)?;
                Ok(TokioIo::new(stream))
            }
        })
    }

    fn failed(&self, error: &dyn ToString) -> Unreachable {
        tracing::debug!(node = &*self.address, error = error.to_string(), "cannot connect to a node");
        Unreachable
    }
}

/// An error with what caused it: the transport's own text says no more than that it failed.
fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
