//! The journal port: what [`Journal`] promises, sentence by sentence. Every check gets a journal of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use souk_model::journal::{Entry, Partitions, ShardId};
use souk_model::limits::RECORD_BYTES;
use tokio::time::{Instant, timeout};

use crate::ports::{Appended, Journal, Line, NewRecord, Refused};

/// More than any check takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// Bytes asked of a read.
const READ_BYTES: usize = 64 << 10;
const A: ShardId = ShardId::users(0);
const B: ShardId = ShardId::users(1);
const C: ShardId = ShardId::products(0);

/// Runs every check. `make` gives a new, empty journal with two partitions or more of each kind; one that keeps its newest entries in
/// memory should keep less than a megabyte of them.
pub async fn suite(make: impl AsyncFn() -> Arc<dyn Journal>) {
    empty_partitions(&*make().await).await;
    offsets_start_at_one_and_rise_by_one(&*make().await).await;
    one_append_reaches_many_partitions(&*make().await).await;
    concurrent_appends_keep_their_order(make().await).await;
    a_dropped_append_is_not_taken_back(make().await).await;
    nothing_of_a_line_stands_behind_what_was_refused(&*make().await).await;
    what_is_too_large_is_refused_alone(&*make().await).await;
    a_partition_that_is_not_there_is_refused(&*make().await).await;
    a_read_gives_one_entry_at_least_and_keeps_to_its_bytes(&*make().await).await;
    a_read_at_the_end_waits_no_longer_than_told(&*make().await).await;
    a_read_at_the_end_wakes(make().await).await;
    everyone_who_waits_wakes(make().await).await;
    what_was_answered_can_be_read(&*make().await).await;
    old_entries_are_read_whole(&*make().await).await;
    releasing_takes_nothing_that_was_not_released(&*make().await).await;
}

fn record(shard: ShardId, text: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord { shard, bytes: Bytes::from(text.into()) }
}

fn offset_of(outcome: &Appended) -> u64 {
    match outcome {
        Appended::At { offset, .. } => *offset,
        other => panic!("an append was answered with {other:?}"),
    }
}

async fn append(journal: &dyn Journal, records: Vec<NewRecord>) -> Vec<u64> {
    let count = records.len();
    let outcomes = timeout(DEADLINE, journal.append(records)).await.expect("an append is answered");
    assert_eq!(outcomes.len(), count, "one outcome per record");
    outcomes.iter().map(offset_of).collect()
}

/// All entries of a partition, checked to be dense from the first on.
async fn read_all(journal: &dyn Journal, shard: ShardId) -> Vec<Entry> {
    let ends = journal.ends(shard).await.expect("the journal answers");
    let mut all: Vec<Entry> = Vec::new();
    let mut next = ends.start;
    while next <= ends.end {
        let read = timeout(DEADLINE, journal.read(shard, next, READ_BYTES, Duration::ZERO)).await;
        let read = read.expect("a read is answered").expect("the journal answers");
        assert!(!read.entries.is_empty(), "{shard}: nothing at {next}, though the end is {}", ends.end);
        assert!(read.end >= ends.end, "{shard}: the end went back");
        for entry in read.entries {
            assert_eq!(entry.offset, next, "{shard}: entries are dense and in order");
            next += 1;
            all.push(entry);
        }
    }
    all
}

async fn texts(journal: &dyn Journal, shard: ShardId) -> Vec<String> {
    let entries = read_all(journal, shard).await;
    entries.iter().map(|entry| String::from_utf8_lossy(&entry.bytes).into_owned()).collect()
}

async fn empty_partitions(journal: &dyn Journal) {
    let Partitions { users, products } = journal.partitions();
    assert!(users >= 2 && products >= 2, "the suite needs two partitions of each kind");
    let all = (0..users).map(ShardId::users).chain((0..products).map(ShardId::products));
    for shard in all {
        let ends = journal.ends(shard).await.expect("the journal answers");
        let partitions = if shard == ShardId::users(shard.partition) { users } else { products };
        assert_eq!((ends.start, ends.end, ends.partitions), (1, 0, partitions), "{shard}");
        let read = journal.read(shard, 1, READ_BYTES, Duration::ZERO).await.expect("the journal answers");
        assert_eq!((read.entries.len(), read.end), (0, 0), "{shard}");
    }
    assert!(append(journal, Vec::new()).await.is_empty());
}

