use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::ShardId;
use souk_model::series::AnswerInfo;
use souk_model::verdict::Reason;
use souk_proto::v1;
use souk_proto::v1::stream_frame::Kind;
use souk_runtime::watch::{Start, Update, Updates, WatchStanding};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::writer::Source;
use super::*;
use crate::ApiError;
use crate::status::refused_of;

/// What a test says is new, and where its reader stands.
struct Told {
    updates: mpsc::Receiver<Updates>,
    standing: WatchStanding,
}

impl Source for Told {
    async fn next(&mut self) -> Updates {
        match self.updates.recv().await {
            Some(updates) => {
                self.standing = updates.standing.clone();
                updates
            }
            None => std::future::pending().await,
        }
    }

    fn standing(&self) -> WatchStanding {
        self.standing.clone()
    }
}

fn standing(revision: u64, as_of: i64) -> WatchStanding {
    let info = AnswerInfo {
        as_of: Some(as_of),
        held_by: Vec::new(),
        revision,
        positions: [].into(),
        truncated: false,
        origin: Default::default(),
    };
    WatchStanding { revisions: vec![revision], infos: vec![Some(info)], ..WatchStanding::default() }
}

fn head(frame: v1::StreamFrame, query: usize) -> v1::WatchMetricResponse {
    v1::WatchMetricResponse { frame: Some(frame), query: query as i32, row: None }
}

fn binding(topic: u64) -> Binding {
    Binding::of("WatchMetric", "main", &v1::WatchMetricRequest::default(), topic)
}

fn options() -> Options {
    Options::of(None).unwrap()
}

fn row(window: &str) -> Bytes {
    let row = v1::MetricRow { window: window.into(), ..Default::default() };
    v1::WatchMetricResponse { row: Some(row), ..Default::default() }.encode_to_vec().into()
}

struct Stream {
    frames: Frames,
    tell: mpsc::Sender<Updates>,
    drain: CancellationToken,
}

fn stream(options: &Options, events: Option<(u64, mpsc::Receiver<Result<Events, ApiError>>)>) -> Stream {
    let (tell, updates) = mpsc::channel(64);
    let source = Told { updates, standing: standing(0, 0) };
    let drain = CancellationToken::new();
    let frames = write(head, binding(7), options, source, events, drain.clone());
    Stream { frames, tell, drain }
}

impl Stream {
    async fn tell(&self, updates: Vec<Update>, standing: WatchStanding) {
        self.tell.send(Updates { updates, standing }).await.unwrap();
    }

    async fn next(&mut self) -> (Kind, v1::WatchMetricResponse) {
        let encoded = self.frames.next().await.unwrap().unwrap();
        let response = v1::WatchMetricResponse::decode(encoded.encode_to_vec().as_slice()).unwrap();
        (response.frame.as_ref().unwrap().kind(), response)
    }

    async fn fails(&mut self) -> tonic::Status {
        let status = self.frames.next().await.unwrap().unwrap_err();
        assert!(self.frames.next().await.is_none());
        status
    }
}

