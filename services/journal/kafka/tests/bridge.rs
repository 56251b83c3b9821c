//! A topic of others brought over to the journals: every message once, whoever brings it and how often; what cannot be is set aside.

mod real;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use souk_formats::Format;
use souk_journal_kafka::{Bridge, BridgeOptions, BridgePorts, Catalogue, Sender, SenderOptions, Start};
use souk_model::journal::{Partitions, ShardId};
use souk_model::keying::Keying;
use souk_model::output::Outputs;
use souk_model::owner::fold::{Fold as _, Progress};
use souk_model::planted::Planted;
use souk_model::record::Event;
use souk_model::settings::Settings;
use souk_model::shard::{Counts, FOLD_VERSION, Shard, ShardConfig};
use souk_model::time::Millis;
use souk_runtime::ports::{Clock, Journal};
use tokio::time::{Instant, sleep};

const DEADLINE: Duration = Duration::from_secs(60);
const PARTITIONS: Partitions = Partitions { users: 2, products: 2 };
const FOREIGN: u16 = 3;

#[derive(Debug)]
struct Wall;

impl Clock for Wall {
    fn now(&self) -> Millis {
        // The clock of a test beside a broker that has a real one.
        #[allow(clippy::disallowed_methods)]
        let now = std::time::SystemTime::now();
        now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64
    }
}

/// A catalogue that knows no product.
#[derive(Debug)]
struct Empty;

#[async_trait]
impl Catalogue for Empty {
    async fn stamp(&self, _: &mut [Event]) {}
}

fn transaction(n: u64) -> (String, String) {
    let time = souk_formats::time::timestamp(Wall.now());
    let text = format!(
        r#"{{"transactionId":"t-{n}","userId":"u-{}","transactionType":"purchase","amount":12.5,"currency":"EUR","transactionDate":"{time}","category":"home"}}"#,
        n % 97
    );
    (format!("t-{n}"), text)
}

async fn filled(topic: &str, messages: impl IntoIterator<Item = (String, String)>) {
    let options = SenderOptions { make: Some(FOREIGN), ..SenderOptions::new(vec![real::broker()], topic) };
    let sender = Sender::open(options).await.expect("the topic is made");
    for (key, text) in messages {
        sender.send(key.as_bytes(), text.as_bytes()).await.expect("it is taken");
    }
    sender.finish().await.expect("all arrive");
}

fn bridge(topic: &str, group: &str, start: Start, journal: &Arc<dyn Journal>) -> Bridge {
    let options = BridgeOptions {
        brokers: vec![real::broker()],
        topic: topic.to_owned(),
        format: Format::named("commerce").expect("a format"),
        start,
        dead_letters: format!("{topic}-dead"),
        group: format!("{topic}-{group}"),
        live: true,
        client_id: "souk-test".to_owned(),
        properties: BTreeMap::new(),
    };
    let ports =
        BridgePorts { journal: Arc::clone(journal), catalogue: Arc::new(Empty), clock: Arc::new(Wall) };
    Bridge::start(options, ports).expect("it starts")
}

/// Looks again until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What the fold makes of all that was appended.
async fn counts(journal: &dyn Journal) -> Counts {
    let mut all = Counts::default();
    for id in (0..PARTITIONS.users).map(ShardId::users) {
        let mut shard = Shard::new(ShardConfig {
            id,
            partitions: PARTITIONS,
            keying: Keying::Own,
            settings: Settings::builtin().text,
            library: Arc::default(),
            build_version: FOLD_VERSION,
            planted: Planted::default(),
        })
        .expect("the built-in settings are lawful");
        for section in (0..64).chain(128..256) {
            shard.load(section, &[]).expect("an empty section");
        }
        let ends = journal.ends(id).await.expect("the journal answers");
        let mut next = 1;
        while next <= ends.end {
            let read = journal.read(id, next, 1 << 20, Duration::ZERO).await.expect("the journal answers");
            for entry in read.entries {
                next = entry.offset + 1;
                let mut out = Outputs::default();
                while shard.step(&entry, &mut out) == Progress::More {}
            }
        }
        let of = shard.counts();
        all.received += of.received;
        all.counted += of.counted;
        all.duplicate += of.duplicate;
        all.late += of.late;
        all.rejected += of.rejected;
    }
    all
}

