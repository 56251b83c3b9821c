//! What a real Redis does to the view: it dies, forgets, expires, holds something else under a name.

mod real;

use std::time::Duration;

use redis::AsyncCommands as _;
use souk_model::view::{Command, Order, What};
use souk_runtime::conformance::cache::Stored;
use souk_runtime::ports::{Cache as _, Held};
use souk_store_redis::limits::{CONNECT_TIMEOUT, FAILURES_TO_OPEN, READ_TIMEOUT, RESPONSE_TIMEOUT};
use tokio::time::{Instant, sleep};

const DEADLINE: Duration = Duration::from_secs(60);

fn word(name: &str, value: &str, revision: u64, ttl: Option<i64>) -> Command {
    let what = What::Text { value: value.to_owned() };
    Command { name: name.to_owned(), what, order: Order { start: 0, revision }, ttl }
}

/// One at a time: they kill and empty the one server there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server() {
    a_value_that_expires_is_gone_and_may_be_written_again().await;
    a_name_that_holds_something_else_is_left_alone_and_fails_nothing().await;
    who_listens_is_told().await;
    who_asks_waits_for_no_server_that_is_away().await;
    a_dead_server_costs_little_and_is_written_to_again().await;
}

async fn a_value_that_expires_is_gone_and_may_be_written_again() {
    real::empty().await;
    let cache = real::open();
    let write = async |ttl| cache.write(vec![word("t:ttl", "v", 1, Some(ttl))]).await.expect("it answers");
    write(50).await;
    let ttl: i64 = real::operator().await.pttl("t:ttl").await.expect("it answers");
    assert!(ttl <= 50, "{ttl} ms");
    let end = Instant::now() + DEADLINE;
    while real::read("t:ttl").await.is_some() {
        assert!(Instant::now() < end);
        sleep(Duration::from_millis(10)).await;
    }
    write(60_000).await;
    assert_eq!(
        real::read("t:ttl").await,
        Some(Stored::Text("v".to_owned())),
        "the same revision, since nothing stands"
    );
}

async fn a_name_that_holds_something_else_is_left_alone_and_fails_nothing() {
    real::empty().await;
    let cache = real::open();
    let () = real::operator().await.set("t:other", "not ours").await.expect("it answers");
    let what = What::Field { field: "f".to_owned(), value: "v".to_owned() };
    let field =
        Command { name: "t:other".to_owned(), what, order: Order { start: 0, revision: 1 }, ttl: None };
    assert_eq!(cache.write(vec![field, word("t:ours", "v", 1, None)]).await, Ok(Held::Nothing));
    assert_eq!(real::read("t:other").await, Some(Stored::Text("not ours".to_owned())));
    assert_eq!(real::read("t:ours").await, Some(Stored::Text("v".to_owned())));
    assert_eq!(cache.figures().failures, 0);
}

async fn who_listens_is_told() {
    let client =
        redis::Client::open(format!("redis://{}/?protocol=resp3", real::server())).expect("an address");
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let config = redis::AsyncConnectionConfig::new().set_push_sender(told);
    let mut listener =
        client.get_multiplexed_async_connection_with_config(&config).await.expect("the server answers");
    let () = listener.subscribe("t:channel").await.expect("it answers");
    let what = What::Publish { row: "{\"a\":1}".to_owned() };
    let tell =
        Command { name: "t:channel".to_owned(), what, order: Order { start: 0, revision: 1 }, ttl: None };
    real::open().write(vec![tell]).await.expect("it answers");
    let message = tokio::time::timeout(DEADLINE, async {
        loop {
            let push = hears.recv().await.expect("the connection lives");
            if let Some(message) = redis::Msg::from_push_info(push) {
                return message;
            }
        }
    });
    let message = message.await.expect("somebody tells");
    assert_eq!(message.get_payload::<String>().expect("text"), "{\"a\":1}");
}

async fn who_asks_waits_for_no_server_that_is_away() {
    real::empty().await;
    let cache = real::open();
    assert!(cache.read("t:answer").await.is_err(), "who writes makes the connection");
    let what = What::Answer { bytes: vec![0, 255] };
    let answer =
        Command { name: "t:answer".to_owned(), what, order: Order { start: 0, revision: 1 }, ttl: None };
    cache.write(vec![answer]).await.expect("it answers");
    assert_eq!(cache.read("t:answer").await, Ok(Some(vec![0, 255])));
    real::services(&["kill", "redis"]);
    for _ in 0..=FAILURES_TO_OPEN {
        let began = Instant::now();
        assert!(cache.read("t:answer").await.is_err());
        assert!(began.elapsed() < READ_TIMEOUT + Duration::from_millis(500), "{:?}", began.elapsed());
    }
    real::services(&["up", "redis"]);
    let end = Instant::now() + DEADLINE;
    while cache.write(Vec::new()).await.is_err() {
        assert!(Instant::now() < end, "{:?}", cache.figures());
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(cache.read("t:answer").await, Ok(None), "it was emptied");
}

async fn a_dead_server_costs_little_and_is_written_to_again() {
    real::empty().await;
    let cache = real::open();
    let write =
        async |revision: u64| cache.write(vec![word("t:word", &revision.to_string(), revision, None)]).await;
    assert_eq!(write(1).await, Ok(Held::Nothing));
    real::services(&["kill", "redis"]);
    for revision in 2..2 + u64::from(FAILURES_TO_OPEN) {
        let began = Instant::now();
        assert!(write(revision).await.is_err());
        assert!(began.elapsed() < CONNECT_TIMEOUT + RESPONSE_TIMEOUT + Duration::from_secs(1));
    }
    assert!(cache.figures().open);
    let before = cache.figures().refused;
    assert!(write(9).await.is_err());
    assert_eq!(cache.figures().refused, before + 1, "nobody was asked");
    real::services(&["up", "redis"]);
    let end = Instant::now() + DEADLINE;
    while write(10).await != Ok(Held::Nothing) {
        assert!(Instant::now() < end, "{:?}", cache.figures());
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(real::read("t:word").await, Some(Stored::Text("10".to_owned())));
    assert!(!cache.figures().open);
}
