//! What a real broker does to a journal: it dies amid appends, loses records, is given another topic under the same name.

mod real;

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::{Offset, TopicPartitionList};
use souk_journal_kafka::{Error, KafkaJournal, Options, Wanted, prepare};
use souk_model::journal::{Partitions, ShardId};
use souk_runtime::ports::{Appended, Journal, Refused};
use tokio::time::{Instant, sleep, timeout};

use real::{make, offset_of, open, read_all, record, services};

const DEADLINE: Duration = Duration::from_secs(120);
const A: ShardId = ShardId::users(0);
const B: ShardId = ShardId::products(0);

fn admin() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", real::broker()).create().expect("an admin client")
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "in time: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn append(journal: &dyn Journal, shard: ShardId, texts: impl IntoIterator<Item = String>) -> Vec<u64> {
    let records = texts.into_iter().map(|text| record(shard, text)).collect();
    journal.append(records).await.iter().map(offset_of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_amid_appends_loses_nothing_acknowledged() {
    const WRITERS: usize = 6;
    let (_, options) = make(real::PARTITIONS).await;
    let options = Options { append_timeout: Duration::from_secs(60), ..options };
    let journal = open(&options).await;
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let writer = |number: usize| {
        let (journal, stop, done) = (Arc::clone(&journal), Arc::clone(&stop), Arc::clone(&done));
        let shard = if number.is_multiple_of(2) { A } else { B };
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0_u64.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let text = |n: u64| format!("{number} {:09}", round * 5 + n);
                let outcomes = journal.append((0..5).map(|n| record(shard, text(n))).collect()).await;
                for (n, outcome) in (0..5).zip(outcomes) {
                    match outcome {
                        Appended::At { offset, .. } => acknowledged.push((shard, offset, text(n))),
                        Appended::Unknown | Appended::Refused(Refused::Unavailable) => {}
                        Appended::Refused(other) => panic!("{other}"),
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
            acknowledged
        })
    };
    let writers: Vec<_> = (0..WRITERS).map(writer).collect();
    let reached = async |more: u64| {
        let from = done.load(Ordering::Relaxed);
        until("appends go on", async || done.load(Ordering::Relaxed) > from + more).await;
    };
    for _ in 0..2 {
        reached(200).await;
        let killed = tokio::task::spawn_blocking(|| {
            services(&["kill", "kafka"]);
            services(&["up", "kafka"]);
        });
        killed.await.expect("it is back");
    }
    reached(200).await;
    stop.store(true, Ordering::Relaxed);

    let mut acknowledged = Vec::new();
    for writer in writers {
        let mine = timeout(DEADLINE, writer).await.expect("it ends").expect("it did not panic");
        assert!(
            mine.is_sorted_by_key(|(_, offset, _)| *offset),
            "one append after the other keeps their order"
        );
        acknowledged.extend(mine);
    }
    for shard in [A, B] {
        let found = read_all(&*journal, shard).await;
        assert!(found.iter().map(|(offset, _)| *offset).eq(1..=found.len() as u64), "{shard}: no gaps");
        for (_, offset, text) in acknowledged.iter().filter(|(of, ..)| *of == shard) {
            assert_eq!(
                &found[*offset as usize - 1].1,
                text,
                "{shard}: what was acknowledged stands where it was told"
            );
        }
        let mut texts: Vec<_> = found.iter().map(|(_, text)| text).collect();
        let in_order = |writer: usize| {
            let writer = format!("{writer} ");
            texts.iter().filter(|text| text.starts_with(&writer)).is_sorted()
        };
        assert!((0..WRITERS).all(in_order), "{shard}: each writer's records are in order");
        texts.sort();
        assert!(
            texts.windows(2).all(|pair| pair[0] != pair[1]),
            "{shard}: a repeat by the client is none in the journal"
        );
    }
    assert!(acknowledged.len() > 3_000, "{}", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_made_anew_is_another_journal() {
    let (journal, options) = make(real::PARTITIONS).await;
    append(&*journal, A, (0..10).map(|n| n.to_string())).await;
    let before = journal.ends(A).await.expect("the journal answers");
    let (admin, patience) = (admin(), AdminOptions::new().operation_timeout(Some(DEADLINE)));
    let users = options.topics.users.as_str();
    admin.delete_topics(&[users], &patience).await.expect("it is deleted");
    until("the topic is made anew", async || prepare(&options, Wanted::ONE_BROKER).await.is_ok()).await;

    until("ends shows it", async || {
        journal
            .ends(A)
            .await
            .is_ok_and(|ends| ends.topic_id != before.topic_id && (ends.start, ends.end) == (1, 0))
    })
    .await;
    let [outcome] = journal.append(vec![record(A, "late")]).await[..] else { panic!("one outcome") };
    assert_eq!(outcome, Appended::Refused(Refused::Unavailable), "it is not the journal it was");
    assert!(journal.read(A, 1, 1_000, Duration::ZERO).await.is_err());
    let products = journal.ends(B).await.expect("the other topic is served");
    assert_eq!(products.end, 0);
    let anew = open(&options).await;
    assert_eq!(append(&*anew, A, ["first".to_owned()]).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_consumer_goes_on_where_the_one_before_was() {
    let (journal, _) = make(real::PARTITIONS).await;
    append(&*journal, A, (0..100).map(|n| n.to_string())).await;
    assert_eq!(real::read_all(&*journal, A).await.len(), 100);
    for round in 1..=3_usize {
        journal.fetch_anew();
        append(&*journal, A, (0..100).map(|n| format!("{round} {n}"))).await;
        append(&*journal, B, [format!("{round}")]).await;
        assert_eq!(real::read_all(&*journal, A).await.len(), 100 * (round + 1));
        assert_eq!(real::read_all(&*journal, B).await.len(), round);
    }
}

/// Needs the broker's files, so a broker that runs as a plain process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_a_broker_lost_are_missed() {
    let (journal, options) = make(real::PARTITIONS).await;
    for n in 0..20 {
        append(&*journal, A, [format!("{n} {}", "x".repeat(200))]).await;
    }
    let before = journal.ends(A).await.expect("the journal answers");
    let home = std::process::Command::new(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docker/services"),
    )
    .args(["status", "kafka"])
    .output()
    .expect("docker/services runs");
    let home = String::from_utf8(home.stdout).expect("text");
    let home = home.trim().rsplit(' ').next().expect("a folder").to_owned();
    let log = format!("{home}/data/{}-0/00000000000000000000.log", options.topics.users);
    tokio::task::spawn_blocking(move || {
        services(&["kill", "kafka"]);
        let file = OpenOptions::new().write(true).open(&log).expect("the partition's log");
        let half = file.metadata().expect("its size").len() / 2;
        file.set_len(half).expect("it is cut");
        services(&["up", "kafka"]);
    })
    .await
    .expect("it is back");

    until("ends shows it", async || journal.ends(A).await.is_ok()).await;
    let after = journal.ends(A).await.expect("the journal answers");
    assert_eq!((after.topic_id, after.start), (before.topic_id, 1));
    assert!(after.end < before.end && after.end > 0, "{after:?}");
    let left = read_all(&*journal, A).await;
    assert_eq!(left.len() as u64, after.end, "what is left can be read");
    let read = journal.read(A, before.end, 1_000, Duration::ZERO).await.expect("the journal answers");
    assert_eq!((read.entries.len(), read.end), (0, after.end), "what is gone is not waited for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_retention_took_is_passed_over() {
    let (journal, options) = make(real::PARTITIONS).await;
    append(&*journal, A, (0..100).map(|n| n.to_string())).await;
    let mut upto = TopicPartitionList::new();
    upto.add_partition_offset(&options.topics.users, 0, Offset::Offset(40)).expect("an offset");
    admin().delete_records(&upto, &AdminOptions::new()).await.expect("the oldest go");
    let ends = journal.ends(A).await.expect("the journal answers");
    assert_eq!((ends.start, ends.end), (41, 100));
    for journal in [journal, open(&options).await] {
        let read = journal.read(A, 7, 1_000, Duration::ZERO).await.expect("the journal answers");
        assert_eq!((read.entries[0].offset, read.end), (41, 100));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_whose_place_was_taken_meanwhile_goes_on_after_it() {
    let (writer, options) = make(real::PARTITIONS).await;
    append(&*writer, A, (0..10).map(|n| n.to_string())).await;
    let reader = open(&options).await;
    assert_eq!(
        reader.read(A, 10, 1_000, Duration::ZERO).await.expect("the journal answers").entries[0].offset,
        10
    );
    let mut upto = TopicPartitionList::new();
    upto.add_partition_offset(&options.topics.users, 0, Offset::Offset(5)).expect("an offset");
    admin().delete_records(&upto, &AdminOptions::new()).await.expect("the oldest go");
    // It knows the partition from before, when it began at 1.
    let read = reader.read(A, 2, 1_000, Duration::ZERO).await.expect("the journal answers");
    assert_eq!((read.entries[0].offset, read.end), (6, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_megabytes_are_too_large() {
    let (journal, _) = make(real::PARTITIONS).await;
    let records = vec![record(A, "before"), record(A, vec![7; 10 << 20]), record(A, "after")];
    let outcomes = journal.append(records).await;
    assert_eq!(outcomes[1], Appended::Refused(Refused::TooLarge));
    assert_eq!((offset_of(&outcomes[0]), offset_of(&outcomes[2])), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_reads_what_another_appends() {
    let (writer, options) = make(real::PARTITIONS).await;
    let reader = open(&options).await;
    for n in 1..=20 {
        let reading = Arc::clone(&reader);
        let waiting = tokio::spawn(async move { reading.read(A, n, 1_000, DEADLINE).await });
        assert_eq!(append(&*writer, A, [n.to_string()]).await, [n]);
        let read = timeout(DEADLINE, waiting).await.expect("it wakes").expect("it ends").expect("it answers");
        assert_eq!((read.entries[0].offset, &read.entries[0].bytes[..]), (n, n.to_string().as_bytes()));
    }
    let (mine, theirs) = (writer.ends(A).await, reader.ends(A).await);
    assert_eq!(mine.expect("it answers"), theirs.expect("it answers"), "one journal, whoever asks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_that_are_not_as_they_must_be_are_refused_by_name() {
    let options = real::options(Partitions { users: 3, products: 2 });
    let error = KafkaJournal::open(options.clone()).await.expect_err("nothing is there");
    assert!(matches!(&error, Error::NoTopic { topic } if *topic == options.topics.users), "{error}");

    let wrong = NewTopic::new(&options.topics.users, 4, TopicReplication::Fixed(1))
        .set("cleanup.policy", "compact")
        .set("retention.ms", "3600000");
    let made = admin().create_topics([&wrong], &AdminOptions::new()).await.expect("the broker answers");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let expected = ["the number of partitions", "message.timestamp.type", "cleanup.policy", "retention.ms"];
    until("the topic is known", async || {
        !matches!(KafkaJournal::open(options.clone()).await, Err(Error::NoTopic { .. }))
    })
    .await;
    for error in [
        KafkaJournal::open(options.clone()).await.expect_err("it is wrong"),
        prepare(&options, Wanted::ONE_BROKER).await.expect_err("it is wrong"),
    ] {
        let Error::Differs { topic, differences } = &error else { panic!("{error}") };
        assert_eq!(*topic, options.topics.users);
        let named: Vec<_> = differences.iter().map(|difference| difference.what).collect();
        assert_eq!(named, expected, "{error}");
    }
    let again = real::options(Partitions { users: 3, products: 2 });
    for _ in 0..2 {
        prepare(&again, Wanted::ONE_BROKER).await.expect("making twice is making once");
    }
    let error = prepare(&again, Wanted { replicas: 3, in_sync: 2, ..Wanted::ONE_BROKER }).await;
    assert!(matches!(error, Err(Error::Differs { .. })), "one broker keeps no three copies");
}