async fn offsets_start_at_one_and_rise_by_one(journal: &dyn Journal) {
    for n in 1..=20_u64 {
        assert_eq!(append(journal, vec![record(A, format!("a{n}"))]).await, [n]);
        if n % 3 == 0 {
            assert_eq!(append(journal, vec![record(C, format!("c{n}"))]).await, [n / 3]);
        }
    }
    let expected: Vec<_> = (1..=20).map(|n| format!("a{n}")).collect();
    assert_eq!(texts(journal, A).await, expected);
    assert_eq!(texts(journal, A).await, expected, "what was read is read again");
    let before = journal.ends(A).await.expect("the journal answers");
    assert_eq!((before.start, before.end), (1, 20));
    append(journal, vec![record(A, "later")]).await;
    let after = journal.ends(A).await.expect("the journal answers");
    assert_eq!((after.topic_id, after.end), (before.topic_id, 21), "a topic keeps its identity");
    assert_eq!(journal.ends(B).await.expect("the journal answers").end, 0);
}

async fn one_append_reaches_many_partitions(journal: &dyn Journal) {
    let Partitions { users, products } = journal.partitions();
    let shards: Vec<_> = (0..users).map(ShardId::users).chain((0..products).map(ShardId::products)).collect();
    let records: Vec<_> =
        (0..100).flat_map(|n| shards.iter().map(move |s| record(*s, format!("{s} {n}")))).collect();
    let offsets = append(journal, records).await;
    for (n, round) in offsets.chunks(shards.len()).enumerate() {
        assert!(round.iter().all(|offset| *offset == n as u64 + 1), "each partition counts for itself");
    }
    for shard in shards {
        let expected: Vec<_> = (0..100).map(|n| format!("{shard} {n}")).collect();
        assert_eq!(texts(journal, shard).await, expected);
    }
}

async fn concurrent_appends_keep_their_order(journal: Arc<dyn Journal>) {
    const CALLERS: usize = 8;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let mut all = Vec::new();
                for batch in 0..20 {
                    let text = |n| format!("{caller} {:05}", batch * 10 + n);
                    let records = (0..10).map(|n| record(A, text(n))).collect();
                    let offsets = append(&*journal, records).await;
                    assert!(offsets.is_sorted(), "an append keeps the order of its records");
                    all.extend(offsets.into_iter().zip((0..10).map(text)));
                }
                all
            })
        })
        .collect();
    let mut told = Vec::new();
    for caller in callers {
        let mine = caller.await.expect("a caller ends");
        assert!(mine.is_sorted(), "one append after the other keeps their order");
        told.extend(mine);
    }
    told.sort();
    let read: Vec<_> = (1..).zip(texts(&*journal, A).await).collect();
    assert_eq!(told, read, "every record stands where its caller was told, and none twice");
}

async fn a_dropped_append_is_not_taken_back(journal: Arc<dyn Journal>) {
    let appending = Arc::clone(&journal);
    let caller = tokio::spawn(async move { appending.append(vec![record(A, "left alone")]).await });
    // Either it is in the journal by now, or it was dropped before it began: never half of it, and never in the way of others.
    tokio::task::yield_now().await;
    caller.abort();
    drop(caller.await);
    let [last] = append(&*journal, vec![record(A, "after")]).await[..] else { panic!("one outcome") };
    let found = texts(&*journal, A).await;
    assert_eq!(found.len() as u64, last);
    assert_eq!(found.last().map(String::as_str), Some("after"));
}

