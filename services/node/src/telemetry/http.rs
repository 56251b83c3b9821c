//! The HTTP port: `/metrics`, `/healthz`, `/readyz`. It reads and never changes anything.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use souk_runtime::observe::ShardState;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Observed;
use crate::limits;

/// What `Content-Type` OpenMetrics wants.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the port answers from.
#[derive(Debug, Clone)]
pub(crate) struct Pages {
    pub(crate) observed: Observed,
    /// Cancelled when the node begins to leave.
    pub(crate) leaving: CancellationToken,
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, pages: Pages) {
    let connections = Arc::new(Semaphore::new(limits::HTTP_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the metrics port did not accept");
                tokio::time::sleep(limits::READY_POLL).await;
                continue;
            }
        };
        let pages = pages.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let pages = pages.clone();
                async move { Ok::<_, Infallible>(pages.answer(&request).await) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(limits::HTTP_HEADER_WAIT).keep_alive(false);
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a caller of the metrics port went away");
            }
            drop(permit);
        });
    }
}

impl Pages {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET or HEAD\n");
        }
        match request.uri().path() {
            "/metrics" => match self.observed.page().await {
                Ok(page) => response(StatusCode::OK, OPEN_METRICS, page),
                Err(_) => {
                    response(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "the page could not be made\n")
                }
            },
            "/healthz" => response(StatusCode::OK, "text/plain", "alive\n"),
            "/readyz" => self.ready(),
            _ => response(StatusCode::NOT_FOUND, "text/plain", "/metrics, /healthz or /readyz\n"),
        }
    }

    /// Ready is who would answer every call.
    fn ready(&self) -> Response<Full<Bytes>> {
        let waiting = waiting(&self.observed.runtime);
        let draining = self.leaving.is_cancelled();
        let ready = waiting.is_empty() && !draining;
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let body = json!({ "ready": ready, "draining": draining, "waiting_for": waiting });
        response(status, "application/json", format!("{body}\n"))
    }
}

/// Shards that do not serve, each with what it does instead.
pub(crate) fn waiting(runtime: &souk_runtime::Runtime) -> Vec<serde_json::Value> {
    let states = runtime.statuses();
    let not_serving = states.iter().filter(|status| status.state != ShardState::Serving);
    not_serving
        .map(|status| {
            let state = match status.state {
                ShardState::Serving => "serving",
                ShardState::CatchingUp => "catching up",
                ShardState::Moving => "moving",
                ShardState::Unowned => "unowned",
            };
            let mut shard = json!({
                "shard": status.shard.to_string(), "state": state, "position": status.position, "end": status.end,
            });
            if let Some(problem) = &status.problem {
                shard["problem"] = problem.clone().into();
            }
            shard
        })
        .collect()
}

fn response(status: StatusCode, content: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content));
    response
}
