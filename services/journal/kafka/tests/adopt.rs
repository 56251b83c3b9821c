//! A topic of others as the users journal: read in place, written beside, refused where it is not as declared.

mod real;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use souk_formats::Format;
use souk_journal_kafka::{
    Adoption, Error, KafkaJournal, Options, Sender, SenderOptions, Start, Wanted, prepare,
};
use souk_model::journal::{Entry, Form, Partitions, ShardId};
use souk_model::keying::{Keying, Partitioner, foreign_key};
use souk_model::output::Outputs;
use souk_model::owner::fold::{Fold as _, Progress};
use souk_model::planted::Planted;
use souk_model::record::{Record, actor_of};
use souk_model::settings::Settings;
use souk_model::shard::{Decoded, FOLD_VERSION, Shard, ShardConfig};
use souk_model::verdict::Reason;
use souk_proto::journal::v1 as journal;
use souk_proto::v1;
use souk_runtime::ports::{Journal, NewRecord};
use tokio::time::Instant;

const PARTITIONS: Partitions = Partitions { users: 3, products: 1 };
/// The longest a shard may be kept from what comes next by one message, whatever is in it.
const STALL: Duration = Duration::from_millis(100);

fn cartpulse() -> Arc<Format> {
    Format::named("cartpulse").expect("a built-in format")
}

fn adoption(partitioner: Partitioner, start: Start) -> Adoption {
    Adoption { format: cartpulse(), partitioner, start }
}

fn options(adopted: Adoption) -> Options {
    Options { adopted: Some(adopted), ..real::options(PARTITIONS) }
}

async fn filled(options: &Options, partitioner: Partitioner, messages: &[(String, Vec<u8>)]) {
    let topic = &options.topics.users;
    let sending = SenderOptions {
        partitioner,
        make: Some(PARTITIONS.users),
        ..SenderOptions::new(vec![real::broker()], topic)
    };
    let sender = Sender::open(sending).await.expect("the topic is made");
    for (key, message) in messages {
        sender.send(key.as_bytes(), message).await.expect("it is taken");
    }
    assert_eq!(sender.finish().await.expect("all arrive"), messages.len() as u64);
}

/// Makes the topic that is only ours.
async fn products(options: &Options) {
    let ours = Options { adopted: None, ..options.clone() };
    prepare(&ours, Wanted::ONE_BROKER).await.expect("the products topic is made");
}

