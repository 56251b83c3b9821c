//! Traces over OTLP, off unless an endpoint is set: then sampled at the root, sent in batches, dropped when the collector is slow.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Otlp;

/// How long the last spans may take to leave.
const LAST_SPANS: Duration = Duration::from_secs(1);

/// Spans on their way to a collector.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

/// Begins to send, if an endpoint is set.
pub(super) fn start(otlp: &Otlp, node: &str) -> anyhow::Result<Option<Traces>> {
    if otlp.endpoint.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&otlp.endpoint)
        .build()
        .context("otlp.endpoint")?;
    let resource = Resource::builder()
        .with_service_name("souk")
        .with_attribute(opentelemetry::KeyValue::new("service.instance.id", node.to_owned()));
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(otlp.sample)));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource.build())
        .build();
    Ok(Some(Traces(provider)))
}

impl Traces {
    /// Our own spans only: the exporter's connection would trace itself.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let ours = ["souk", "souk_api", "souk_runtime", "souk_journal", "souk_store"];
        let filter = EnvFilter::builder()
            .with_default_directive(LevelFilter::OFF.into())
            .parse_lossy(ours.map(|target| format!("{target}=info")).join(","));
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("souk")).with_filter(filter)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_SPANS) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}
