//! EventService, end to end: a whole node behind a real connection.

// Helpers of tests fail the test they are called from.
#![allow(clippy::unwrap_used)]

mod api_bench;

use api_bench::{Node, bad_fields, failed, page_view, within};
use bytes::Bytes;
use prost::Message as _;
use souk_proto::grpc::raw;
use souk_proto::journal::v1 as journal;
use souk_proto::v1;
use souk_proto::v1::event_verdict::Outcome;
use souk_proto::v1::stream_frame::Kind;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming};

fn batch(events: Vec<v1::Event>, ack: v1::AckLevel) -> v1::PublishEventsRequest {
    v1::PublishEventsRequest { events, ack: ack.into(), ..Default::default() }
}

fn outcomes(answer: &v1::PublishEventsResponse) -> Vec<Outcome> {
    answer.verdicts.iter().map(v1::EventVerdict::outcome).collect()
}

fn product_view_of_nothing(event_id: &str) -> v1::Event {
    let kind = Some(v1::event::Kind::ProductView(v1::ProductView::default()));
    v1::Event { kind, ..page_view(event_id, "me", "") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_is_named_and_the_good_one_beside_it_counts() {
    let node = Node::start().await;
    let mut events = node.events().await;
    let request =
        batch(vec![page_view("e-1", "me", "/mugs"), product_view_of_nothing("e-2")], v1::AckLevel::Applied);
    let answer = events.publish_events(request.clone()).await.unwrap().into_inner();
    assert_eq!(outcomes(&answer), [Outcome::Counted, Outcome::Rejected]);
    let bad = &answer.verdicts[1];
    assert_eq!((bad.event_id.as_str(), bad.index, bad.reason.as_str()), ("e-2", 1, "FIELD_MISSING"));
    assert_eq!(bad.field, "events[1].product_view.product_id");
    assert!(!bad.message.is_empty());
    let counts = answer.counts.unwrap();
    assert_eq!((counts.accepted, counts.counted, counts.rejected), (Some(0), Some(1), Some(1)));
    assert_eq!((counts.duplicate, counts.late), (Some(0), Some(0)));
    assert!(answer.position.starts_with("users-"), "{}", answer.position);

    let again = events.publish_events(request).await.unwrap().into_inner();
    assert_eq!(outcomes(&again), [Outcome::Duplicate, Outcome::Rejected]);
    assert!(node.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn logged_batches_are_accepted_and_problems_alone_can_be_asked_for() {
    let node = Node::start().await;
    let mut events = node.events().await;
    let all = batch(vec![page_view("", "a", "/"), page_view("e-9", "b", "/")], v1::AckLevel::Logged);
    let answer = events.publish_events(all.clone()).await.unwrap().into_inner();
    assert_eq!(outcomes(&answer), [Outcome::Accepted, Outcome::Accepted]);
    assert!(!answer.verdicts[0].event_id.is_empty(), "it was given an id");
    assert_eq!(answer.verdicts[1].event_id, "e-9");

    let problems = v1::PublishEventsRequest { view: v1::VerdictView::Problems.into(), ..all };
    let answer = events.publish_events(problems).await.unwrap().into_inner();
    assert!(answer.verdicts.is_empty());
    assert_eq!(answer.counts.unwrap().accepted, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn validating_appends_nothing() {
    let node = Node::start().await;
    let mut events = node.events().await;
    let request = v1::PublishEventsRequest {
        validate_only: true,
        ..batch(vec![page_view("e-1", "me", "/"), product_view_of_nothing("e-2")], v1::AckLevel::Applied)
    };
    let answer = events.publish_events(request).await.unwrap().into_inner();
    assert_eq!(outcomes(&answer), [Outcome::Accepted, Outcome::Rejected]);
    assert_eq!(answer.position, "");
    let counted = batch(vec![page_view("e-1", "me", "/")], v1::AckLevel::Applied);
    let answer = events.publish_events(counted).await.unwrap().into_inner();
    assert_eq!(outcomes(&answer), [Outcome::Counted], "it had not been seen before");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_is_refused_before_it_is_read() {
    let node = Node::start().await;
    let mut events = node.events().await;
    let many = batch(vec![page_view("", "me", "/"); 1_001], v1::AckLevel::Logged);
    let (code, reason, details) = failed(events.publish_events(many).await);
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_ITEMS"));
    assert_eq!(details.error_info().unwrap().metadata["max"], "1000");

    let large = batch(vec![page_view("", "me", &"x".repeat(300_000))], v1::AckLevel::Logged);
    let (code, reason, _) = failed(events.publish_events(large).await);
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));

    let unknown = v1::PublishEventsRequest { ack: 77, view: 78, ..Default::default() };
    let (code, reason, details) = failed(events.publish_events(unknown).await);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "FIELD_INVALID"));
    assert_eq!(bad_fields(&details), ["ack", "view"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_no_message_is_rejected_alone() {
    let node = Node::start().await;
    let mut client = tonic::client::Grpc::new(node.channel().await);
    client.ready().await.unwrap();
    let garbage =
        raw::PublishEventsRequest { events: vec![Bytes::from_static(b"\xff\xff")], ..Default::default() };
    let codec: tonic_prost::ProstCodec<raw::PublishEventsRequest, v1::PublishEventsResponse> =
        Default::default();
    let path = "/souk.v1.EventService/PublishEvents".parse().unwrap();
    let answer = client.unary(Request::new(garbage), path, codec).await.unwrap().into_inner();
    let verdict = &answer.verdicts[0];
    assert_eq!((verdict.reason.as_str(), verdict.field.as_str()), ("PAYLOAD_UNDECODABLE", "events[0]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn shops_do_not_know_each_others_ids() {
    let node = Node::start().await;
    let mut events = node.events().await;
    for shop in ["east", "west"] {
        let mut request = Request::new(batch(vec![page_view("e-1", "me", "/")], v1::AckLevel::Applied));
        request.metadata_mut().insert("souk-shop", shop.parse().unwrap());
        let answer = events.publish_events(request).await.unwrap().into_inner();
        assert_eq!(outcomes(&answer), [Outcome::Counted], "{shop}");
    }
    let mut request = Request::new(batch(Vec::new(), v1::AckLevel::Logged));
    request.metadata_mut().insert("souk-shop", "a/b".parse().unwrap());
    let (code, reason, _) = failed(events.publish_events(request).await);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "FIELD_INVALID"));
}

/// A stream as its sender has it.
struct Sender {
    batches: mpsc::Sender<v1::StreamEventsRequest>,
    answers: Streaming<v1::StreamEventsResponse>,
}

impl Sender {
    async fn open(node: &Node) -> Self {
        let (batches, requests) = mpsc::channel(64);
        let answers = node.events().await.stream_events(ReceiverStream::new(requests)).await.unwrap();
        Self { batches, answers: answers.into_inner() }
    }

    async fn send(&self, seq: i64, events: Vec<v1::Event>, ack: v1::AckLevel) {
        self.batches.send(v1::StreamEventsRequest { seq, events, ack: ack.into() }).await.unwrap();
    }

    async fn answer(&mut self) -> Result<Option<v1::StreamEventsResponse>, Status> {
        within(self.answers.message()).await
    }
}

fn kind(answer: &v1::StreamEventsResponse) -> Kind {
    answer.frame.as_ref().expect("always there").kind()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_in_order_with_several_under_way() {
    const BATCHES: i64 = 50;
    let node = Node::start().await;
    let mut stream = Sender::open(&node).await;
    for seq in 0..BATCHES {
        let mut events: Vec<_> =
            (0..20).map(|n| page_view(&format!("e-{seq}-{n}"), &format!("u-{}", n % 7), "/")).collect();
        events.push(product_view_of_nothing("bad"));
        stream.send(seq, events, v1::AckLevel::Applied).await;
    }
    let mut counted = 0;
    for seq in 0..BATCHES {
        let answer = stream.answer().await.unwrap().expect("not the end");
        assert_eq!((answer.seq, kind(&answer)), (seq, Kind::Delta));
        assert_eq!(answer.problems.len(), 1);
        assert_eq!(
            (answer.problems[0].index, answer.problems[0].field.as_str()),
            (20, "events[20].product_view.product_id")
        );
        counted += answer.counts.unwrap().counted.unwrap();
    }
    assert_eq!(i64::from(counted), 20 * BATCHES);
    drop(stream.batches);
    assert!(within(stream.answers.message()).await.unwrap().is_none(), "the end of a stream that went well");
    assert!(node.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_reach_the_journal_in_the_order_they_were_sent() {
    const BATCHES: i64 = 60;
    let node = Node::start().await;
    let mut stream = Sender::open(&node).await;
    for seq in 0..BATCHES {
        // Every other batch asks the catalogue about a product nobody has looked at yet, and could be overtaken there.
        let view = v1::ProductView { product_id: format!("p-{seq}"), ..Default::default() };
        let plain = page_view(&format!("{seq:03}"), "me", "/");
        let kind = if seq % 2 == 0 { Some(v1::event::Kind::ProductView(view)) } else { plain.kind.clone() };
        stream.send(seq, vec![v1::Event { kind, ..plain }], v1::AckLevel::Logged).await;
    }
    let mut end = String::new();
    for _ in 0..BATCHES {
        end = stream.answer().await.unwrap().unwrap().position;
    }
    let (shard, _) = end.split_once('@').expect("one shard");
    let shard = shard.parse::<souk_model::journal::ShardId>().unwrap();
    let read = node.runtime.entries(shard, 1, 1 << 20).await.unwrap();
    let ids: Vec<String> = read
        .entries
        .into_iter()
        .filter_map(|entry| match journal::Record::decode(entry.bytes).unwrap().body {
            Some(journal::record::Body::Event(record)) => record.event.map(|event| event.event_id),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len() as i64, BATCHES);
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_do_not_rise_end_the_stream_after_what_was_under_way() {
    let node = Node::start().await;
    let mut stream = Sender::open(&node).await;
    stream.send(5, vec![page_view("e-1", "me", "/")], v1::AckLevel::Logged).await;
    stream.send(5, vec![page_view("e-2", "me", "/")], v1::AckLevel::Logged).await;
    assert_eq!(stream.answer().await.unwrap().unwrap().seq, 5);
    let (code, reason, details) = failed(stream.answer().await);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "VALUE_OUT_OF_RANGE"));
    assert_eq!(bad_fields(&details), ["seq"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_broken_by_bookmarks() {
    let node = Node::start().await;
    let mut stream = Sender::open(&node).await;
    assert_eq!(kind(&stream.answer().await.unwrap().unwrap()), Kind::Bookmark);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_node_says_so_and_ends() {
    let node = Node::start().await;
    let mut stream = Sender::open(&node).await;
    stream.send(1, vec![page_view("e-1", "me", "/")], v1::AckLevel::Logged).await;
    assert_eq!(stream.answer().await.unwrap().unwrap().seq, 1);
    node.leave();
    let last = stream.answer().await.unwrap().unwrap();
    assert_eq!(kind(&last), Kind::GoAway);
    assert!(last.frame.unwrap().retry_after.is_some());
    let (code, reason, details) = failed(stream.answer().await);
    assert_eq!((code, reason.as_str()), (Code::Unavailable, "NODE_DRAINING"));
    assert!(details.retry_info().is_some());
    assert!(node.stop().await);
}
