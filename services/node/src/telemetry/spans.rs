//! The span of a call, in the trace its caller names by a W3C `traceparent`. Made only where traces go somewhere.

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use souk_api::server::Spans;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Names are those of the telemetry conventions; what begins with `otel.` says what the span itself is.
#[derive(Debug)]
pub(crate) struct CallSpans;

impl Spans for CallSpans {
    fn span(&self, method: &str, headers: &HeaderMap) -> Span {
        let span = tracing::info_span!(
            "call",
            otel.name = method,
            otel.kind = "server",
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
        );
        let caller = TraceContextPropagator::new().extract(&Carrier(headers));
        if caller.span().span_context().is_valid()
            && let Err(error) = span.set_parent(caller)
        {
            tracing::debug!(%error, "a call is traced by itself");
        }
        span
    }
}

struct Carrier<'a>(&'a HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
