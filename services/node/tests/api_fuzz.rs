//! Every method with messages nobody would send, found by reflection alone. No answer may be a bug of ours, and the node stays up.

// Helpers of tests fail the test they are called from.
#![allow(clippy::unwrap_used)]

mod api_bench;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api_bench::{Node, page_view, within};
use bytes::{Buf, BufMut, Bytes};
use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor, Value,
};
use prost_types::FileDescriptorProto;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use souk_proto::v1;
use tokio::time::Instant;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// How long it goes on.
const FOR: Duration = Duration::from_secs(4);
/// How long one call may take: most that wait, wait for what never comes.
const CALL: Duration = Duration::from_millis(150);
/// Callers at once.
const CALLERS: u64 = 4;
/// Messages inside each other.
const DEPTH: usize = 4;
/// Answers of one stream that are read.
const ANSWERS: usize = 4;

/// Texts that get somewhere, and texts that do not.
const TEXTS: [&str; 28] = [
    "",
    "users/alice",
    "users/-",
    "users/alice/cart",
    "users/alice/sessions/latest",
    "metrics/active_users",
    "metrics/products",
    "products/p-1",
    "shards/users-0",
    "nodes/n-1",
    "deadLetters/users-0.1.0",
    "users/alice/abandonedCarts/1",
    "users-0@1",
    "users-1@999999999",
    "5m/1s",
    "1h",
    "total",
    "day",
    "product",
    "revenue",
    "EUR",
    "state = SERVING",
    "NOT (name:x",
    "/",
    "-",
    "é\u{0}\u{7f}",
    "[metric.x]\nfrom = 1",
    "AAAAAAAA",
];

/// Messages as the bytes they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining())))
    }
}

/// Everything reflection knows of our services.
async fn pool(node: &Node) -> DescriptorPool {
    let mut files: BTreeMap<String, FileDescriptorProto> = BTreeMap::new();
    let mut wanted: Vec<MessageRequest> = ["AdminService", "AnalyticsService", "EventService", "UserService"]
        .into_iter()
        .map(|service| MessageRequest::FileContainingSymbol(format!("souk.v1.{service}")))
        .collect();
    let mut asked = BTreeSet::new();
    while let Some(request) = wanted.pop() {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let mut client = ServerReflectionClient::new(node.channel().await);
        let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
        let answer = within(answers.into_inner().message()).await.unwrap().unwrap();
        let Some(MessageResponse::FileDescriptorResponse(found)) = answer.message_response else {
            panic!("no file")
        };
        let file = FileDescriptorProto::decode(found.file_descriptor_proto[0].as_slice()).unwrap();
        let new = file.dependency.iter().filter(|name| asked.insert((*name).clone())).cloned();
        wanted.extend(new.map(MessageRequest::FileByFilename));
        files.insert(file.name().to_owned(), file);
    }
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_protos(files.into_values()).unwrap();
    pool
}

struct Maker {
    random: StdRng,
}

impl Maker {
    /// One in so many.
    fn once_in(&mut self, many: u32) -> bool {
        self.random.random_range(0..many) == 0
    }

