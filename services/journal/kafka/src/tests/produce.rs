//! The producer without a broker: what becomes of records that cannot leave.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use souk_model::journal::{Partitions as Counts, ShardId};
use souk_runtime::ports::{Appended, Line, NewRecord, Refused};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::layout::Layout;
use crate::limits::RECORD_BYTES;
use crate::partition::Partitions;
use crate::produce::Producer;
use crate::{Options, Topics};

/// How long a record may be under way.
const SOON: Duration = Duration::from_millis(200);

fn producer(timeout: Option<Duration>) -> Producer {
    let topics = Topics { users: "u".to_owned(), products: "p".to_owned() };
    let counts = Counts { users: 2, products: 2 };
    let options = Options::new(vec!["127.0.0.1:1".to_owned()], topics, counts);
    let layout = Arc::new(Layout::new(&options));
    let partitions = Arc::new(Partitions::new(layout.len(), Instant::now()));
    Producer::new(&options, timeout, layout, partitions).expect("it needs no broker yet")
}

async fn send(producer: &Producer, room: &Arc<Semaphore>, records: &[NewRecord]) -> Vec<Appended> {
    let room = Arc::clone(room).acquire_owned().await.expect("there is room");
    producer.send(records, None, room).await.expect("it is answered")
}

fn record(shard: ShardId, bytes: usize) -> NewRecord {
    NewRecord { shard, bytes: Bytes::from(vec![0; bytes]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_is_refused_and_gives_its_room_back() {
    let (producer, room) = (producer(Some(SOON)), Arc::new(Semaphore::new(1)));
    let records = [
        record(ShardId::users(0), 3),
        record(ShardId::users(2), 3),
        record(ShardId::products(1), RECORD_BYTES + 1),
        record(ShardId::products(1), 0),
    ];
    let unavailable = Appended::Refused(Refused::Unavailable);
    let expected = [unavailable, unavailable, Appended::Refused(Refused::TooLarge), unavailable];
    for _ in 0..2 {
        assert_eq!(send(&producer, &room, &records).await, expected);
    }
    assert_eq!(room.available_permits(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_failed_for_good_is_replaced() {
    let (producer, room) = (producer(Some(SOON)), Arc::new(Semaphore::new(1)));
    producer.end();
    let outcomes = send(&producer, &room, &[record(ShardId::users(0), 1)]).await;
    assert_eq!(outcomes, [Appended::Refused(Refused::Unavailable)], "it takes nothing any more");
    let deadline = Instant::now() + Duration::from_secs(10);
    while producer.has_ended() {
        assert!(Instant::now() < deadline, "another takes its place");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_line_is_not_given_up_and_nothing_passes_what_was_refused() {
    let (producer, room) = (producer(None), Arc::new(Semaphore::new(2)));
    let waits = Line::default();
    let permit = Arc::clone(&room).acquire_owned().await.expect("there is room");
    let waiting = producer.send(&[record(ShardId::users(0), 1)], Some(waits.clone()), permit);
    assert!(timeout(3 * SOON, waiting).await.is_err(), "it waits for the broker");
    assert!(!waits.has_ended(), "what stands behind it still does");

    let line = Line::default();
    let nowhere = [record(ShardId::users(2), 1), record(ShardId::users(0), 1)];
    let permit = Arc::clone(&room).acquire_owned().await.expect("there is room");
    drop(producer.send(&nowhere, Some(line.clone()), permit));
    assert!(line.has_ended());
    producer.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_ended_takes_nothing_more() {
    let (producer, room) = (producer(None), Arc::new(Semaphore::new(1)));
    let line = Line::default();
    line.end();
    let permit = Arc::clone(&room).acquire_owned().await.expect("there is room");
    let outcomes = producer.send(&[record(ShardId::users(0), 1)], Some(line), permit).await;
    assert_eq!(outcomes, Ok(vec![Appended::Refused(Refused::Unavailable)]));
}
