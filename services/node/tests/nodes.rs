//! Several nodes: any of them answers for any shard, wherever it is and while it moves.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod nodes {
    pub(crate) mod harness;
    mod history;
}

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use nodes::harness::{Cluster, Node, PARTITIONS, until, within};
use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::metric::Window;
use souk_model::origin::Origin;
use souk_model::series::{Answer, Figure, Query, Span};
use souk_model::time::MINUTE;
use souk_model::user::User;
use souk_model::view::{Command, Order, What, kept_under};
use souk_proto::v1;
use souk_runtime::conformance::cache::Stored;
use souk_runtime::intake::{Fate, Level, Publication};
use souk_runtime::ports::Cache as _;
use souk_runtime::read::{Freshness, ReadOptions};
use souk_runtime::watch::{Start, Subscription, Update, Watched};
use souk_runtime::{Error, Position};
use tokio::time::Instant;

/// Every other shard.
fn half(odd: bool) -> impl Iterator<Item = ShardId> {
    PARTITIONS.shards().filter(move |shard| (shard.partition % 2 == 1) == odd)
}

async fn two() -> (Cluster, Node, Node) {
    let cluster = Cluster::new();
    let one = cluster.node("n-1", half(false)).await;
    let other = cluster.node("n-2", half(true)).await;
    one.serves(half(false)).await;
    other.serves(half(true)).await;
    (cluster, one, other)
}

fn page_view(n: usize) -> v1::Event {
    let view = v1::PageView { page: "/".to_owned(), ..Default::default() };
    v1::Event {
        event_id: format!("e-{n}"),
        user_id: format!("u-{n}"),
        kind: Some(v1::event::Kind::PageView(view)),
        ..Default::default()
    }
}

/// Publishes so many users' page views, and answers where they were folded.
async fn publish(node: &Node, users: std::ops::Range<usize>) -> Position {
    let events = users.map(|n| page_view(n).encode_to_vec().into()).collect();
    let batch = Publication { events, shop: "main".to_owned(), level: Level::Applied, ..Default::default() };
    let deadline = Some(Instant::now() + Duration::from_secs(10));
    let published = within(node.runtime.publish(batch, deadline)).await.unwrap();
    assert!(published.outcomes.iter().all(|outcome| outcome.fate == Fate::Counted), "{published:?}");
    published.position
}

fn active_users() -> Query {
    Query {
        shop: "main".to_owned(),
        metric: "active_users".to_owned(),
        key_set: 0,
        window: None,
        key: Some(Vec::new()),
        given: Vec::new(),
        span: Span::Newest,
        closed_only: false,
        top: None,
    }
}

fn options(min_position: Position, freshness: Freshness, wait: Duration) -> ReadOptions {
    ReadOptions { min_position, freshness, deadline: Some(Instant::now() + wait) }
}

fn at(position: Position) -> ReadOptions {
    options(position, Freshness::Any, Duration::from_secs(10))
}

fn users_in(answer: &Answer) -> Figure {
    answer.rows[0].values[0].figure.clone()
}