fn frame(response: &v1::WatchMetricResponse) -> &v1::StreamFrame {
    response.frame.as_ref().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_a_snapshot_then_changes_then_goodbye() {
    let mut stream = stream(&options(), None);
    let body = || row("5m");
    let snapshot = vec![Update::Row { query: 3, body: body(), snapshot: true }, Update::SnapshotEnd];
    stream.tell(snapshot, standing(5, 10)).await;
    let changes = vec![
        Update::Lagged { skipped: 2 },
        Update::Row { query: 0, body: body(), snapshot: false },
        Update::Gone { query: 0, body: body() },
    ];
    stream.tell(changes, standing(6, 11)).await;

    let (kind, first) = stream.next().await;
    assert_eq!(
        (kind, first.query, first.row.as_ref().map(|row| &*row.window)),
        (Kind::Snapshot, 3, Some("5m"))
    );
    let (kind, end) = stream.next().await;
    assert_eq!(
        (kind, end.row.as_ref(), &frame(&end).info),
        (Kind::SnapshotEnd, None, &{
            let info = standing(5, 10).infos.remove(0).unwrap();
            Some(info.to_proto(false))
        })
    );
    let (kind, lagged) = stream.next().await;
    assert_eq!((kind, frame(&lagged).skipped), (Kind::Lagged, 2));
    let (kind, delta) = stream.next().await;
    assert_eq!((kind, frame(&delta).info.as_ref().and_then(|info| info.revision)), (Kind::Delta, Some(6)));
    let (kind, gone) = stream.next().await;
    assert_eq!((kind, &frame(&gone).info), (Kind::Delete, &None), "what was said is not said again");

    stream.drain.cancel();
    let (kind, bye) = stream.next().await;
    assert_eq!((kind, frame(&bye).retry_after.is_some()), (Kind::GoAway, true));
    let token = &frame(&bye).resume_token;
    assert_eq!(binding(7).open(token, 1, |_| true).unwrap().revisions, [6]);
    let status = stream.fails().await;
    assert_eq!(status.code(), tonic::Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_by_bookmarks() {
    let mut stream = stream(&options(), None);
    let before = tokio::time::Instant::now();
    let (kind, bookmark) = stream.next().await;
    assert_eq!((kind, before.elapsed().as_secs()), (Kind::Bookmark, 5));
    assert!(!frame(&bookmark).resume_token.is_empty());
    assert_eq!(stream.next().await.0, Kind::Bookmark);
    assert_eq!(before.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn rows_wait_for_the_interval_while_bookmarks_go_on() {
    let watch = v1::WatchOptions {
        min_interval: Some(prost_types::Duration { seconds: 8, nanos: 0 }),
        ..Default::default()
    };
    let mut stream = stream(&Options::of(Some(&watch)).unwrap(), None);
    let before = tokio::time::Instant::now();
    let change = || vec![Update::Row { query: 0, body: row("5m"), snapshot: false }];
    stream.tell(change(), standing(1, 1)).await;
    stream.tell(change(), standing(2, 2)).await;
    assert_eq!((stream.next().await.0, before.elapsed().as_secs()), (Kind::Delta, 0));
    assert_eq!((stream.next().await.0, before.elapsed().as_secs()), (Kind::Bookmark, 5));
    assert_eq!((stream.next().await.0, before.elapsed().as_secs()), (Kind::Delta, 8));
}

#[tokio::test(start_paused = true)]
async fn the_hubs_own_goodbye_ends_the_stream_too() {
    let mut stream = stream(&options(), None);
    stream.tell(vec![Update::GoAway], standing(1, 1)).await;
    assert_eq!(stream.next().await.0, Kind::GoAway);
    assert_eq!(stream.fails().await.code(), tonic::Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn events_carry_their_place_in_the_token_and_a_slow_reader_is_ended() {
    let (send, events) = mpsc::channel(1);
    let mut stream = stream(&options(), Some((40, events)));
    send.send(Ok(Events { bodies: vec![(row("a"), 44)], next: 50 })).await.unwrap();
    let (kind, event) = stream.next().await;
    let place = |response: &v1::WatchMetricResponse| {
        binding(7).open(&frame(response).resume_token, 1, |_| true).unwrap().events
    };
    assert_eq!((kind, place(&event)), (Kind::Delta, Some(44)));
    let (kind, bookmark) = stream.next().await;
    assert_eq!((kind, place(&bookmark)), (Kind::Bookmark, Some(50)));
    send.send(Err(ApiError::refused(Reason::SubscriberTooSlow, "too slow"))).await.unwrap();
    assert_eq!(stream.fails().await.code(), tonic::Code::Aborted);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_read_holds_a_few_frames_and_no_more() {
    let mut stream = stream(&options(), None);
    for revision in 0..64 {
        let change = vec![Update::Row { query: 0, body: row("5m"), snapshot: false }];
        stream.tell(change, standing(revision, 0)).await;
    }
    tokio::task::yield_now().await;
    let untaken = stream.tell.max_capacity() - stream.tell.capacity();
    assert!(untaken >= 64 - crate::limits::STREAM_FRAMES - 1, "{untaken} are left where they merge");
    assert_eq!(stream.next().await.0, Kind::Delta);
}

#[test]
fn a_token_is_of_one_method_its_arguments_shop_and_journal() {
    let token = binding(7).seal(&standing(5, 0), Some(9));
    let reason = |result: Result<Resumed, ApiError>| refused_of(result.unwrap_err()).reason;
    let resumed = binding(7).open(&token, 1, |_| true).unwrap();
    assert_eq!((resumed.revisions.clone(), resumed.events), (vec![5], Some(9)));
    assert_eq!(Resumed::start(Some(&resumed), true), Start::Resume(vec![5]));
    assert_eq!((Resumed::start(None, true), Resumed::start(None, false)), (Start::Now, Start::Snapshot));
    let others = [
        Binding::of("WatchUser", "main", &v1::WatchMetricRequest::default(), 7),
        Binding::of("WatchMetric", "east", &v1::WatchMetricRequest::default(), 7),
        Binding::of("WatchMetric", "main", &v1::WatchUserRequest { name: "x".into(), watch: None }, 7),
    ];
    for other in others {
        assert_eq!(reason(other.open(&token, 1, |_| true)), Reason::ResumeTokenMismatch);
    }
    assert_eq!(reason(binding(7).open(&token, 2, |_| true)), Reason::ResumeTokenMismatch);
    for unreadable in ["x", "not base64!", &token[1..], &"A".repeat(4_096)] {
        assert_eq!(reason(binding(7).open(unreadable, 1, |_| true)), Reason::ResumeTokenMismatch);
    }
    assert_eq!(reason(binding(8).open(&token, 1, |_| true)), Reason::ResumeTokenExpired);
    assert_eq!(reason(binding(7).open(&token, 1, |_| false)), Reason::ResumeTokenExpired);
}

#[test]
fn the_longest_token_can_be_handed_back() {
    let revisions = vec![u64::MAX; souk_runtime::limits::QUERIES_PER_WATCH];
    let token = binding(7).seal(&WatchStanding { revisions, ..WatchStanding::default() }, Some(u64::MAX));
    assert!(
        binding(7).open(&token, souk_runtime::limits::QUERIES_PER_WATCH, |_| true).is_ok(),
        "{}",
        token.len()
    );
}

#[test]
fn several_queries_are_worth_what_the_weakest_is() {
    let mut both = standing(5, 10);
    let mut held = standing(6, 9);
    held.infos[0].as_mut().unwrap().held_by = vec![17];
    both.infos.append(&mut held.infos);
    let user = WatchStanding {
        position: Some((ShardId::users(3), 42)),
        as_of: Some(1_000),
        infos: vec![None],
        ..WatchStanding::default()
    };
    let worth = super::frame::worth;
    let info = worth(&both).unwrap();
    assert_eq!(
        (info.complete, info.held_by, info.revision),
        (Some(false), vec!["shards/users-17".into()], None)
    );
    assert_eq!(worth(&user).unwrap().revision, Some(42));
}

#[test]
fn intervals_have_bounds() {
    let duration = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    let read = |min_interval, bookmark_interval| {
        Options::of(Some(&v1::WatchOptions { min_interval, bookmark_interval, ..Default::default() }))
    };
    let plain = options();
    assert_eq!((plain.min_interval, plain.bookmark_interval), (Duration::ZERO, Duration::from_secs(5)));
    let long = read(duration(0, 0), duration(i64::MAX, 0)).unwrap();
    assert_eq!(
        (long.min_interval, long.bookmark_interval),
        (Duration::ZERO, crate::limits::LONGEST_INTERVAL)
    );
    let refused = refused_of(read(duration(-1, 0), duration(0, 0)).unwrap_err());
    let paths: Vec<&str> = refused.fields.iter().map(|field| &*field.path).collect();
    assert_eq!(
        (refused.reason, paths),
        (Reason::ValueOutOfRange, vec!["watch.min_interval", "watch.bookmark_interval"])
    );
}