    fn message(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            if depth > 0 && !self.once_in(3) {
                let value = self.value(&field, depth - 1);
                message.set_field(&field, value);
            }
        }
        message
    }

    fn value(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        if field.is_map() {
            let key = MapKey::String(self.text());
            let Kind::Message(entry) = field.kind() else { unreachable!("entries of maps are messages") };
            let value = self.single(&entry.map_entry_value_field().kind(), depth);
            return Value::Map([(key, value)].into_iter().collect());
        }
        if field.is_list() {
            let entries = if self.once_in(50) { 1_200 } else { self.random.random_range(0..4) };
            return Value::List((0..entries).map(|_| self.single(&field.kind(), depth)).collect());
        }
        self.single(&field.kind(), depth)
    }

    fn single(&mut self, kind: &Kind, depth: usize) -> Value {
        match kind {
            Kind::Double => {
                Value::F64([0.0, -1.0, f64::NAN, f64::INFINITY, 1e300][self.random.random_range(0..5)])
            }
            Kind::Float => Value::F32(f32::NAN),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(self.number() as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(self.number()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(self.number() as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(self.number() as u64),
            Kind::Bool => Value::Bool(self.once_in(2)),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(self.bytes().into()),
            Kind::Message(of) => Value::Message(self.message(of, depth)),
            Kind::Enum(_) => Value::EnumNumber(self.random.random_range(-1..12)),
        }
    }

    fn number(&mut self) -> i64 {
        let known = [0, 1, 2, -1, 50, 1_001, i64::from(i32::MAX), i64::from(i32::MIN), i64::MAX, i64::MIN];
        known[self.random.random_range(0..known.len())]
    }

    fn text(&mut self) -> String {
        match self.random.random_range(0..12) {
            0 => "x".repeat(self.random.random_range(60..2_000)),
            1 => self.bytes().into_iter().map(char::from).collect(),
            _ => TEXTS[self.random.random_range(0..TEXTS.len())].to_owned(),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.random.random_range(0..40)).map(|_| self.random.random()).collect()
    }

    /// What goes over the wire: a message, or, now and then, anything.
    fn body(&mut self, of: &MessageDescriptor) -> Bytes {
        if self.once_in(10) { self.bytes().into() } else { self.message(of, DEPTH).encode_to_vec().into() }
    }
}

/// One call with one to three messages, read for a while. The status it ended with, if it ended.
async fn call(channel: Channel, maker: &mut Maker, method: &MethodDescriptor) -> Option<Status> {
    let messages = if method.is_client_streaming() { maker.random.random_range(1..4) } else { 1 };
    let bodies: Vec<Bytes> = (0..messages).map(|_| maker.body(&method.input())).collect();
    let mut request = Request::new(tokio_stream::iter(bodies));
    request.set_timeout(CALL);
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.ok()?;
    let answering = async {
        let mut answers = client.streaming(request, path.parse().unwrap(), Raw).await?.into_inner();
        for _ in 0..ANSWERS {
            if answers.message().await?.is_none() {
                break;
            }
        }
        Ok::<(), Status>(())
    };
    tokio::time::timeout(CALL * 2, answering).await.ok()?.err()
}

async fn caller(channel: Channel, methods: Vec<MethodDescriptor>, seed: u64) -> BTreeMap<(String, i32), u64> {
    let mut maker = Maker { random: StdRng::seed_from_u64(seed) };
    let until = Instant::now() + FOR;
    let mut ended = BTreeMap::new();
    while Instant::now() < until {
        for method in &methods {
            let status = call(channel.clone(), &mut maker, method).await;
            let code = status.as_ref().map_or(Code::Ok, Status::code);
            assert!(
                !matches!(code, Code::Internal | Code::Unknown),
                "seed {seed}: {}: {status:?}",
                method.full_name()
            );
            *ended.entry((method.full_name().to_owned(), code as i32)).or_default() += 1;
        }
    }
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_makes_a_bug_of_ours() {
    let node = Node::start().await;
    let pool = pool(&node).await;
    let methods: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    assert!(methods.len() >= 20, "reflection knows all services");
    let channel = node.channel().await;
    let callers: Vec<_> =
        (0..CALLERS).map(|seed| tokio::spawn(caller(channel.clone(), methods.clone(), seed))).collect();
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap().into_values().sum::<u64>();
    }
    assert!(calls >= methods.len() as u64, "every method was called: {calls}");
    assert_eq!(node.counters.figures().panics, 0);
    let events = vec![page_view("after-all", "me", "/")];
    let request =
        v1::PublishEventsRequest { events, ack: v1::AckLevel::Applied.into(), ..Default::default() };
    let answer = node.events().await.publish_events(request).await.unwrap().into_inner();
    assert_eq!(answer.counts.unwrap().counted, Some(1), "it still counts");
    assert!(node.stop().await);
}
