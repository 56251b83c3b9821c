//! The server itself: what it refuses, what it says of itself, and how it ends.

// Helpers of tests fail the test they are called from.
#![allow(clippy::unwrap_used)]

mod api_bench;

use std::sync::Arc;
use std::time::Duration;

use api_bench::{Node, failed, options, page_view, within};
use prost::Message as _;
use prost_types::FileDescriptorProto;
use souk_api::{ApiError, Options, Server};
use souk_proto::grpc::raw;
use souk_proto::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

type Codec<T, U> = tonic_prost::ProstCodec<T, U>;

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_method_is_an_error_like_any_other() {
    let node = Node::start().await;
    for path in ["/souk.v1.EventService/Nothing", "/souk.v2.NoService/Nothing"] {
        let mut client = tonic::client::Grpc::new(node.channel().await);
        client.ready().await.unwrap();
        let codec: Codec<v1::GetNodeRequest, v1::GetNodeResponse> = Codec::default();
        let request = Request::new(v1::GetNodeRequest::default());
        let (code, reason, _) = failed(client.unary(request, path.parse().unwrap(), codec).await);
        assert_eq!((code, reason.as_str()), (Code::Unimplemented, "METHOD_UNKNOWN"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named() {
    let node = Node::start().await;
    let taken = Options { listen: node.address, ..options() };
    let facts = Arc::new(NoFacts);
    let error = Server::bind(taken, node.runtime.clone(), facts).await.expect_err("somebody listens there");
    assert!(matches!(error, ApiError::PortTaken(address) if address == node.address));
    let port = node.address.port();
    assert_eq!(error.to_string(), format!("port {port} is taken; --listen 127.0.0.1:0 picks a free one"));
}

#[derive(Debug)]
struct NoFacts;

impl souk_api::admin::NodeFacts for NoFacts {
    fn version(&self) -> String {
        String::new()
    }

    fn durability(&self) -> String {
        String::new()
    }

    fn dependencies(&self) -> Vec<v1::Dependency> {
        Vec::new()
    }
}

/// The file reflection serves for a symbol.
async fn file_of(node: &Node, symbol: &str) -> FileDescriptorProto {
    match ask(node, MessageRequest::FileContainingSymbol(symbol.to_owned())).await {
        MessageResponse::FileDescriptorResponse(found) => {
            FileDescriptorProto::decode(found.file_descriptor_proto[0].as_slice()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

async fn ask(node: &Node, asked: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(asked) };
    let mut client = ServerReflectionClient::new(node.channel().await);
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    within(answers.message()).await.unwrap().unwrap().message_response.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_serves_json_names_comments_and_details_of_errors() {
    let node = Node::start().await;
    let file = file_of(&node, "souk.v1.Event").await;
    let event = file.message_type.iter().find(|message| message.name() == "Event").unwrap();
    let user_id = event.field.iter().find(|field| field.name() == "user_id").unwrap();
    assert_eq!(user_id.json_name.as_deref(), Some("userId"), "tools print userId only then");
    assert!(
        file.source_code_info.unwrap().location.iter().any(|location| location.leading_comments.is_some())
    );

    let details = file_of(&node, "google.rpc.BadRequest").await;
    let bad = details.message_type.iter().find(|message| message.name() == "BadRequest").unwrap();
    assert_eq!(bad.field[0].json_name.as_deref(), Some("fieldViolations"));

    let MessageResponse::ListServicesResponse(listed) =
        ask(&node, MessageRequest::ListServices(String::new())).await
    else {
        panic!("not a list")
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for service in ["souk.v1.EventService", "souk.v1.AdminService", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|name| name == service), "{service} of {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_not_serving_when_the_node_leaves() {
    let node = Node::start_with(Options { notice: Duration::from_millis(300), ..options() }).await;
    let mut health = HealthClient::new(node.channel().await);
    let request = HealthCheckRequest { service: String::new() };
    let mut watched = health.watch(request).await.unwrap().into_inner();
    assert_eq!(within(watched.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    node.leave();
    assert_eq!(within(watched.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    // Told first, refused only when the notice is over.
    let events = vec![page_view("e-1", "me", "/")];
    let request = v1::PublishEventsRequest { events, ..Default::default() };
    node.events().await.publish_events(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_never_ends_does_not_keep_the_node() {
    const GRACE: Duration = Duration::from_millis(300);
    let node = Node::start_with(Options { grace: GRACE, ..options() }).await;
    let channel = node.channel().await;
    let hanging = tokio::spawn(async move {
        let mut client = tonic::client::Grpc::new(channel);
        client.ready().await.unwrap();
        let codec: Codec<raw::PublishEventsRequest, v1::PublishEventsResponse> = Codec::default();
        let path = "/souk.v1.EventService/PublishEvents".parse().unwrap();
        // A request whose message never comes.
        let request = Request::new(tokio_stream::pending());
        client.client_streaming(request, path, codec).await
    });
    let counters = node.counters.clone();
    let calls = counters.figures().calls;
    within(async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while counters.figures().calls == calls {
            ticks.tick().await;
        }
    })
    .await;
    let begun = Instant::now();
    assert!(!node.stop().await, "one call was dropped");
    assert!(begun.elapsed() < GRACE + Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(within(hanging).await.unwrap().is_err());
}

/// Reads until the peer closes, or the answer holds `until`.
async fn read_until(stream: &mut TcpStream, until: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    within(async {
        let mut part = [0; 4_096];
        while !answer.windows(until.len().max(1)).any(|window| window == until) {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => break,
                Ok(length) => answer.extend(&part[..length]),
            }
        }
    })
    .await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_is_closed() {
    let node = Node::start_with(Options { first_request: Duration::from_millis(200), ..options() }).await;
    let mut silent = TcpStream::connect(node.address).await.unwrap();
    assert!(read_until(&mut silent, b"never said").await.is_empty());
    assert!(node.counters.figures().connections_refused >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_address_are_bounded() {
    let node = Node::start_with(Options { connections_per_address: 3, ..options() }).await;
    let held: Vec<_> = futures_util::future::join_all((0..8).map(|_| TcpStream::connect(node.address))).await;
    within(async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while node.counters.figures().connections_refused < 5 {
            ticks.tick().await;
        }
    })
    .await;
    assert!(node.counters.figures().connections_open <= 3);
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_configured_origin_may_call_over_http1() {
    let origin = "https://shop.example";
    let node = Node::start_with(Options { origins: vec![origin.to_owned()], ..options() }).await;
    let mut page = TcpStream::connect(node.address).await.unwrap();
    let body = v1::GetNodeRequest::default().encode_to_vec();
    let mut message = vec![0];
    message.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    let head = format!(
        "POST /souk.v1.AdminService/GetNode HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\n\
         content-type: application/grpc-web+proto\r\ncontent-length: {}\r\n\r\n",
        message.len()
    );
    page.write_all(&[head.as_bytes(), &message].concat()).await.unwrap();
    let answer = String::from_utf8_lossy(&read_until(&mut page, b"grpc-status").await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("nodes/n-1") && answer.contains("grpc-status:0"), "{answer}");
    assert!(answer.contains(&format!("access-control-allow-origin: {origin}")), "{answer}");

    let mut other = TcpStream::connect(node.address).await.unwrap();
    let preflight = "OPTIONS /souk.v1.AdminService/GetNode HTTP/1.1\r\nhost: x\r\norigin: https://other.example\r\n\
                     access-control-request-method: POST\r\n\r\n";
    other.write_all(preflight.as_bytes()).await.unwrap();
    let answer = String::from_utf8_lossy(&read_until(&mut other, b"\r\n\r\n").await).into_owned();
    assert!(!answer.contains("access-control-allow-origin"), "{answer}");
}
