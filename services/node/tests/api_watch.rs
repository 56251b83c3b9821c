//! The contract of all watches, end to end: a whole node behind a real connection.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod api_bench;

use api_bench::{Node, failed, page_view, within};
use souk_proto::v1;
use souk_proto::v1::metric_value::Value;
use souk_proto::v1::stream_frame::Kind;
use souk_proto::v1::watch_options::{Delivery, Start};
use souk_proto::v1::watch_user_response::Row;
use tonic::{Code, Streaming};

fn watch_of(watch: Option<v1::WatchOptions>) -> v1::WatchMetricRequest {
    let query = v1::QueryMetricRequest { name: "metrics/active_users".into(), ..Default::default() };
    v1::WatchMetricRequest { queries: vec![query], watch }
}

fn resume(token: &str) -> Option<v1::WatchOptions> {
    Some(v1::WatchOptions { resume_token: token.to_owned(), ..Default::default() })
}

async fn next(stream: &mut Streaming<v1::WatchMetricResponse>) -> (Kind, String, Option<v1::MetricRow>) {
    let response = within(stream.message()).await.unwrap().unwrap();
    let frame = response.frame.unwrap();
    assert!(!frame.resume_token.is_empty(), "{frame:?}");
    (frame.kind(), frame.resume_token, response.row)
}

fn users(row: &Option<v1::MetricRow>) -> Option<i64> {
    match row.as_ref()?.values.get("users")?.value {
        Some(Value::Integer(users)) => Some(users),
        _ => None,
    }
}

/// Frames until the row says so many.
async fn until(stream: &mut Streaming<v1::WatchMetricResponse>, wanted: i64) -> (Kind, String) {
    loop {
        let (kind, token, row) = next(stream).await;
        if users(&row) == Some(wanted) {
            return (kind, token);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_a_snapshot_then_changes_then_goodbye_and_goes_on_with_its_token() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    node.publish(vec![page_view("e-1", "a", "/")]).await;
    let mut stream = analytics.watch_metric(watch_of(None)).await.unwrap().into_inner();
    let mut kinds = Vec::new();
    while kinds.last() != Some(&Kind::SnapshotEnd) {
        kinds.push(next(&mut stream).await.0);
    }
    assert!(kinds[..kinds.len() - 1].iter().all(|kind| *kind == Kind::Snapshot), "{kinds:?}");
    node.publish(vec![page_view("e-2", "b", "/"), page_view("e-3", "c", "/")]).await;
    let (kind, token) = until(&mut stream, 3).await;
    assert_eq!(kind, Kind::Delta);

    let mut again = analytics.watch_metric(watch_of(resume(&token))).await.unwrap().into_inner();
    let (kind, _, row) = next(&mut again).await;
    assert_eq!((kind, users(&row)), (Kind::Snapshot, Some(3)), "never older than the token");

    let other = v1::QueryMetricRequest { name: "metrics/events".into(), ..Default::default() };
    let foreign = v1::WatchMetricRequest { queries: vec![other], watch: resume(&token) };
    let (code, reason, _) = failed(analytics.watch_metric(foreign).await);
    assert_eq!((code, &*reason), (Code::InvalidArgument, "RESUME_TOKEN_MISMATCH"));
    assert_eq!(failed(analytics.watch_metric(watch_of(resume("x"))).await).1, "RESUME_TOKEN_MISMATCH");
    let elsewhere = Node::start().await;
    let mut theirs = elsewhere.analytics().await;
    let (code, reason, _) = failed(theirs.watch_metric(watch_of(resume(&token))).await);
    assert_eq!((code, &*reason), (Code::OutOfRange, "RESUME_TOKEN_EXPIRED"), "of another journal");

    node.leave();
    let mut last = Kind::Unspecified;
    let ended = loop {
        match within(stream.message()).await {
            Ok(Some(response)) => last = response.frame.unwrap().kind(),
            ended => break ended,
        }
    };
    assert_eq!(last, Kind::GoAway);
    let (code, reason, details) = failed(ended);
    assert_eq!((code, &*reason), (Code::Unavailable, "NODE_DRAINING"));
    assert!(details.retry_info().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_alone_can_be_watched_and_silence_is_bookmarked() {
    let node = Node::start().await;
    let mut analytics = node.analytics().await;
    node.publish(vec![page_view("e-1", "a", "/")]).await;
    let watch = v1::WatchOptions {
        start: Start::Now.into(),
        bookmark_interval: Some(prost_types::Duration { seconds: 0, nanos: 50_000_000 }),
        ..Default::default()
    };
    let mut stream = analytics.watch_metric(watch_of(Some(watch))).await.unwrap().into_inner();
    while next(&mut stream).await.0 != Kind::Bookmark {}
    node.publish(vec![page_view("e-2", "b", "/")]).await;
    loop {
        let (kind, _, row) = next(&mut stream).await;
        assert!(!matches!(kind, Kind::Snapshot | Kind::SnapshotEnd), "{kind:?}");
        if users(&row) == Some(2) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_watched_with_every_event_and_events_go_on_where_the_token_stands() {
    let node = Node::start().await;
    let mut client = node.users().await;
    let watch = |resume_token: &str| v1::WatchUserRequest {
        name: "users/me".into(),
        watch: Some(v1::WatchOptions {
            resume_token: resume_token.to_owned(),
            delivery: Delivery::All.into(),
            ..Default::default()
        }),
    };
    let mut stream = client.watch_user(watch("")).await.unwrap().into_inner();
    let mut seen = Vec::new();
    let mut token = String::new();
    node.publish(vec![page_view("e-1", "me", "/"), page_view("x", "you", "/"), page_view("e-1", "me", "/")])
        .await;
    let mut session = None;
    while seen.len() < 2 || session.is_none() {
        let response = within(stream.message()).await.unwrap().unwrap();
        let frame = response.frame.unwrap();
        match response.row {
            Some(Row::Event(event)) => {
                if seen.is_empty() {
                    token = frame.resume_token;
                }
                seen.push(event.event_id);
            }
            Some(Row::Session(row)) => session = Some(row),
            _ => {}
        }
    }
    assert_eq!(seen, ["e-1", "e-1"], "as they came: a duplicate too, and nobody else's");
    assert_eq!(session.unwrap().event_counts["page_view"], 1);
    drop(stream);

    node.publish(vec![page_view("e-2", "me", "/")]).await;
    let mut stream = client.watch_user(watch(&token)).await.unwrap().into_inner();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let response = within(stream.message()).await.unwrap().unwrap();
        if let Some(Row::Event(event)) = response.row {
            seen.push(event.event_id);
        }
    }
    assert_eq!(seen, ["e-1", "e-2"], "what followed the token, and what came while nobody watched");
}
