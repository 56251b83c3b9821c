//! A directory opened again: what is fixed, what rises, what goes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use souk_journal::{ClockKind, Durability, EmbeddedJournal, Error, OnFatal, Options, Retention};
use souk_model::journal::{Partitions, ShardId};
use souk_model::time::Millis;
use souk_runtime::ports::{Appended, Clock, Journal, NewRecord};
use tokio::time::timeout;

const SHARD: ShardId = ShardId::users(1);
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Millis {
        1_700_000_000_000
    }
}

fn options(dir: &Path) -> Options {
    let on_fatal = OnFatal::new(|error| panic!("{error}"));
    Options::new(dir.join("journal"), Partitions { users: 2, products: 1 }, 4_711, on_fatal)
}

fn open(options: Options) -> Result<EmbeddedJournal, Error> {
    EmbeddedJournal::open(options, Arc::new(Noon))
}

async fn append(journal: &EmbeddedJournal, texts: &[String]) {
    let record = |text: &String| NewRecord { shard: SHARD, bytes: Bytes::from(text.clone()) };
    let outcomes = journal.append(texts.iter().map(record).collect()).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Appended::At { .. })), "{outcomes:?}");
}

async fn texts(journal: &EmbeddedJournal) -> Vec<String> {
    let ends = journal.ends(SHARD).await.expect("it answers");
    let mut texts = Vec::new();
    while ends.start + (texts.len() as u64) <= ends.end {
        let next = ends.start + texts.len() as u64;
        let read = journal.read(SHARD, next, 1 << 20, Duration::ZERO).await.expect("it answers");
        texts.extend(read.entries.iter().map(|entry| String::from_utf8_lossy(&entry.bytes).into_owned()));
    }
    texts
}

#[tokio::test]
async fn everything_is_there_again_under_a_higher_incarnation() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut expected = Vec::new();
    for start in 1..=4 {
        let durability =
            if start % 2 == 0 { Durability::Fsync } else { Durability::Interval(Duration::from_secs(60)) };
        let journal =
            open(Options { durability, new_topic_id: start, ..options(dir.path()) }).expect("it opens");
        assert_eq!((journal.incarnation(), journal.topic_id()), (start, 1), "a directory keeps its topic");
        assert_eq!(texts(&journal).await, expected);
        let more: Vec<_> = (0..1_000).map(|n| format!("{start} {n}")).collect();
        append(&journal, &more).await;
        expected.extend(more);
        assert_eq!(texts(&journal).await, expected);
    }
}

#[tokio::test]
async fn what_is_fixed_cannot_be_asked_for_otherwise() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(options(dir.path())).expect("it opens"));
    let asked = |partitions, clock_kind| Options { partitions, clock_kind, ..options(dir.path()) };
    let same = Partitions { users: 2, products: 1 };
    for (asked, what, has, wanted) in [
        (asked(Partitions { users: 4, ..same }, ClockKind::Live), "users partitions", "2", "4"),
        (asked(Partitions { products: 3, ..same }, ClockKind::Live), "products partitions", "1", "3"),
        (asked(same, ClockKind::History), "clock", "live", "history"),
    ] {
        let error = open(asked).expect_err("it differs");
        assert!(error.to_string().contains(&format!("{what} {has}, but {wanted} was asked for")), "{error}");
        assert!(matches!(error, Error::Differs { .. }));
    }
    assert_eq!(open(options(dir.path())).expect("it opens").clock_kind(), ClockKind::Live);
}

#[tokio::test]
async fn one_process_at_a_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = open(options(dir.path())).expect("it opens");
    assert!(matches!(open(options(dir.path())), Err(Error::InUse { .. })));
    drop(first);
    open(options(dir.path())).expect("it opens");
}

#[test]
fn options_out_of_bounds_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let none = Partitions { users: 0, products: 1 };
    for wrong in [
        Options { partitions: none, ..options(dir.path()) },
        Options { segment_bytes: 10, ..options(dir.path()) },
        Options { durability: Durability::Interval(Duration::ZERO), ..options(dir.path()) },
    ] {
        assert!(matches!(open(wrong), Err(Error::Option { .. })));
    }
}

#[tokio::test]
async fn released_segments_go_and_the_rest_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let small = || Options {
        segment_bytes: 16 << 10,
        tail_bytes: 0,
        retention: Retention { keep: Duration::from_secs(3_600), most_bytes: 64 << 10 },
        ..options(dir.path())
    };
    let journal = open(small()).expect("it opens");
    let all: Vec<_> = (0..2_000).map(|n| format!("{n:0100}")).collect();
    for batch in all.chunks(50) {
        append(&journal, batch).await;
    }
    let before = journal.footprint();
    assert!(before.bytes > 200 << 10, "nothing goes that was not released: {before:?}");
    journal.release(SHARD, 1_900);
    // The writer looks now and then.
    let gone = async {
        while journal.footprint().bytes > 64 << 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, gone).await.expect("what was released goes");
    let start = journal.ends(SHARD).await.expect("it answers").start;
    assert!((2..=1_901).contains(&start), "{start}");
    assert_eq!(texts(&journal).await, all[start as usize - 1..]);
    let read = journal.read(SHARD, 1, 1_000, Duration::ZERO).await.expect("it answers");
    assert_eq!(read.entries[0].offset, start, "what is gone gives the entries after it");
    drop(journal);
    let journal = open(small()).expect("it opens");
    assert_eq!(journal.ends(SHARD).await.expect("it answers").start, start);
    assert_eq!(texts(&journal).await, all[start as usize - 1..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_queue_takes_waits_its_turn() {
    let dir = tempfile::tempdir().expect("a directory");
    let journal = Arc::new(open(options(dir.path())).expect("it opens"));
    let body = Bytes::from(vec![7; 100_000]);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (journal, body) = (Arc::clone(&journal), body.clone());
            let records = vec![NewRecord { shard: SHARD, bytes: body }; 150];
            tokio::spawn(async move { journal.append(records).await })
        })
        .collect();
    for caller in callers {
        let outcomes = timeout(DEADLINE, caller).await.expect("it is answered").expect("it ends");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Appended::At { .. })));
    }
    assert_eq!(journal.ends(SHARD).await.expect("it answers").end, 1_200);
}
