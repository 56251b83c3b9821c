//! A node with bridges beside a real broker: what stands in topics of others counts once, whatever happens to the node meanwhile; what cannot
//! count is set aside with its reason; the node goes on.

#![allow(clippy::unwrap_used)] // a test may fail where it stands

mod served;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use serde_json::{Value, json};
use served::{Served, broker, eventually, fill, new_name, wall_millis};
use souk_formats::time::timestamp;
use souk_proto::grpc::client::event_service_client::EventServiceClient;
use souk_proto::v1;
use tempfile::TempDir;

const PARTITIONS: u16 = 3;

/// A node on its own disk with bridges of these topics, each read in a format.
struct Shop {
    dir: TempDir,
    files: Vec<PathBuf>,
}

impl Shop {
    fn new(bridges: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |(topic, format): &(&str, &str)| bridge(dir.path(), topic, format);
        let files = bridges.iter().map(file).collect();
        Self { dir, files }
    }

    fn start(&self) -> Served {
        let data = self.dir.path().join("data");
        let files: Vec<_> = self.files.iter().map(|file| file.to_str().unwrap()).collect();
        let group = self.dir.path().file_name().unwrap().to_str().unwrap().replace('.', "shop");
        let env = [("SOUK__BRIDGE__FILES", files.join(",")), ("SOUK__CLUSTER__GROUP", group)];
        let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Served::start("n-1", self.dir.path(), &["--data-dir", data.to_str().unwrap()], &env)
    }
}

/// Writes a bridge's file.
fn bridge(dir: &Path, topic: &str, format: &str) -> PathBuf {
    let path = dir.join(format!("{topic}.toml"));
    let text = format!("topic = \"{topic}\"\nformat = \"{format}\"\nbrokers = [\"{}\"]\n", broker());
    std::fs::write(&path, text).unwrap();
    path
}

fn payment(n: u64) -> (String, Vec<u8>) {
    let message = json!({
        "transactionId": format!("t-{n}"),
        "userId": format!("u-{}", n % 97),
        "transactionType": "purchase",
        "amount": 12.5,
        "currency": "EUR",
        "transactionDate": timestamp(wall_millis()).to_string(),
        "category": "home",
    });
    (format!("t-{n}"), message.to_string().into_bytes())
}

fn payments(served: &Served) -> i64 {
    served.figure("sales", &["--window", "total"], "records")
}

