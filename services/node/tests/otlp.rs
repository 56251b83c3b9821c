//! Traces, as a collector gets them from the binary.

mod support;

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use souk_proto::grpc::client::event_service_client::EventServiceClient;
use souk_proto::v1;
use support::Dev;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A caller who traces.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// Hands on what it is sent.
struct Collector(mpsc::Sender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).await.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector on a free port of loopback.
async fn collector() -> (String, mpsc::Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let (sent, exported) = mpsc::channel(16);
    let service = TraceServiceServer::new(Collector(sent));
    let serving = tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    (endpoint, exported)
}

fn page_view(traceparent: Option<String>) -> Request<v1::PublishEventsRequest> {
    let kind = v1::event::Kind::PageView(v1::PageView { page: "/".to_owned(), ..Default::default() });
    let event = v1::Event { user_id: "me".to_owned(), kind: Some(kind), ..Default::default() };
    let mut request = Request::new(v1::PublishEventsRequest { events: vec![event], ..Default::default() });
    if let Some(parent) = traceparent {
        request.metadata_mut().insert("traceparent", parent.parse().expect("ASCII"));
    }
    request
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_a_caller_who_traces_goes_on_in_the_callers_trace() {
    let (endpoint, mut exported) = collector().await;
    // Of calls nobody else traces none is.
    let otlp = [("SOUK__OTLP__ENDPOINT", endpoint.as_str()), ("SOUK__OTLP__SAMPLE", "0")];
    let dev = Dev::start_with(&[], &otlp);
    let mut client = EventServiceClient::connect(format!("http://{}", dev.address)).await.expect("connects");
    client.publish_events(page_view(None)).await.expect("published");
    let traced = page_view(Some(format!("00-{TRACE}-{SPAN}-01")));
    client.publish_events(traced).await.expect("published");
    drop(client);
    // The last spans leave with the process.
    let ended = tokio::task::spawn_blocking(move || dev.end("TERM"));
    let request = tokio::time::timeout(Duration::from_secs(30), exported.recv()).await;
    let request = request.expect("spans came").expect("the collector serves");
    assert_eq!(ended.await.expect("joins"), 0);
    assert!(exported.try_recv().is_err(), "there was nothing else to send");

    let [traced] = &request.resource_spans[..] else { panic!("one resource: {request:?}") };
    let resource = traced.resource.as_ref().expect("a resource");
    assert_eq!(text(&resource.attributes, "service.name"), Some("souk"));
    assert_eq!(text(&resource.attributes, "service.instance.id"), Some("n-1"));
    let spans: Vec<_> = traced.scope_spans.iter().flat_map(|scope| &scope.spans).collect();
    let [span] = spans[..] else { panic!("one span: {spans:?}") };
    assert_eq!(span.name, "souk.v1.EventService/PublishEvents");
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.to_owned(), SPAN.to_owned()));
    assert_eq!(span.kind(), SpanKind::Server);
    assert_eq!(text(&span.attributes, "rpc.system.name"), Some("grpc"));
    assert_eq!(text(&span.attributes, "rpc.method"), Some("souk.v1.EventService/PublishEvents"));
    assert_eq!(text(&span.attributes, "rpc.response.status_code"), Some("OK"));
    assert!(span.end_time_unix_nano > span.start_time_unix_nano);
}
