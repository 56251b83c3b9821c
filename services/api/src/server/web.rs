//! gRPC-Web beside gRPC: for pages of configured origins, and for whatever speaks it without being a page.

use http::{HeaderName, HeaderValue, Method};
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::Layer as _;
use tower::util::Either;
use tower_http::cors::{AllowOrigin, Cors, CorsLayer};

use super::gate::Gate;
use super::options::Options;
use crate::call::{SHOP, TIMEOUT};

/// What every connection serves. Without origins there is no CORS to answer.
pub(super) type Service = Either<Cors<GrpcWebService<Gate>>, GrpcWebService<Gate>>;

pub(super) fn service(gate: Gate, options: &Options) -> Service {
    let service = GrpcWebLayer::new().layer(gate);
    if options.origins.is_empty() {
        return Either::Right(service);
    }
    let origins = options.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::POST])
        .allow_headers(names(["content-type", "x-grpc-web", "x-user-agent", TIMEOUT, SHOP]))
        .expose_headers(names(["grpc-status", "grpc-message", "grpc-status-details-bin"]));
    Either::Left(cors.layer(service))
}

fn names<const N: usize>(names: [&'static str; N]) -> [HeaderName; N] {
    names.map(HeaderName::from_static)
}
