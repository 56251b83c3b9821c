//! AdminService, end to end: a whole node behind a real connection.

// Helpers of tests fail the test they are called from.
#![allow(clippy::unwrap_used)]

mod api_bench;

use api_bench::{Node, bad_fields, failed, page_view, within};
use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::ShardId;
use souk_proto::v1;
use souk_proto::v1::event_verdict::Outcome;
use souk_runtime::ports::{Appended, NewRecord};
use std::time::Duration;
use tonic::Code;

async fn view(node: &Node, event_id: &str, user: &str) {
    let request = v1::PublishEventsRequest {
        events: vec![page_view(event_id, user, "/mugs")],
        ack: v1::AckLevel::Applied.into(),
        ..Default::default()
    };
    let answer = node.events().await.publish_events(request).await.unwrap().into_inner();
    assert_eq!(answer.verdicts[0].outcome(), Outcome::Counted);
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_are_listed_by_name_in_pages_and_by_filter() {
    let node = Node::start().await;
    let mut admin = node.admin().await;
    let mut names = Vec::new();
    let mut request = v1::ListShardsRequest { page_size: 3, ..Default::default() };
    loop {
        let page = admin.list_shards(request.clone()).await.unwrap().into_inner();
        for shard in &page.shards {
            assert_eq!(
                (shard.state(), shard.owner.as_str()),
                (v1::shard::State::Serving, "nodes/n-1"),
                "{}",
                shard.name
            );
            assert!(shard.epoch > 0);
        }
        names.extend(page.shards.into_iter().map(|shard| shard.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names, ["shards/products-0", "shards/products-1", "shards/users-0", "shards/users-1"]);

    let filter = r#"name:users AND NOT name = "shards/users-1" AND digest:*"#.to_owned();
    let found =
        admin.list_shards(v1::ListShardsRequest { filter, ..Default::default() }).await.unwrap().into_inner();
    assert_eq!(found.shards.len(), 1);
    assert_eq!((found.shards[0].name.as_str(), found.shards[0].digest.len()), ("shards/users-0", 16));

    let filter = "stat = SERVING".to_owned();
    let (code, reason, details) =
        failed(admin.list_shards(v1::ListShardsRequest { filter, ..Default::default() }).await);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "FILTER_INVALID"));
    assert_eq!(details.error_info().unwrap().metadata["offset"], "0");
    request.page_token = "AAAA".to_owned();
    assert_eq!(failed(admin.list_shards(request.clone()).await).1, "PAGE_TOKEN_MISMATCH");
    request.page_size = -1;
    assert_eq!(failed(admin.list_shards(request).await).1, "VALUE_OUT_OF_RANGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_is_described_whole() {
    let node = Node::start().await;
    view(&node, "e-1", "alice").await;
    let mut admin = node.admin().await;
    let name = "users/alice".to_owned();
    let answer = admin.describe_actor(v1::DescribeActorRequest { name }).await.unwrap().into_inner();
    let any = answer.state.unwrap();
    assert_eq!(any.type_url, "type.googleapis.com/souk.v1.UserState");
    let user = v1::UserState::decode(any.value.as_slice()).unwrap();
    assert_eq!((user.name.as_str(), user.sessions.len()), ("users/alice", 1));
    assert!(answer.bytes > 0);
    assert_eq!(answer.info.unwrap().complete, Some(true));

    let name = "products/nothing".to_owned();
    let (code, reason, _) = failed(admin.describe_actor(v1::DescribeActorRequest { name }).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "RESOURCE_UNKNOWN"));
    let name = "alice".to_owned();
    let (_, reason, details) = failed(admin.describe_actor(v1::DescribeActorRequest { name }).await);
    assert_eq!((reason.as_str(), bad_fields(&details)), ("FIELD_INVALID", vec!["name".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_shown_mended_and_put_back() {
    let node = Node::start().await;
    let shard = ShardId::users(1);
    let bytes = Bytes::from_static(b"\xff\xff\xff");
    let appended = node.journal.append(vec![NewRecord { shard, bytes }]).await;
    let [Appended::At { offset, .. }] = appended[..] else { panic!("{appended:?}") };
    let mut admin = node.admin().await;
    let letter = within(async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let listed = admin.list_dead_letters(v1::ListDeadLettersRequest::default()).await.unwrap();
            if let Some(letter) = listed.into_inner().dead_letters.pop() {
                return letter;
            }
        }
    })
    .await;
    assert_eq!(letter.name, format!("deadLetters/{shard}.{offset}.0"));
    assert_eq!(letter.error_type, "PAYLOAD_UNDECODABLE");
    assert_eq!(letter.original_message, b"\xff\xff\xff");

    let other =
        v1::ListDeadLettersRequest { filter: "error_type = FIELD_MISSING".to_owned(), ..Default::default() };
    assert!(admin.list_dead_letters(other).await.unwrap().into_inner().dead_letters.is_empty());

    let mut request = v1::RequeueDeadLetterRequest { name: letter.name, ..Default::default() };
    let (_, reason, details) = failed(admin.requeue_dead_letter(request.clone()).await);
    assert_eq!((reason.as_str(), bad_fields(&details)), ("FIELD_MISSING", vec!["replacement".to_owned()]));
    request.replacement = page_view("", "bob", "/").encode_to_vec();
    request.request_id = "r-1".to_owned();
    let answer = admin.requeue_dead_letter(request.clone()).await.unwrap().into_inner();
    let verdict = answer.verdict.unwrap();
    assert_eq!((verdict.outcome(), verdict.event_id.as_str()), (Outcome::Counted, "r-1"));
    assert!(!answer.position.is_empty());

    request.name = "deadLetters/users-0.999.0".to_owned();
    assert_eq!(failed(admin.requeue_dead_letter(request).await).1, "RESOURCE_UNKNOWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_says_who_it_is() {
    let node = Node::start().await;
    let mut admin = node.admin().await;
    let ours = admin.get_node(v1::GetNodeRequest::default()).await.unwrap().into_inner().node.unwrap();
    assert_eq!(
        (ours.name.as_str(), ours.version.as_str(), ours.durability.as_str()),
        ("nodes/n-1", "0.1.0", "fsync")
    );
    assert_eq!((ours.settings_hash.len(), ours.dependencies[0].name.as_str()), (16, "journal"));
    let all = admin.list_nodes(v1::ListNodesRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.nodes, [ours]);
    let name = "nodes/n-2".to_owned();
    assert_eq!(failed(admin.get_node(v1::GetNodeRequest { name }).await).1, "RESOURCE_UNKNOWN");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_checked_then_count_everywhere() {
    const SEARCHES: &str = "[metric.searches]\nfrom = \"search\"\nkeys = [[\"query\"]]\nmeasures = { searches = { count = true } }\n";
    let node = Node::start().await;
    let mut admin = node.admin().await;
    let wrong = SEARCHES.replace("keys", "kees").replace("[[\"query\"]]", "[[\"query\"]]\nwindws = [\"5m\"]");
    let request = v1::ApplySettingsRequest { toml: wrong, ..Default::default() };
    let (code, reason, details) = failed(admin.apply_settings(request).await);
    assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "SETTINGS_INVALID"));
    assert_eq!(bad_fields(&details), ["toml.metric.searches.kees", "toml.metric.searches.windws"]);

    let before = admin.get_node(v1::GetNodeRequest::default()).await.unwrap().into_inner().node.unwrap();
    let mut request =
        v1::ApplySettingsRequest { toml: SEARCHES.to_owned(), validate_only: true, ..Default::default() };
    let dry = admin.apply_settings(request.clone()).await.unwrap().into_inner();
    assert!(dry.changes.iter().any(|change| change.contains("searches")), "{:?}", dry.changes);
    let same = admin.get_node(v1::GetNodeRequest::default()).await.unwrap().into_inner().node.unwrap();
    assert_eq!(same.settings_hash, before.settings_hash, "nothing was applied");

    request.validate_only = false;
    let applied = admin.apply_settings(request.clone()).await.unwrap().into_inner();
    assert_eq!(applied.hash, dry.hash);
    let info = applied.info.unwrap();
    assert!(info.position.contains("users-0@") && info.position.contains("products-1@"), "{}", info.position);
    let again = admin.apply_settings(request).await.unwrap().into_inner();
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

/// Poison that slipped through validation, as a fold with planted bugs knows it.
fn poison(user_id: &str) -> v1::Event {
    let custom = v1::Custom { r#type: souk_model::shard::PANICS.to_owned() };
    v1::Event { kind: Some(v1::event::Kind::Custom(custom)), ..page_view("", user_id, "/") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_panics_the_fold_is_left_out_the_third_time_and_shown() {
    let node = Node::start().await;
    node.publish(vec![page_view("e-1", "bob", "/before")]).await;
    let mut positions = Vec::new();
    for event in [poison("bob"), page_view("e-2", "bob", "/after")] {
        let ack = v1::AckLevel::Logged.into();
        let request = v1::PublishEventsRequest { events: vec![event], ack, ..Default::default() };
        positions.push(node.events().await.publish_events(request).await.unwrap().into_inner().position);
    }

    // What stands behind it counts: a read waits for it through every restart.
    let min_position = positions.pop().unwrap();
    let read = Some(v1::ReadOptions { min_position, ..Default::default() });
    let request = v1::GetSessionRequest { name: "users/bob/sessions/latest".to_owned(), read };
    let session = node.users().await.get_session(request).await.unwrap().into_inner().session.unwrap();
    let pages: Vec<_> = session.journey.iter().map(|step| step.target.as_str()).collect();
    assert_eq!(pages, ["/before", "/after"]);

    let mut admin = node.admin().await;
    let letters = admin.list_dead_letters(v1::ListDeadLettersRequest::default()).await.unwrap().into_inner();
    let [letter] = &letters.dead_letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.name, format!("deadLetters/{}.0", positions[0].replace('@', ".")));
    assert_eq!(letter.error_type, "INTERNAL_BUG");
    assert_eq!(node.runtime.counters().shard_restarts, 3);
}