async fn nothing_of_a_line_stands_behind_what_was_refused(journal: &dyn Journal) {
    const UNAVAILABLE: Appended = Appended::Refused(Refused::Unavailable);
    let line = Line::default();
    let mut under_way = Vec::new();
    for n in 0..20 {
        under_way.push(journal.enqueue(vec![record(A, format!("{n}"))], Some(&line)).await);
    }
    for (offset, appending) in (1..).zip(under_way) {
        let became = timeout(DEADLINE, appending).await.expect("an append is answered");
        assert_eq!(became.iter().map(offset_of).collect::<Vec<_>>(), [offset]);
    }
    assert!(!line.has_ended());

    let nowhere = ShardId::users(journal.partitions().users);
    assert_eq!(journal.enqueue(vec![record(nowhere, "lost")], Some(&line)).await.await, [UNAVAILABLE]);
    assert!(line.has_ended(), "before anybody hears of it");
    assert_eq!(journal.enqueue(vec![record(A, "behind")], Some(&line)).await.await, [UNAVAILABLE]);
    let again = journal.enqueue(vec![record(A, "again")], Some(&Line::default())).await.await;
    assert_eq!(offset_of(&again[0]), 21, "another line is another matter");
}

async fn what_is_too_large_is_refused_alone(journal: &dyn Journal) {
    let records = vec![
        record(A, "before"),
        record(A, vec![1; RECORD_BYTES + 1]),
        record(A, vec![2; RECORD_BYTES]),
        record(A, "after"),
        record(A, ""),
    ];
    let outcomes = journal.append(records).await;
    assert_eq!(outcomes[1], Appended::Refused(Refused::TooLarge));
    let offsets: Vec<_> = [0, 2, 3, 4].iter().map(|n| offset_of(&outcomes[*n])).collect();
    assert_eq!(offsets, [1, 2, 3, 4]);
    let sizes: Vec<_> = read_all(journal, A).await.iter().map(|entry| entry.bytes.len()).collect();
    assert_eq!(sizes, [6, RECORD_BYTES, 5, 0], "as they were handed in, the empty one too");
}

async fn a_partition_that_is_not_there_is_refused(journal: &dyn Journal) {
    let nowhere = ShardId::users(journal.partitions().users);
    let outcomes = journal.append(vec![record(nowhere, "lost"), record(A, "kept")]).await;
    assert_eq!(outcomes[0], Appended::Refused(Refused::Unavailable));
    assert_eq!(offset_of(&outcomes[1]), 1);
    assert!(journal.ends(nowhere).await.is_err());
    assert!(journal.read(nowhere, 1, READ_BYTES, Duration::ZERO).await.is_err());
}

async fn a_read_gives_one_entry_at_least_and_keeps_to_its_bytes(journal: &dyn Journal) {
    append(journal, (0..50).map(|n| record(B, vec![n; 100])).collect()).await;
    for from in [1, 17, 50] {
        let read = journal.read(B, from, 0, Duration::ZERO).await.expect("the journal answers");
        assert_eq!(
            read.entries.first().map(|entry| entry.offset),
            Some(from),
            "one entry, however few bytes"
        );
        assert_eq!(read.end, 50);
        let read = journal.read(B, from, 250, Duration::ZERO).await.expect("the journal answers");
        let bytes: usize = read.entries.iter().map(|entry| entry.bytes.len()).sum();
        assert!((100..=250).contains(&bytes), "{bytes} bytes where 250 were asked for");
    }
    let read = journal.read(B, 0, READ_BYTES, Duration::ZERO).await.expect("the journal answers");
    assert_eq!(
        read.entries.first().map(|entry| entry.offset),
        Some(1),
        "from before the first: from the first"
    );
}

async fn a_read_at_the_end_waits_no_longer_than_told(journal: &dyn Journal) {
    append(journal, vec![record(A, "one"), record(B, "other")]).await;
    let wait = Duration::from_millis(30);
    let before = Instant::now();
    let read = timeout(DEADLINE, journal.read(A, 2, READ_BYTES, wait)).await.expect("a read comes back");
    let read = read.expect("the journal answers");
    assert_eq!((read.entries.len(), read.end), (0, 1));
    assert!(before.elapsed() >= wait, "it waited");
    let far = journal.read(A, 9, READ_BYTES, Duration::ZERO).await.expect("the journal answers");
    assert_eq!((far.entries.len(), far.end), (0, 1), "beyond the end there is nothing yet");
}

