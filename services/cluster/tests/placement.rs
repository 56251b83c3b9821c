//! Shards spread over the members of a real group: evenly, taken over from who dies, given away by who leaves.

mod real;

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::{admin::AdminOptions, admin::NewTopic, admin::TopicReplication};
use souk_cluster::{Error, GroupPlacement, PlacementOptions, prepare};
use souk_model::journal::ShardId;
use souk_runtime::ports::Placement;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use real::{PARTITIONS, until};

#[derive(Debug)]
struct Node {
    placement: GroupPlacement,
}

impl Node {
    async fn join(options: &PlacementOptions) -> Self {
        Self { placement: GroupPlacement::start(options.clone()).await.expect("it joins") }
    }

    fn shards(&self) -> BTreeSet<ShardId> {
        self.placement.shards().borrow().iter().copied().collect()
    }
}

fn all() -> BTreeSet<ShardId> {
    PARTITIONS.shards().collect()
}

/// Whether each shard has one owner, and each node its part of them.
fn spread(nodes: &[&Node]) -> bool {
    let each = all().len() / nodes.len();
    let shards: Vec<_> = nodes.iter().map(|node| node.shards()).collect();
    let together: usize = shards.iter().map(BTreeSet::len).sum();
    let united: BTreeSet<_> = shards.iter().flatten().copied().collect();
    together == all().len()
        && united == all()
        && shards.iter().all(|of| (each..=each + 1).contains(&of.len()))
}

async fn prepared() -> PlacementOptions {
    let options = real::options();
    prepare(&options, 1).await.expect("the topic is made");
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_share_the_shards_evenly_and_keep_what_they_have() {
    let options = prepared().await;
    let first = Node::join(&options).await;
    until("one has all", async || spread(&[&first])).await;
    let second = Node::join(&options).await;
    until("two share", async || spread(&[&first, &second])).await;
    let before = [first.shards(), second.shards()];
    let third = Node::join(&options).await;
    until("three share", async || spread(&[&first, &second, &third])).await;
    assert!(first.shards().is_subset(&before[0]) && second.shards().is_subset(&before[1]));
    for node in [&first, &second, &third] {
        assert!(node.placement.leave().await, "it leaves in time");
        assert_eq!(node.shards(), BTreeSet::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_gives_away_fast() {
    let options = prepared().await;
    let (first, second) = (Node::join(&options).await, Node::join(&options).await);
    until("two share", async || spread(&[&first, &second])).await;
    let began = Instant::now();
    assert!(second.placement.leave().await, "it leaves in time");
    until("the other has all", async || spread(&[&first])).await;
    let took = began.elapsed();
    println!("given away {} ms after a leave", took.as_millis());
    assert!(took <= Duration::from_millis(1_500), "it took {took:?}");
}

/// Not a test of its own: another process, which is a member until it is killed.
#[tokio::test]
#[ignore = "a part of `who_is_killed_is_taken_over_from`"]
#[allow(clippy::disallowed_methods, reason = "whoever starts it tells it its group")]
async fn a_member_in_a_process_of_its_own() {
    let group = std::env::var("SOUK_TEST_GROUP").expect("it is told its group");
    let options = PlacementOptions { members_topic: format!("{group}-members"), group, ..real::options() };
    let _node = Node::join(&options).await;
    std::future::pending::<()>().await;
}

fn member_in_a_process_of_its_own(options: &PlacementOptions) -> Child {
    Command::new(std::env::current_exe().expect("this test is a program"))
        .args(["--exact", "a_member_in_a_process_of_its_own", "--ignored"])
        .env("SOUK_TEST_GROUP", &options.group)
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_killed_is_taken_over_from() {
    let options = prepared().await;
    let node = Node::join(&options).await;
    until("one has all", async || spread(&[&node])).await;
    let mut other = member_in_a_process_of_its_own(&options);
    until("two share", async || node.shards().len() == all().len() / 2).await;
    other.kill().expect("it is killed");
    other.wait().expect("it ends");
    let took = until("it is taken over from", async || spread(&[&node])).await;
    println!("taken over {} ms after a kill -9", took.as_millis());
    assert!(took <= Duration::from_secs(10), "it took {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_paused_is_taken_over_from_and_comes_back() {
    let options = prepared().await;
    let node = Node::join(&options).await;
    until("one has all", async || spread(&[&node])).await;
    let mut other = member_in_a_process_of_its_own(&options);
    until("two share", async || node.shards().len() == all().len() / 2).await;
    signal(&other, "-STOP");
    until("it is taken over from", async || spread(&[&node])).await;
    signal(&other, "-CONT");
    until("two share again", async || node.shards().len() == all().len() / 2).await;
    other.kill().expect("it is killed");
    other.wait().expect("it ends");
}

fn signal(process: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_everybody_goes_on_with_what_it_has() {
    let options = prepared().await;
    let (first, second) = (Node::join(&options).await, Node::join(&options).await);
    until("two share", async || spread(&[&first, &second])).await;
    real::services(&["kill", "kafka"]);
    // Well beyond the session, after which each member has lost its shards as far as the group goes.
    let mut shards = [first.placement.shards(), second.placement.shards()];
    shards.iter_mut().for_each(watch::Receiver::mark_unchanged);
    let [one, other] = &mut shards;
    let told = async {
        tokio::select! { _ = one.changed() => {}, _ = other.changed() => {} }
    };
    assert!(timeout(Duration::from_secs(12), told).await.is_err(), "nothing is taken away");
    assert!(spread(&[&first, &second]));
    real::services(&["up", "kafka"]);
    let third = Node::join(&options).await;
    until("three share", async || spread(&[&first, &second, &third])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_does_not_fit_is_refused() {
    let options = real::options();
    let missing = GroupPlacement::start(options.clone()).await;
    assert!(matches!(missing, Err(Error::NoTopic { .. })), "{missing:?}");
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", real::broker()).create().expect("an admin client");
    let topic = NewTopic::new(&options.members_topic, 5, TopicReplication::Fixed(1));
    admin.create_topics([&topic], &AdminOptions::new()).await.expect("the topic is made");
    let other = prepare(&options, 1).await;
    assert!(matches!(other, Err(Error::Partitions { has: 5, needs: 12, .. })), "{other:?}");
    let other = GroupPlacement::start(options).await;
    assert!(matches!(other, Err(Error::Partitions { has: 5, needs: 12, .. })), "{other:?}");
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_said() {
    let mut options = real::options();
    options.brokers.addresses = vec!["127.0.0.1:1".to_owned()];
    let alone = GroupPlacement::start(options).await;
    assert!(matches!(alone, Err(Error::NoBroker { .. })), "{alone:?}");
}