fn consumer(group: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", real::broker())
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer")
}

/// Takes a group back to where it began, as if it had died before it could say what it had done.
fn rewind(topic: &str, group: &str) {
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::from(FOREIGN) {
        list.add_partition_offset(topic, partition, Offset::Offset(0)).expect("an offset");
    }
    let deadline = Instant::now() + DEADLINE;
    let consumer = consumer(&format!("{topic}-{group}"));
    // Its last member may not have left yet.
    while consumer.commit(&list, CommitMode::Sync).is_err() {
        assert!(Instant::now() < deadline, "the group is empty in time");
        drop(consumer.poll(Duration::from_millis(100)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_counts_once_over_deaths_repeats_and_a_second_bridge() {
    const MESSAGES: u64 = 6_000;
    let (journal, options) = real::make(PARTITIONS).await;
    let journal: Arc<dyn Journal> = journal;
    let topic = format!("{}-ledger", options.topics.users);
    filled(&topic, (0..MESSAGES).map(transaction)).await;

    let first = bridge(&topic, "a", Start::Earliest, &journal);
    until("some are over", || first.counts().appended > 0).await;
    drop(first);
    // Died, and said nothing: all of it is read again.
    rewind(&topic, "a");
    let (again, zombie) =
        (bridge(&topic, "a", Start::Earliest, &journal), bridge(&topic, "b", Start::Earliest, &journal));
    until("both have brought all", || [&again, &zombie].iter().all(|one| one.counts().appended >= MESSAGES))
        .await;
    filled(&topic, (MESSAGES..MESSAGES + 500).map(transaction)).await;
    until("both have brought the rest", || {
        [&again, &zombie].iter().all(|one| one.counts().appended >= MESSAGES + 500)
    })
    .await;
    assert!(again.counts().repeated == 0, "a process knows what it has read itself");
    drop((again, zombie));

    let counts = counts(&*journal).await;
    assert_eq!(counts.counted, MESSAGES + 500, "{counts:?}");
    assert!(counts.duplicate >= MESSAGES + 500 && counts.late + counts.rejected == 0, "{counts:?}");

    // What is committed is not brought again.
    let third = bridge(&topic, "a", Start::Earliest, &journal);
    filled(&topic, (MESSAGES + 500..MESSAGES + 510).map(transaction)).await;
    until("the newest are over", || third.counts().appended >= 10).await;
    assert_eq!(third.counts().appended, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_brought_is_set_aside_under_its_place() {
    let (journal, options) = real::make(PARTITIONS).await;
    let journal: Arc<dyn Journal> = journal;
    let topic = format!("{}-ledger", options.topics.users);
    let message = |n: u64| match n % 3 {
        0 => transaction(n),
        1 => (format!("x-{n}"), "{\"transactionId\":".to_owned()),
        _ => (format!("y-{n}"), transaction(n).1.replace("12.5", "-1")),
    };
    filled(&topic, (0..3_000).map(message)).await;
    let bridge = bridge(&topic, "a", Start::Earliest, &journal);
    until("all are through", || {
        let counts = bridge.counts();
        (counts.appended, counts.dead_letters) == (1_000, 2_000)
    })
    .await;
    until("it has said that it is through", || bridge.counts().lag == Some(0)).await;
    let counted = bridge.counts();
    assert_eq!((counted.read, counted.ended, counted.problem), (3_000, 0, None));
    drop(bridge);
    assert_eq!(counts(&*journal).await.counted, 1_000);

    let letters = tokio::task::spawn_blocking(move || {
        let consumer = consumer("reads-letters");
        consumer.subscribe(&[&format!("{topic}-dead")]).expect("subscribed");
        let (mut letters, deadline) = (BTreeMap::new(), Instant::now() + DEADLINE);
        while letters.len() < 2_000 {
            assert!(Instant::now() < deadline, "the letters come in time: {}", letters.len());
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
            let key = String::from_utf8_lossy(message.key().expect("a key")).into_owned();
            let letter: serde_json::Value =
                serde_json::from_slice(message.payload().expect("a message")).expect("JSON");
            letters.insert(key, letter);
        }
        (topic, letters)
    });
    let (topic, letters) = letters.await.expect("they are read");
    let of = |reason: &str| letters.values().filter(|letter| letter["errorType"] == reason).count();
    assert_eq!((of("PAYLOAD_UNDECODABLE"), of("VALUE_OUT_OF_RANGE")), (1_000, 1_000));
    for (key, letter) in &letters {
        assert!(key.starts_with(&format!("{topic}/")) && key.contains('@'), "{key}");
        for field in ["originalMessage", "errorReason", "timestamp", "processingComponent"] {
            assert!(letter[field].as_str().is_some_and(|text| !text.is_empty()), "{key}: {letter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_begins_where_it_is_told_and_stays_there() {
    let (journal, options) = real::make(PARTITIONS).await;
    let journal: Arc<dyn Journal> = journal;
    let topic = format!("{}-ledger", options.topics.users);
    filled(&topic, (0..300).map(transaction)).await;
    let latest = bridge(&topic, "new", Start::Latest, &journal);
    let placed = consumer(&format!("{topic}-new"));
    until("it has a place", || {
        let mut all = TopicPartitionList::new();
        for partition in 0..i32::from(FOREIGN) {
            all.add_partition(&topic, partition);
        }
        let places = placed.committed_offsets(all, Duration::from_secs(5));
        places.is_ok_and(|places| places.elements().iter().all(|place| place.offset() != Offset::Invalid))
    })
    .await;
    drop(latest);
    // Nobody reads now, and yet these are not passed over.
    filled(&topic, (300..340).map(transaction)).await;
    let again = bridge(&topic, "new", Start::Latest, &journal);
    until("the newest are over", || again.counts().appended >= 40).await;
    assert_eq!(counts(&*journal).await.counted, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_not_there_is_waited_for() {
    let (journal, options) = real::make(PARTITIONS).await;
    let journal: Arc<dyn Journal> = journal;
    let topic = format!("{}-ledger", options.topics.users);
    let bridge = bridge(&topic, "a", Start::Earliest, &journal);
    until("it says what is missing", || {
        bridge.counts().problem.is_some_and(|problem| problem.contains("there is no topic"))
    })
    .await;
    filled(&topic, (0..500).map(transaction)).await;
    until("they are over", || bridge.counts().appended == 500).await;
    assert_eq!(bridge.counts().problem, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_made_anew_is_another() {
    let (journal, options) = real::make(PARTITIONS).await;
    let journal: Arc<dyn Journal> = journal;
    let topic = format!("{}-ledger", options.topics.users);
    filled(&topic, (0..500).map(transaction)).await;
    let bridge = bridge(&topic, "a", Start::Earliest, &journal);
    until("they are over", || bridge.counts().appended == 500).await;
    delete(&topic).await;
    // Its messages have the places of those before, and are others.
    until_filled(&topic, 500..1_100).await;
    until("the others are over too", || bridge.counts().appended >= 1_100).await;
    drop(bridge);
    let counts = counts(&*journal).await;
    assert_eq!((counts.counted, counts.rejected), (1_100, 0), "{counts:?}");
}

async fn delete(topic: &str) {
    let admin: AdminClient<_> =
        ClientConfig::new().set("bootstrap.servers", real::broker()).create().expect("a client");
    let deleted = admin.delete_topics(&[topic], &AdminOptions::new()).await.expect("an answer");
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
}

/// Fills a topic that was just deleted, once its name is free.
async fn until_filled(topic: &str, messages: std::ops::Range<u64>) {
    let deadline = Instant::now() + DEADLINE;
    let options = SenderOptions { make: Some(FOREIGN), ..SenderOptions::new(vec![real::broker()], topic) };
    while Sender::open(options.clone()).await.is_err() {
        assert!(Instant::now() < deadline, "the name is free in time");
        sleep(Duration::from_millis(100)).await;
    }
    filled(topic, messages.map(transaction)).await;
}
