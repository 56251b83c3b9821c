//! One connection: HTTP/2, or HTTP/1.1 for gRPC-Web, with every limit the protocol has.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::ServiceExt as _;

use super::counters::{Counters, count};
use super::options::Options;
use super::web::Service;
use crate::limits::{
    CONNECTION_WINDOW_BYTES, HEADER_BYTES, HTTP1_BUFFER_BYTES, HTTP1_HEADERS, KEEPALIVE, KEEPALIVE_ANSWER,
    LOCAL_RESET_STREAMS, RESET_STREAMS, SEND_BUFFER_BYTES, STREAM_WINDOW_BYTES,
};

/// What every connection is made with.
#[derive(Debug, Clone)]
pub(super) struct Connecting {
    http: Builder<TokioExecutor>,
    first_request: Duration,
    counters: Arc<Counters>,
    /// Cancelled when connections take no new calls, and end with their last one.
    pub closing: CancellationToken,
}

impl Connecting {
    pub(super) fn new(options: &Options, counters: Arc<Counters>, closing: CancellationToken) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(options.first_request)
            .max_headers(HTTP1_HEADERS)
            .max_buf_size(HTTP1_BUFFER_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_ANSWER)
            .max_concurrent_streams(options.streams_per_connection)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES)
            .max_header_list_size(HEADER_BYTES)
            .max_pending_accept_reset_streams(RESET_STREAMS)
            .max_local_error_reset_streams(LOCAL_RESET_STREAMS);
        Self { http, first_request: options.first_request, counters, closing }
    }
}

/// Serves a connection until its client or the server ends it.
pub(super) async fn serve(stream: TcpStream, with: Connecting, service: Service) {
    // Answers are small and awaited: none of them may wait for a fuller packet.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone already");
        return;
    }
    let first = Arc::new(Notify::new());
    let seen = first.clone();
    let service = service.map_request(move |request: http::Request<hyper::body::Incoming>| {
        seen.notify_one();
        request.map(Body::new)
    });
    let serving = with.http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(serving);
    let mut waits_for_first = true;
    let mut closes = false;
    let silence = tokio::time::sleep(with.first_request);
    tokio::pin!(silence);
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection failed");
                }
                return;
            }
            () = first.notified(), if waits_for_first => waits_for_first = false,
            () = &mut silence, if waits_for_first => {
                count(&with.counters.connections_refused);
                return;
            }
            () = with.closing.cancelled(), if !closes => {
                closes = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