fn now() -> i64 {
    // What a test's events are timed by.
    #[allow(clippy::disallowed_methods)]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

/// Page views, adds and checkouts of many users.
fn shopping(count: u64) -> Vec<(String, Vec<u8>)> {
    let (format, begin) = (cartpulse(), now());
    let message = |n: u64| {
        let user = format!("u-{}", n * 7 % 500);
        let amount =
            |minor_units| Some(v1::Money { currency_code: "USD".to_owned(), minor_units: Some(minor_units) });
        let kind = match n % 10 {
            0..6 => v1::event::Kind::PageView(v1::PageView {
                page: format!("/p/{}", n % 40),
                ..Default::default()
            }),
            6..9 => v1::event::Kind::CartStep(v1::CartStep {
                action: v1::cart_step::Action::Add.into(),
                line: Some(v1::Line {
                    product_id: format!("p-{}", n % 40),
                    quantity: Some(1 + (n % 3) as i32),
                    unit_price: amount(1_999),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            _ => v1::event::Kind::OrderStep(v1::OrderStep {
                stage: v1::order_step::Stage::Placed.into(),
                order_id: format!("o-{n}"),
                total: amount(5_000 + n as i64),
                ..Default::default()
            }),
        };
        let event = v1::Event {
            event_id: format!("e-{n}"),
            event_time: Some(souk_formats::time::timestamp(begin + n as i64 % 1_000)),
            user_id: user.clone(),
            session_id: format!("s-{user}"),
            kind: Some(kind),
            ..Default::default()
        };
        let mut message = Vec::new();
        assert!(format.encode(&event, &mut message));
        (user, message)
    };
    (0..count).map(message).collect()
}

fn shard(id: ShardId, keying: Keying) -> Shard {
    let mut shard = Shard::new(ShardConfig {
        id,
        partitions: PARTITIONS,
        keying,
        settings: Settings::builtin().text,
        library: Arc::default(),
        build_version: FOLD_VERSION,
        planted: Planted::default(),
    })
    .expect("the built-in settings are lawful");
    for section in (0..64).chain(128..256) {
        shard.load(section, &[]).expect("an empty section");
    }
    shard
}

/// Folds an entry, and says how long that kept the shard.
fn fold(shard: &mut Shard, entry: &Entry) -> Duration {
    let (began, mut out) = (Instant::now(), Outputs::default());
    while shard.step(entry, &mut out) == Progress::More {}
    began.elapsed()
}

async fn entries(journal: &dyn Journal, shard: ShardId) -> Vec<Entry> {
    let ends = journal.ends(shard).await.expect("the journal answers");
    let (mut next, mut all) = (ends.start, Vec::new());
    while next <= ends.end {
        let read = journal.read(shard, next, 1 << 20, Duration::ZERO).await.expect("the journal answers");
        next = read.entries.last().expect("something is there").offset + 1;
        all.extend(read.entries);
    }
    all
}

fn shards() -> impl Iterator<Item = ShardId> {
    (0..PARTITIONS.users).map(ShardId::users)
}

/// The record of ours that tells what an entry tells.
fn as_record(entry: &Entry) -> Entry {
    let Ok(Record::Event(event)) = Decoded::of(entry).record else { return entry.clone() };
    let record = journal::EventRecord { event: Some(event.event), stamps: Vec::new(), bridge: None };
    let record = journal::Record { body: Some(journal::record::Body::Event(record)) };
    Entry::new(entry.offset, entry.append_time, record.encode_to_vec().into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_in_place_fold_to_what_records_of_them_would_and_so_after_a_restart() {
    let how = adoption(Partitioner::Crc32, Start::Earliest);
    let options = options(how.clone());
    let messages = shopping(20_000);
    filled(&options, Partitioner::Crc32, &messages).await;
    prepare(&options, Wanted::ONE_BROKER).await.expect("it is as declared");
    let journal = real::open(&options).await;
    assert_eq!(journal.keying(), Keying::Adopted(Partitioner::Crc32));

    // Ours stand among theirs.
    let tick = journal::Record { body: Some(journal::record::Body::Tick(journal::Tick {})) };
    let tick: Bytes = tick.encode_to_vec().into();
    let ours: Vec<_> = shards().map(|shard| NewRecord { shard, bytes: tick.clone() }).collect();
    let at: Vec<u64> = journal.append(ours).await.iter().map(real::offset_of).collect();

    let mut digests = BTreeMap::new();
    let mut counted = 0;
    for id in shards() {
        let (mut theirs, mut records) = (shard(id, journal.keying()), shard(id, journal.keying()));
        let entries = entries(&*journal, id).await;
        assert!(
            entries.iter().map(|entry| entry.offset).eq(1..=entries.len() as u64),
            "{id}: one entry each"
        );
        let own: Vec<u64> =
            entries.iter().filter(|entry| entry.form == Form::Own).map(|entry| entry.offset).collect();
        assert_eq!(own, [at[usize::from(id.partition)]], "{id}: only what is marked is a record");
        for entry in &entries {
            fold(&mut theirs, entry);
            fold(&mut records, &as_record(entry));
        }
        assert_eq!(theirs.digest(), records.digest(), "{id}");
        counted += theirs.counts().counted;
        assert_eq!(theirs.counts().counted, theirs.counts().received, "{id}");
        digests.insert(id, theirs.digest());
    }
    assert_eq!(counted, messages.len() as u64, "every message counts once");

    let ends = journal.ends(ShardId::users(0)).await.expect("the journal answers");
    assert_eq!(ends.origin, Some(0));
    drop(journal);
    let again = real::open(&options).await;
    for id in shards() {
        let mut theirs = shard(id, again.keying());
        for entry in entries(&*again, id).await {
            fold(&mut theirs, &entry);
        }
        assert_eq!(theirs.digest(), digests[&id], "{id}: the same after a restart");
    }
    assert_eq!(again.ends(ShardId::users(0)).await.expect("the journal answers").topic_id, ends.topic_id);
    prepare(&options, Wanted::ONE_BROKER).await.expect("what was adopted is not judged again");
    let euros = souk_model::money::Currency::parse("EUR").expect("a currency");
    let otherwise = Adoption { format: Arc::new(how.format.with_currency(euros)), ..how };
    let otherwise = Options { adopted: Some(otherwise), ..options };
    let other = real::open(&otherwise).await.ends(ShardId::users(0)).await.expect("the journal answers");
    assert_ne!(other.topic_id, ends.topic_id, "read in another way it is another journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_told_with_its_reason_and_stalls_no_shard() {
    const POISON: usize = 100_000;
    let options = options(adoption(Partitioner::Murmur2, Start::Earliest));
    let topic = options.topics.users.clone();
    make(&topic, &[("message.timestamp.type", "LogAppendTime"), ("max.message.bytes", "16777216")]).await;
    let good = shopping(600);
    let key = |n: usize| format!("u-{}", n % 500);
    let text = String::from_utf8(good[0].1.clone()).expect("text");
    // The first names its own partition and lies elsewhere.
    let poison = move |n: usize| -> Vec<u8> {
        match n % 5 {
            0 => b"\xff\xfe{".to_vec(),
            1 => text.replace("\"u-0\"", &format!("{{\"n\":{n}}}")).into_bytes(),
            2 => {
                let late = "2099-01-01T00:00:00Z";
                let at = text.find("\"timestamp\":\"").expect("a time") + 13;
                let end = at + text[at..].find('"').expect("its end");
                format!("{}{late}{}", &text[..at], &text[end..])
                    .replace("\"u-0\"", &format!("\"{}\"", key(n)))
                    .into_bytes()
            }
            3 => text.replace("\"u-0\"", "\"somebody-else\"").into_bytes(),
            _ => b"[1,2".to_vec(),
        }
    };
    tokio::task::spawn_blocking(move || {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", real::broker())
            .set("message.max.bytes", "16000000")
            .set("queue.buffering.max.messages", "200000")
            .set("partitioner", "murmur2_random")
            .create()
            .expect("a producer");
        let send = |key: &str, partition: Option<i32>, payload: &[u8]| {
            let record = BaseRecord::<str, [u8]>::to(&topic).key(key).payload(payload);
            let record = partition.into_iter().fold(record, BaseRecord::partition);
            producer.send(record).map_err(|(error, _)| error).expect("it is taken");
        };
        let elsewhere =
            (Partitioner::Murmur2.partition(b"somebody-else", PARTITIONS.users) + 1) % PARTITIONS.users;
        for n in 0..POISON {
            send(&key(n), (n % 5 == 3).then_some(i32::from(elsewhere)), &poison(n));
            if n % 1_000 == 0 {
                send(&good[n / 1_000].0, None, &good[n / 1_000].1);
            }
        }
        send("big", None, &vec![b' '; 10 << 20]);
        for (key, message) in &good[100..] {
            send(key, None, message);
        }
        producer.flush(Duration::from_secs(60)).expect("all arrive");
    })
    .await
    .expect("it is sent");

    products(&options).await;
    let journal = real::open(&options).await;
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    let (mut counted, mut rejected, mut longest) = (0, 0, Duration::ZERO);
    for id in shards() {
        let mut shard = shard(id, journal.keying());
        for entry in entries(&*journal, id).await {
            longest = longest.max(fold(&mut shard, &entry));
            if let Some((_, letter)) =
                shard.dead_letters(None).last().filter(|(at, _)| at.position == entry.offset)
            {
                *reasons.entry(letter.refusal.reason.as_str_name().to_owned()).or_default() += 1;
                assert!(!letter.refusal.message.is_empty());
                let original = &letter.original[..];
                assert_eq!(original, &entry.bytes[..original.len()], "what arrived is what is shown");
            }
        }
        counted += shard.counts().counted;
        rejected += shard.counts().rejected;
        assert!(shard.counts().add_up(), "{id}");
    }
    assert_eq!((counted, rejected), (600, POISON as u64 + 1), "{reasons:?}");
    let of = |reason: Reason| reasons.get(reason.as_str_name()).copied().unwrap_or_default();
    assert_eq!(of(Reason::PayloadUndecodable), 40_000, "{reasons:?}");
    assert_eq!(of(Reason::FieldInvalid), 20_000, "{reasons:?}");
    assert_eq!(of(Reason::TimeOutOfRange), 20_000, "{reasons:?}");
    assert_eq!(of(Reason::KeyPartitionMismatch), 20_000, "{reasons:?}");
    assert_eq!(of(Reason::MessageTooLarge), 1, "{reasons:?}");
    println!("longest step over {} records: {longest:?}", POISON + 601);
    assert!(longest < STALL, "a message kept its shard for {longest:?}");
}

fn admin() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", real::broker()).create().expect("an admin client")
}

async fn make(topic: &str, settings: &[(&str, &str)]) {
    let new = NewTopic::new(topic, i32::from(PARTITIONS.users), TopicReplication::Fixed(1));
    let new = settings.iter().fold(new, |new, (name, value)| new.set(name, value));
    let new = new.set("retention.ms", "-1").set("retention.bytes", "-1");
    let made = admin().create_topics([&new], &AdminOptions::new()).await.expect("the broker answers");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while Sender::open(SenderOptions::new(vec![real::broker()], topic)).await.is_err() {
        assert!(Instant::now() < deadline, "the topic is known in time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_not_as_declared_is_refused_with_a_way_out() {
    let fits = options(adoption(Partitioner::Murmur2, Start::Earliest));
    let error = prepare(&fits, Wanted::ONE_BROKER).await.expect_err("nothing is there");
    assert!(matches!(&error, Error::NoTopic { topic } if *topic == fits.topics.users), "{error}");

    filled(&fits, Partitioner::Fnv1a, &shopping(2_000)).await;
    let error = prepare(&fits, Wanted::ONE_BROKER).await.expect_err("another hash").to_string();
    assert!(error.contains("by fnv1a all 2000 looked at lie right"), "{error}");
    let right = adoption(Partitioner::Fnv1a, Start::Earliest);
    let right = Options { adopted: Some(right), ..fits };
    prepare(&right, Wanted::ONE_BROKER).await.expect("it is as declared");
    let wider = Options { partitions: Partitions { users: 4, products: 1 }, ..right };
    let error = prepare(&wider, Wanted::ONE_BROKER).await.expect_err("more partitions");
    assert!(error.to_string().contains("the number of partitions is 3, must be 4"), "{error}");

    let by_event: Vec<_> =
        shopping(2_000).into_iter().enumerate().map(|(n, (_, text))| (format!("e-{n}"), text)).collect();
    let keyless = options(adoption(Partitioner::Murmur2, Start::Earliest));
    filled(&keyless, Partitioner::Murmur2, &by_event).await;
    let error = prepare(&keyless, Wanted::ONE_BROKER).await.expect_err("keyed by the event").to_string();
    assert!(error.contains("bridge it instead"), "{error}");

    let theirs = options(adoption(Partitioner::Murmur2, Start::Earliest));
    make(&theirs.topics.users, &[("max.message.bytes", "2000000")]).await;
    filled(&theirs, Partitioner::Murmur2, &shopping(10)).await;
    let error = KafkaJournal::open(theirs.clone()).await.expect_err("times of producers").to_string();
    assert!(error.contains("message.timestamp.type is CreateTime, must be LogAppendTime"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_begins_where_it_is_told() {
    let earliest = options(adoption(Partitioner::Murmur2, Start::Earliest));
    filled(&earliest, Partitioner::Murmur2, &shopping(300)).await;
    products(&earliest).await;
    let ends = |options: Options| async move {
        let journal = real::open(&options).await;
        let mut all = Vec::new();
        for id in shards() {
            all.push(journal.ends(id).await.expect("the journal answers"));
        }
        all
    };
    let before = ends(earliest.clone()).await;
    assert!(before.iter().all(|ends| ends.origin == Some(0)));
    let between = now() + 1;
    tokio::time::sleep(Duration::from_millis(5)).await;
    filled(&earliest, Partitioner::Murmur2, &shopping(300)).await;
    let at = |start| Options { adopted: Some(adoption(Partitioner::Murmur2, start)), ..earliest.clone() };
    for (start, origin) in [
        (Start::Latest, before.iter().map(|ends| ends.end * 2).collect::<Vec<_>>()),
        (Start::At(between), before.iter().map(|ends| ends.end).collect()),
        (Start::At(0), vec![0; before.len()]),
        (Start::At(between + 3_600_000), before.iter().map(|ends| ends.end * 2).collect()),
    ] {
        let found: Vec<u64> = ends(at(start)).await.iter().filter_map(|ends| ends.origin).collect();
        assert_eq!(found, origin, "{start:?}");
    }
}

/// librdkafka's own hashes against ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_are_those_of_the_producers() {
    for partitioner in Partitioner::ALL {
        let options = options(adoption(partitioner, Start::Earliest));
        filled(&options, partitioner, &shopping(1_000)).await;
        products(&options).await;
        let journal = real::open(&options).await;
        for id in shards() {
            for entry in entries(&*journal, id).await {
                let event = Decoded::of(&entry).record;
                let Ok(Record::Event(event)) = event else { panic!("{partitioner}: {event:?}") };
                assert_eq!(foreign_key(&actor_of(&event.event)), event.event.user_id);
            }
        }
    }
}
