//! gRPC-Web beside gRPC: for pages of configured origins, and for whatever speaks it without being a page.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use tonic::body::Body;
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::Layer as _;
use tower::util::Either;
use tower_http::cors::{AllowOrigin, Cors, CorsLayer};

use super::gate::Gate;
use super::options::Options;
use super::routes::Services;
use crate::call::{SHOP, TIMEOUT};

/// Without origins there is no CORS to answer.
type Web = Either<Cors<GrpcWebService<Gate<Services>>>, GrpcWebService<Gate<Services>>>;

/// What every connection serves. A call that is plain gRPC does not pass what gRPC-Web needs.
#[derive(Debug, Clone)]
pub(super) struct Service {
    gate: Gate<Services>,
    web: Web,
}

impl Service {
    pub(super) fn new(gate: Gate<Services>, options: &Options) -> Self {
        let web = GrpcWebLayer::new().layer(gate.clone());
        if options.origins.is_empty() {
            return Self { gate, web: Either::Right(web) };
        }
        let origins = options.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        let cors = CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::POST])
            .allow_headers(names(["content-type", "x-grpc-web", "x-user-agent", TIMEOUT, SHOP]))
            .expose_headers(names(["grpc-status", "grpc-message", "grpc-status-details-bin"]));
        Self { gate, web: Either::Left(cors.layer(web)) }
    }
}

impl tower::Service<Request<Body>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.gate.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_plain(request.headers()) {
            return self.gate.call(request);
        }
        let answer = self.web.call(request);
        Box::pin(async move {
            answer.await.map(|response| response.map(Body::new)).map_err(|never| match never {})
        })
    }
}

/// Whether it is gRPC and of no page.
fn is_plain(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map_or(b"".as_slice(), HeaderValue::as_bytes);
    (kind == b"application/grpc" || kind.starts_with(b"application/grpc+")) && !headers.contains_key(ORIGIN)
}

fn names<const N: usize>(names: [&'static str; N]) -> [HeaderName; N] {
    names.map(HeaderName::from_static)
}
