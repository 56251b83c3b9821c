//! The port for other nodes: hands what they say to the runtime's `Inbound`.
//!
//! A link's way: `accept` holds connections to their cap → `service` opens it, in its turn (`turns`) → each message is heard, and credits go
//! back as messages are handed over.

mod accept;
mod service;
mod turns;

use std::sync::Arc;

use souk_proto::grpc::peer::peer_service_server::PeerServiceServer;
use souk_runtime::ports::Inbound;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use self::service::Service;
use crate::limits::{
    ACCEPTED_CONNECTIONS, CONNECTION_WINDOW_BYTES, HEADER_BYTES, KEEPALIVE, KEEPALIVE_ANSWER, LEAVE_GRACE,
    MESSAGE_BYTES, RESET_STREAMS, STREAM_WINDOW_BYTES, STREAMS_PER_CONNECTION,
};
use crate::{Error, Tls};

/// Metadata of a link: the name it goes by, and the how-manyeth of that name it is.
pub(crate) const LINK: &str = "souk-link";
pub(crate) const TURN: &str = "souk-link-turn";

#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Without it everything is plain, and everybody is heard.
    pub tls: Option<Tls>,
    pub connections: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { tls: None, connections: ACCEPTED_CONNECTIONS }
    }
}

/// Serves other nodes until `leaving` is cancelled: then links and what is followed end, and questions have a moment to be answered.
pub async fn serve(
    listener: TcpListener,
    inbound: Arc<dyn Inbound>,
    options: ServerOptions,
    leaving: CancellationToken,
) -> Result<(), Error> {
    let failed = |error: tonic::transport::Error| Error::Serve { why: format!("{error:?}") };
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS));
    if let Some(tls) = &options.tls {
        server = server.tls_config(tls.server()).map_err(|error| Error::Tls { why: format!("{error:?}") })?;
    }
    let service = PeerServiceServer::new(Service::new(inbound, leaving.clone()))
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let serving = server.add_service(service).serve_with_incoming_shutdown(
        accept::connections(listener, options.connections),
        leaving.clone().cancelled_owned(),
    );
    tokio::select! {
        served = serving => served.map_err(failed),
        () = async { leaving.cancelled().await; sleep(LEAVE_GRACE).await } => Ok(()),
    }
}
