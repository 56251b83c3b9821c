//! Positions of shards, as the ordinary lag tools see them on a real broker.

mod real;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use souk_cluster::{Positions, PositionsOptions};
use souk_model::journal::ShardId;

use real::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_are_there_for_lag_tools() {
    let name = real::new_name();
    let (users, products) = (format!("{name}-users"), format!("{name}-products"));
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", real::broker()).create().expect("an admin client");
    let topics = [&users, &products].map(|topic| NewTopic::new(topic, 3, TopicReplication::Fixed(1)));
    admin.create_topics(&topics, &AdminOptions::new()).await.expect("the topics are made");
    let options = PositionsOptions {
        brokers: real::brokers(),
        group: name.clone(),
        users_topic: users.clone(),
        products_topic: products.clone(),
    };
    let offset = Arc::new(AtomicU64::new(7));
    let of = offset.clone();
    let carried = move || vec![(ShardId::users(1), of.load(Ordering::Relaxed)), (ShardId::products(2), 3)];
    let _positions = Positions::start(options, carried).expect("it starts");

    let asking: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", real::broker())
        .set("group.id", format!("{name}-positions"))
        .create()
        .expect("a consumer");
    let asking = Arc::new(asking);
    let committed = async |topic: &str, partition| {
        let (asking, mut list) = (asking.clone(), TopicPartitionList::new());
        list.add_partition(topic, partition);
        let ask = move || asking.committed_offsets(list, Duration::from_secs(5));
        let answer = tokio::task::spawn_blocking(ask).await.expect("it does not panic");
        answer.map_or(Offset::Invalid, |list| list.elements()[0].offset())
    };
    until("positions are committed", async || committed(&users, 1).await == Offset::Offset(7)).await;
    assert_eq!(committed(&products, 2).await, Offset::Offset(3));
    assert_eq!(committed(&users, 0).await, Offset::Invalid, "another node's");
    offset.store(1_000, Ordering::Relaxed);
    until("they go on", async || committed(&users, 1).await == Offset::Offset(1_000)).await;
}