async fn sessions(node: &Node, user: usize, options: &ReadOptions) -> Result<(usize, Origin), Error> {
    let key = ActorKey::new("main", &format!("u-{user}"));
    let read = within(node.runtime.user(&key, options, |user: &User, _| user.sessions().count())).await?;
    Ok((read.value.unwrap_or_default(), read.origin))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_takes_events_and_answers_for_any_shard() {
    let (_cluster, one, other) = two().await;
    let position = publish(&one, 0..40).await;
    assert!(position.0.len() == 4, "users of every shard: {position}");
    for node in [&one, &other] {
        for user in 0..40 {
            assert_eq!(sessions(node, user, &at(position.clone())).await, Ok((1, Origin::Owner)));
        }
        let answer = within(node.runtime.query(&active_users(), &at(position.clone()))).await.unwrap();
        assert_eq!(users_in(&answer), Figure::Integer(40));
        let (reads, missing) = within(
            node.runtime.shards(Journal::Users, &at(position.clone()), |shard| shard.counts().counted),
        )
        .await
        .unwrap();
        assert_eq!((reads.iter().map(|read| read.value).sum::<u64>(), missing), (40, Vec::new()));
        let (all, unowned) = node.runtime.everywhere(None).await;
        let shards: usize = all.iter().map(|node| node.shards.len()).sum();
        assert_eq!((all.len(), shards, unowned.len()), (2, 8, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_moved_is_found_where_it_is() {
    let (_cluster, one, other) = two().await;
    publish(&one, 0..40).await;
    one.place([]);
    one.serves([]).await;
    other.place(PARTITIONS.shards());
    for node in [&one, &other] {
        for user in 0..40 {
            let read = sessions(node, user, &options(Position::default(), Freshness::Owner, LONG)).await;
            assert_eq!(read, Ok((1, Origin::Owner)));
        }
    }
    // What is published by a node without shards counts on the one that has them.
    let position = publish(&one, 40..60).await;
    let answer = within(one.runtime.query(&active_users(), &at(position))).await.unwrap();
    assert_eq!(users_in(&answer), Figure::Integer(60));
}

/// A broker that stood still takes shards away and gives them back within moments.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_and_given_back_is_served_on_by_one_owner() {
    let (_cluster, one, _other) = two().await;
    for _ in 0..3 {
        for shards in [Vec::new(), half(false).collect()] {
            one.place(shards);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    // The owner that was to be followed is replaced, for another may have claimed the shard meanwhile; and that is all.
    tokio::time::sleep(Duration::from_millis(700)).await;
    one.serves(half(false)).await;
    let epochs = || one.runtime.statuses().iter().map(|status| status.epoch).max();
    let before = epochs();
    tokio::time::sleep(Duration::from_millis(700)).await;
    one.serves(half(false)).await;
    assert_eq!(epochs(), before, "another owner starts again and again");
    assert!(before <= Some(3), "{before:?}");
    publish(&one, 0..40).await;
}

/// An owner that leaves may be overtaken at any step of its leaving, which is then over too.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_leaves_whenever_another_claims_what_it_carries() {
    let mut leaving = tokio::task::JoinSet::new();
    // At once, and about when it stops waiting for anybody and makes a last cut.
    for claimed_after in [0, 1_900, 1_950, 2_000, 2_050, 2_100].map(Duration::from_millis) {
        leaving.spawn(async move {
            let (_cluster, one, other) = two().await;
            publish(&one, 0..40).await;
            let claim = async {
                tokio::time::sleep(claimed_after).await;
                other.place(half(false).chain(half(true)));
            };
            let (left, ()) = tokio::join!(one.runtime.drain(Instant::now() + Duration::from_secs(20)), claim);
            assert!(left, "not when claimed after {claimed_after:?}");
        });
    }
    within(leaving.join_all()).await;
}

/// A node that knew where every shard was and asks for none of them hears of another that took some.
#[tokio::test(flavor = "multi_thread")]
async fn shards_are_listed_where_they_went() {
    let (cluster, one, other) = two().await;
    publish(&one, 0..40).await;
    let third = cluster.node("n-3", []).await;
    let kept = |shard: &ShardId| shard.partition == 1;
    other.place(half(true).filter(kept));
    other.serves(half(true).filter(kept)).await;
    third.place(half(true).filter(|shard| !kept(shard)));
    third.serves(half(true).filter(|shard| !kept(shard))).await;
    let (all, unowned) = one.runtime.everywhere(None).await;
    let shards: usize = all.iter().map(|node| node.shards.len()).sum();
    assert_eq!((all.len(), shards, unowned.len()), (3, 8, 0));
}

const LONG: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn while_no_owner_answers_the_last_cut_does_and_says_so() {
    let (_cluster, one, other) = two().await;
    let position = publish(&one, 0..40).await;
    within(other.runtime.query(&active_users(), &at(position))).await.unwrap();
    // A hand-over cuts; then nobody carries its shards, and nobody answers for them.
    one.place([]);
    one.serves([]).await;
    one.disconnect();
    let stale = |read: Result<(usize, Origin), Error>| matches!(read, Ok((1, Origin::Cut(_))));
    let moving = |read| matches!(read, Err(Error::ShardMoving { .. }));
    let mut seen = 0;
    for user in 0..40 {
        let key = ActorKey::new("main", &format!("u-{user}"));
        if key.partition(PARTITIONS.users).is_multiple_of(2) {
            assert!(stale(sessions(&other, user, &ReadOptions::default()).await));
            let owner = options(Position::default(), Freshness::Owner, Duration::from_millis(50));
            assert!(moving(sessions(&other, user, &owner).await), "who wants an owner gets no cut");
            seen += 1;
        }
    }
    assert!(seen > 0);
    let answer = within(other.runtime.query(&active_users(), &ReadOptions::default())).await.unwrap();
    assert_eq!(users_in(&answer), Figure::Integer(40));
    other.place(PARTITIONS.shards());
    other.serves(PARTITIONS.shards()).await;
    for user in 0..40 {
        assert_eq!(sessions(&other, user, &ReadOptions::default()).await, Ok((1, Origin::Owner)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_over_nodes_and_moves() {
    let (_cluster, one, other) = two().await;
    let watched = Watched::Metrics(vec![active_users()]);
    let mut watches = Vec::new();
    for node in [&one, &other] {
        watches.push(within(node.runtime.watch(watched.clone(), Start::Snapshot)).await.unwrap());
    }
    let mut seen = [0, 0];
    for (round, users) in [(0..20), (20..40), (40..60)].into_iter().enumerate() {
        if round == 1 {
            other.place([]);
            other.serves([]).await;
            one.place(PARTITIONS.shards());
        }
        publish(&other, users.clone()).await;
        for (watch, seen) in watches.iter_mut().zip(&mut seen) {
            follow_until(watch, seen, users.end).await;
        }
    }
    until(|| one.runtime.statuses().len() == 8).await;
}

/// Takes what a watch tells until it tells of so many users.
async fn follow_until(watch: &mut Subscription, seen: &mut usize, users: usize) {
    while *seen < users {
        for update in within(watch.next()).await.updates {
            let Update::Row { body, .. } = update else { continue };
            let row = v1::WatchMetricResponse::decode(body).unwrap().row.unwrap();
            let counted = row.values["users"].clone().value;
            let Some(v1::metric_value::Value::Integer(users)) = counted else { continue };
            assert!(users as usize >= *seen, "it went back");
            *seen = users as usize;
        }
    }
}

/// Nobody but the owner before tells a node without shards that they went; it asks for nothing itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_on_a_node_without_shards_follows_them() {
    let (cluster, one, other) = two().await;
    let bare = cluster.node("n-3", []).await;
    let watched = Watched::Metrics(vec![active_users()]);
    let mut watch = within(bare.runtime.watch(watched, Start::Snapshot)).await.unwrap();
    let mut seen = 0;
    publish(&one, 0..20).await;
    follow_until(&mut watch, &mut seen, 20).await;
    one.place(PARTITIONS.shards());
    other.place([]);
    one.serves(PARTITIONS.shards()).await;
    other.serves([]).await;
    publish(&one, 20..40).await;
    follow_until(&mut watch, &mut seen, 40).await;
}

fn shown_users() -> Query {
    let window = Window::Sliding { size: 5 * MINUTE, step: MINUTE };
    Query { window: Some(window), ..active_users() }
}

/// A cut with the first 20 users; an owner with 40, cut off from the other node, and the view of what it has.
async fn cut_off() -> (Cluster, Node, Node) {
    let (cluster, one, other) = two().await;
    let position = publish(&one, 0..20).await;
    within(one.runtime.query(&shown_users(), &at(position))).await.unwrap();
    // A hand-over cuts.
    one.place([]);
    one.serves([]).await;
    other.place(PARTITIONS.shards());
    other.serves(PARTITIONS.shards()).await;
    let position = publish(&other, 20..40).await;
    within(other.runtime.query(&shown_users(), &at(position))).await.unwrap();
    until(|| {
        let shown = cluster.cache.stored("cartpulse:metrics");
        matches!(shown, Some(Stored::Hash(fields)) if fields["active_users_5m"] == "40")
    })
    .await;
    other.disconnect();
    (cluster, one, other)
}

async fn shown_by(node: &Node) -> (Figure, Origin) {
    let answer = within(node.runtime.query(&shown_users(), &ReadOptions::default())).await.unwrap();
    (users_in(&answer), answer.info.origin)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_no_owner_answers_the_view_does_if_it_is_fresher_than_the_cut() {
    let (cluster, one, _other) = cut_off().await;
    let shown = shown_by(&one).await;
    assert!(matches!(shown, (Figure::Integer(40), Origin::View(0..60_000))), "{shown:?}");
    let owner = options(Position::default(), Freshness::Owner, Duration::from_millis(50));
    let refused = within(one.runtime.query(&shown_users(), &owner)).await;
    assert!(matches!(refused, Err(Error::ShardMoving { .. })), "who wants an owner gets no view");

    cluster.cache.away.store(true, Relaxed);
    let shown = shown_by(&one).await;
    assert!(matches!(shown, (Figure::Integer(20), Origin::Cut(_))), "the last cut: {shown:?}");
    let reads = one.runtime.published().reads;
    assert_eq!((reads.hits, reads.misses, reads.older, reads.away), (1, 0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_view_forgets_or_makes_up_is_no_answer() {
    let (cluster, one, other) = cut_off().await;
    let owned = async || {
        let (query, options) = (shown_users(), ReadOptions::default());
        let answer = within(other.runtime.query(&query, &options)).await.unwrap();
        (users_in(&answer), answer.info.origin)
    };
    assert_eq!(owned().await, (Figure::Integer(40), Origin::Owner));
    cluster.cache.empty();
    assert_eq!(owned().await, (Figure::Integer(40), Origin::Owner));
    let shown = shown_by(&one).await;
    let is_cut = matches!(shown, (Figure::Integer(20), Origin::Cut(_)));
    let is_written_again = matches!(shown, (Figure::Integer(40), Origin::View(_)));
    assert!(is_cut || is_written_again, "{shown:?}");

    let name = kept_under(&one.runtime.settings(), &shown_users()).unwrap();
    let order = Order { start: 0, revision: u64::MAX };
    let what = What::Answer { bytes: b"41".to_vec() };
    cluster.cache.write(vec![Command { name, what, order, ttl: None }]).await.unwrap();
    let misses = one.runtime.published().reads.misses;
    let shown = shown_by(&one).await;
    assert!(matches!(shown, (Figure::Integer(20), Origin::Cut(_))), "{shown:?}");
    assert_eq!(one.runtime.published().reads.misses, misses + 1);
}
