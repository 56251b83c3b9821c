//! Nodes of a cluster, on a real broker and a real Cassandra, with topics of others: one that is the users journal itself, and one that is bridged
//! while nodes come and go. What they answer is what a recount of the topic gives.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};
use served::{Served, broker, eventually, fill, new_name, server, wall_millis};
use souk_formats::time::timestamp;

const USERS: u16 = 4;

/// What the nodes of one cluster are told.
struct Cluster {
    env: Vec<(&'static str, String)>,
    dir: tempfile::TempDir,
}

impl Cluster {
    /// Makes what they share.
    fn new(more: &[(&'static str, String)]) -> Self {
        let name = new_name("shop");
        let mut env = vec![
            ("SOUK__KAFKA__BROKERS", broker()),
            ("SOUK__KAFKA__USERS_TOPIC", format!("{name}-users")),
            ("SOUK__KAFKA__PRODUCTS_TOPIC", format!("{name}-products")),
            ("SOUK__KAFKA__MEMBERS_TOPIC", format!("{name}-members")),
            ("SOUK__KAFKA__REPLICAS", "1".to_owned()),
            ("SOUK__KAFKA__IN_SYNC", "1".to_owned()),
            ("SOUK__CASSANDRA__NODES", server("SOUK_TEST_CASSANDRA")),
            ("SOUK__CASSANDRA__KEYSPACE", name.replace('-', "_")),
            ("SOUK__CASSANDRA__REPLICAS", "1".to_owned()),
            ("SOUK__CLUSTER__GROUP", name),
            ("SOUK__SHARDS__USERS", USERS.to_string()),
            ("SOUK__SHARDS__PRODUCTS", "2".to_owned()),
        ];
        for (key, value) in more {
            env.retain(|(known, _)| known != key);
            env.push((*key, value.clone()));
        }
        let cluster = Self { env, dir: tempfile::tempdir().unwrap() };
        souk(&["migrate"], &cluster.env());
        cluster
    }

    fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(key, value)| (*key, value.as_str())).collect()
    }

    fn node(&self, name: &str) -> Served {
        Served::start(name, self.dir.path(), &[], &self.env())
    }
}

/// Runs a command to its end.
fn souk(arguments: &[&str], env: &[(&str, &str)]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souk"));
    let ran = command.args(arguments).envs(env.iter().copied()).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Everything that stands in a topic.
fn messages(topic: &str) -> Vec<Value> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", broker()).set("group.id", "recounts").create().unwrap();
    let wait = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(Some(topic), wait).unwrap();
    let (mut list, mut ends) = (TopicPartitionList::new(), 0);
    for partition in metadata.topics()[0].partitions() {
        list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        ends += consumer.fetch_watermarks(topic, partition.id(), wait).unwrap().1;
    }
    consumer.assign(&list).unwrap();
    let mut found = Vec::new();
    eventually("all messages", || {
        while let Some(message) = consumer.poll(Duration::from_millis(100)) {
            found.push(serde_json::from_slice(message.unwrap().payload().unwrap()).unwrap());
        }
        (found.len() as i64 == ends).then_some(())
    });
    found
}

/// Pieces put into carts, by product.
fn adds(served: &Served) -> BTreeMap<String, u64> {
    let query = ["get", "metrics/products", "--window", "total", "--by", "product", "--freshness", "owner"];
    let rows = served.ask(&query)["rows"].as_array().cloned().unwrap_or_default();
    let of = |row: &Value| {
        let adds = row["values"]["adds"]["integer"].as_str()?.parse().ok()?;
        Some((row["key"]["product"].as_str()?.to_owned(), adds))
    };
    rows.iter().filter_map(of).filter(|(_, adds)| *adds > 0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adopted_topic_is_served_as_a_recount_of_it_says() {
    let topic = new_name("shop_events");
    let to = format!("kafka://{}/{topic}", broker());
    let partitions = USERS.to_string();
    let flags =
        ["generate", "--format", "cartpulse", "--rate", "4000", "--events", "12000", "--duplicates", "2%"];
    souk(&[&flags[..], &["--to", &to, "--partitions", &partitions]].concat(), &[]);
    let (mut known, mut expected) = (BTreeSet::new(), BTreeMap::new());
    for message in messages(&topic) {
        let is_new = known.insert(message["eventId"].to_string());
        if is_new && message["eventType"] == "add_to_cart" {
            *expected.entry(message["productId"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert!(expected.len() > 50, "{expected:?}");

    let cluster =
        Cluster::new(&[("SOUK__KAFKA__USERS_TOPIC", topic), ("SOUK__ADOPT__FORMAT", "cartpulse".to_owned())]);
    let one = cluster.node("n-1");
    eventually("all of it counts", || (adds(&one) == expected).then_some(()));
    // With another node, and then without the first.
    let other = cluster.node("n-2");
    eventually("the other answers the same", || (adds(&other) == expected).then_some(()));
    one.kill();
    eventually("and alone", || (adds(&other) == expected).then_some(()));
    other.leave();
}

fn payment(n: u64) -> (String, Vec<u8>) {
    let message = json!({
        "transactionId": format!("t-{n}"),
        "userId": format!("u-{}", n % 997),
        "transactionType": "purchase",
        "amount": 12.5,
        "currency": "EUR",
        "transactionDate": timestamp(wall_millis()).to_string(),
        "category": "home",
    });
    (format!("t-{n}"), message.to_string().into_bytes())
}

fn bridge(dir: &Path, topic: &str) -> String {
    let path = dir.join("payments.toml");
    std::fs::write(&path, format!("topic = \"{topic}\"\nformat = \"commerce\"\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridged_topic_counts_once_while_nodes_come_and_go() {
    let topic = new_name("payments");
    let dir = tempfile::tempdir().unwrap();
    let cluster = Cluster::new(&[("SOUK__BRIDGE__FILES", bridge(dir.path(), &topic))]);
    let records = |served: &Served| served.figure("sales", &["--window", "total"], "records");
    let count = |served: &Served, wanted: i64| {
        eventually("all count", || (records(served) >= wanted).then_some(()));
        assert_eq!(records(served), wanted);
    };
    let (one, other) = (cluster.node("n-1"), cluster.node("n-2"));
    fill(&topic, 6, (0..3_000).map(payment)).await;
    count(&one, 3_000);
    let both = [&one, &other].map(|node| node.bridged("records_consumed_total", &topic).unwrap_or_default());
    assert!(both.iter().sum::<u64>() >= 3_000, "{both:?}");

    // The first dies with more under way; what it had not said is read again by the other.
    fill(&topic, 6, (3_000..6_000).map(payment)).await;
    one.kill();
    count(&other, 6_000);
    let third = cluster.node("n-3");
    fill(&topic, 6, (6_000..7_000).map(payment)).await;
    other.leave();
    count(&third, 7_000);
    third.leave();
}