/// Waits until so many payments count, and no message waits.
fn counts(served: &Served, topic: &str, wanted: u64) {
    eventually("all payments count", || (payments(served) >= wanted as i64).then_some(()));
    eventually("none waits", || (served.bridged("records_lag", topic) == Some(0)).then_some(()));
    assert_eq!(payments(served), wanted as i64);
    assert_eq!(served.figure("sales", &["--window", "total"], "net"), wanted as i64 * 1_250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_others_counts_once_over_a_kill_and_a_restart() {
    const MESSAGES: u64 = 12_000;
    let topic = new_name("payments");
    fill(&topic, PARTITIONS, (0..MESSAGES).map(payment)).await;
    let shop = Shop::new(&[(&topic, "commerce")]);

    let first = shop.start();
    eventually("some are over", || first.bridged("records_appended_total", &topic).filter(|over| *over > 0));
    first.kill();
    fill(&topic, PARTITIONS, (MESSAGES..MESSAGES + 1_000).map(payment)).await;
    let second = shop.start();
    counts(&second, &topic, MESSAGES + 1_000);
    assert_eq!(second.bridged("up", &topic), Some(1));
    second.leave();

    // What was left in peace had said where it was.
    fill(&topic, PARTITIONS, (MESSAGES + 1_000..MESSAGES + 1_500).map(payment)).await;
    let third = shop.start();
    counts(&third, &topic, MESSAGES + 1_500);
    assert_eq!(third.bridged("records_consumed_total", &topic), Some(500));
    assert_eq!(third.bridged("restarts_total", &topic), Some(0));
    third.leave();
}

/// Poison of five kinds, with the reason of each.
fn poison(n: u64) -> (&'static str, Vec<u8>) {
    let (_, good) = payment(1_000_000 + n);
    let mut message: Value = serde_json::from_slice(&good).unwrap();
    let (reason, field, value) = match n % 5 {
        0 => return ("PAYLOAD_UNDECODABLE", b"{\"transactionId\":".to_vec()),
        1 => ("FIELD_INVALID", "amount", json!({ "much": true })),
        2 => ("TIME_OUT_OF_RANGE", "transactionDate", json!("2099-01-01T00:00:00Z")),
        3 => ("VALUE_OUT_OF_RANGE", "amount", json!(-1)),
        _ => ("MESSAGE_TOO_LARGE", "note", json!("x".repeat(400_000))),
    };
    message[field] = value;
    (reason, message.to_string().into_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_set_aside_with_its_reason_while_the_node_goes_on() {
    const POISON: u64 = 1_000;
    let topic = new_name("poisoned");
    let shop = Shop::new(&[(&topic, "commerce")]);
    fill(&topic, PARTITIONS, (0..10).map(payment)).await;
    let served = shop.start();
    counts(&served, &topic, 10);
    // Good and bad, one after the other.
    let bad = (0..POISON).map(|n| (format!("x-{n}"), poison(n).1));
    let good = (10..10 + POISON).map(payment);
    let sending = tokio::spawn({
        let (topic, messages) =
            (topic.clone(), bad.zip(good).flat_map(|(bad, good)| [bad, good]).collect::<Vec<_>>());
        async move { fill(&topic, PARTITIONS, messages).await }
    });
    let mut events = EventServiceClient::connect(format!("http://{}", served.address)).await.unwrap();
    let mut taken = 0;
    while served.bridged("dlq_records_total", &topic).is_none_or(|letters| letters < POISON) {
        // Every shard has its turn meanwhile.
        let views = (0..16).map(|user| page_view(taken, user)).collect();
        let request = v1::PublishEventsRequest {
            events: views,
            ack: v1::AckLevel::Applied.into(),
            ..Default::default()
        };
        let answer = tokio::time::timeout(Duration::from_secs(20), events.publish_events(request));
        let answer = answer.await.expect("no shard stands still").unwrap().into_inner();
        assert_eq!(answer.counts.and_then(|counts| counts.counted), Some(16), "{answer:?}");
        taken += 1;
    }
    sending.await.unwrap();
    counts(&served, &topic, 10 + POISON);
    assert!(taken > 0);
    assert_eq!(served.bridged("dlq_records_total", &topic), Some(POISON));

    let letters = read_letters(&format!("{topic}_dlq"), POISON as usize);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, letter) in &letters {
        assert!(key.starts_with(&format!("{topic}/")) && key.contains('@'), "{key}");
        for field in ["originalMessage", "errorReason", "timestamp"] {
            assert!(letter[field].as_str().is_some_and(|text| !text.is_empty()), "{key}: {letter}");
        }
        assert_eq!(letter["processingComponent"], "bridge");
        *reasons.entry(letter["errorType"].as_str().unwrap()).or_default() += 1;
    }
    let expected = (0..5).map(|n| (poison(n).0, POISON as usize / 5)).collect();
    assert_eq!(reasons, expected);
    served.leave();
}

fn page_view(round: usize, user: usize) -> v1::Event {
    let view = v1::PageView { page: "/".to_owned(), ..Default::default() };
    v1::Event {
        event_id: format!("v-{round}-{user}"),
        user_id: format!("u-{user}"),
        kind: Some(v1::event::Kind::PageView(view)),
        ..Default::default()
    }
}

/// Letters by their keys.
fn read_letters(topic: &str, count: usize) -> BTreeMap<String, Value> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker())
        .set("group.id", "reads-letters")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let mut letters = BTreeMap::new();
    eventually("all letters", || {
        while let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message.unwrap();
            let key = String::from_utf8_lossy(message.key().unwrap()).into_owned();
            letters.insert(key, serde_json::from_slice(message.payload().unwrap()).unwrap());
        }
        (letters.len() >= count).then_some(())
    });
    letters
}

/// An order in which nothing is said of its product but its id.
fn order(n: usize) -> (String, Vec<u8>) {
    let message = json!({
        "eventType": "ORDER_PLACED",
        "eventId": format!("o-{n}"),
        "timestamp": wall_millis(),
        "userId": format!("u-{n}"),
        "orderId": format!("o-{n}"),
        "items": [{ "productId": "mug", "quantity": 2 }],
    });
    (format!("u-{n}"), message.to_string().into_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bridged_events_are_stamped_by_the_catalogue_and_a_second_topic_can_be_the_catalogue() {
    let (products, orders) = (new_name("product_updates"), new_name("shop_events"));
    let product =
        json!({ "productId": "mug", "name": "Mug", "category": "kitchen", "price": 4.5, "currency": "EUR" });
    fill(&products, 1, [("mug".to_owned(), product.to_string().into_bytes())]).await;
    let shop = Shop::new(&[(&products, "kartshoppe"), (&orders, "kartshoppe")]);
    let served = shop.start();
    eventually("the product is known", || {
        let answer = served.ask(&["get", "metrics/products", "--window", "total"]);
        let known = served.bridged("records_appended_total", &products) == Some(1);
        known.then_some(answer)
    });
    eventually("a topic that is not there is said", || {
        served.said().into_iter().find(|line| line["error"].to_string().contains("there is no topic"))
    });
    assert_eq!(served.bridged("up", &orders), Some(0));
    fill(&orders, PARTITIONS, (0..20).map(order)).await;
    let in_kitchen = ["--window", "total", "--where", "category=kitchen"];
    eventually("all count in the product's category", || {
        (served.figure("products", &in_kitchen, "units") == 40).then_some(())
    });
    assert_eq!(served.figure("products", &in_kitchen, "revenue"), 40 * 450);
    served.leave();
}
