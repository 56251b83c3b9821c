//! What is wrong in itself is said at once, without a broker.

use std::time::Duration;

use souk_model::journal::Partitions;
use tokio::time::{Instant, timeout};

use crate::{Error, KafkaJournal, Options, Topics, Wanted, prepare};

/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";

fn options() -> Options {
    let topics = Topics { users: "souk.users".to_owned(), products: "souk.products".to_owned() };
    Options::new(vec![NOBODY.to_owned()], topics, Partitions { users: 2, products: 2 })
}

async fn refused(options: Options) -> Error {
    let opened = timeout(Duration::from_secs(1), KafkaJournal::open(options)).await;
    opened.expect("within a second").expect_err("it is wrong")
}

#[tokio::test]
async fn what_is_wrong_in_itself_is_refused_at_once() {
    type Change = fn(&mut Options);
    let wrong: [(&str, Change); 8] = [
        ("brokers", |options| options.brokers.clear()),
        ("brokers", |options| options.brokers = vec!["localhost".to_owned()]),
        ("brokers", |options| options.brokers = vec!["kafka://localhost:9092".to_owned()]),
        ("topics.users", |options| options.topics.users = "a topic".to_owned()),
        ("topics", |options| options.topics.products = options.topics.users.clone()),
        ("partitions", |options| options.partitions.users = 0),
        ("append_timeout", |options| options.append_timeout = Duration::ZERO),
        ("properties.acks", |options| drop(options.properties.insert("acks".to_owned(), "1".to_owned()))),
    ];
    for (named, change) in wrong {
        let mut options = options();
        change(&mut options);
        match refused(options).await {
            Error::Option { option, .. } => assert_eq!(option, named),
            other => panic!("{named}: {other}"),
        }
    }
}

#[tokio::test]
async fn security_this_build_has_not_is_refused_at_once() {
    for (key, value) in
        [("security.protocol", "ssl"), ("security.protocol", "nonsense"), ("ssl.ca.location", "/none")]
    {
        let mut options = options();
        options.properties.insert(key.to_owned(), value.to_owned());
        let error = refused(options).await;
        assert!(matches!(error, Error::Client { .. }), "{key}={value}: {error}");
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_waited_for_and_then_named() {
    let patience = Duration::from_millis(600);
    let began = Instant::now();
    let options = Options { patience, ..options() };
    let error = KafkaJournal::open(options.clone()).await.expect_err("nobody is there");
    assert!(began.elapsed() >= patience && began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let text = error.to_string();
    assert!(matches!(error, Error::NoBroker { .. }) && text.contains(NOBODY), "{text}");
    let error = prepare(&options, Wanted::ONE_BROKER).await.expect_err("nobody is there");
    assert!(matches!(error, Error::NoBroker { .. }), "{error}");
}

#[tokio::test]
async fn topics_that_would_lose_records_cannot_be_asked_for() {
    let short = Wanted { keep: Duration::from_secs(3_600), ..Wanted::CLUSTER };
    let many = Wanted { in_sync: 4, ..Wanted::CLUSTER };
    for wanted in [short, many] {
        let error = prepare(&options(), wanted).await.expect_err("it is wrong");
        assert!(matches!(error, Error::Option { .. }), "{error}");
    }
}