async fn a_read_at_the_end_wakes(journal: Arc<dyn Journal>) {
    for round in 1..=20 {
        let reading = Arc::clone(&journal);
        let reader = tokio::spawn(async move { reading.read(C, round, READ_BYTES, DEADLINE).await });
        tokio::task::yield_now().await;
        append(&*journal, vec![record(A, "elsewhere")]).await;
        append(&*journal, vec![record(C, format!("c{round}"))]).await;
        let read = timeout(DEADLINE, reader)
            .await
            .expect("it wakes")
            .expect("it ends")
            .expect("the journal answers");
        assert_eq!(read.entries.first().map(|entry| entry.offset), Some(round));
        assert_eq!(read.end, round);
    }
}

async fn everyone_who_waits_wakes(journal: Arc<dyn Journal>) {
    let readers: Vec<_> = (0..16)
        .map(|_| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move { journal.read(B, 1, READ_BYTES, DEADLINE).await })
        })
        .collect();
    tokio::task::yield_now().await;
    append(&*journal, vec![record(B, "for all")]).await;
    for reader in readers {
        let read = timeout(DEADLINE, reader)
            .await
            .expect("it wakes")
            .expect("it ends")
            .expect("the journal answers");
        assert_eq!(&read.entries[0].bytes[..], b"for all");
    }
}

async fn what_was_answered_can_be_read(journal: &dyn Journal) {
    for n in 1..=50 {
        let [Appended::At { offset, append_time }] =
            journal.append(vec![record(A, format!("{n}"))]).await[..]
        else {
            panic!("one outcome, and it is durable")
        };
        let read = journal.read(A, offset, READ_BYTES, Duration::ZERO).await.expect("the journal answers");
        let [entry] = &read.entries[..] else { panic!("exactly what was answered is there") };
        assert_eq!((entry.offset, entry.append_time), (offset, append_time));
        assert_eq!(entry.bytes, format!("{n}"));
    }
}

async fn old_entries_are_read_whole(journal: &dyn Journal) {
    const RECORDS: u64 = 20_000;
    let text = |n: u64| format!("{n:0200}");
    for batch in 0..RECORDS / 500 {
        let shards = [A, B, C];
        let records = |n| shards.iter().map(move |shard| record(*shard, text(n)));
        append(journal, (batch * 500 + 1..=batch * 500 + 500).flat_map(records).collect()).await;
    }
    for shard in [A, B, C] {
        let all = read_all(journal, shard).await;
        assert_eq!(all.len() as u64, RECORDS);
        assert!(
            (1..).zip(&all).all(|(n, entry)| entry.bytes == text(n)),
            "{shard}: the bytes are those appended"
        );
    }
    for from in [1, 2, 7_777, RECORDS - 1, RECORDS] {
        let read = journal.read(B, from, 1, Duration::ZERO).await.expect("the journal answers");
        assert_eq!((read.entries[0].offset, read.end), (from, RECORDS));
        assert_eq!(read.entries[0].bytes, text(from));
    }
}

async fn releasing_takes_nothing_that_was_not_released(journal: &dyn Journal) {
    append(journal, (0..100).map(|n| record(A, format!("{n}"))).collect()).await;
    journal.release(A, 40);
    journal.release(A, 10);
    append(journal, (100..200).map(|n| record(A, format!("{n}"))).collect()).await;
    let ends = journal.ends(A).await.expect("the journal answers");
    assert!(ends.start <= 41 && ends.end == 200, "{ends:?}");
    let read = journal.read(A, 1, READ_BYTES, Duration::ZERO).await.expect("the journal answers");
    assert!((1..=41).contains(&read.entries[0].offset), "an offset that is gone gives the entries after it");
    let kept: Vec<_> = (ends.start - 1..200).map(|n| n.to_string()).collect();
    assert_eq!(texts(journal, A).await, kept);
}
