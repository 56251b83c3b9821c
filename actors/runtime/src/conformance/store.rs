//! The store port: every sentence of its contract, as questions to an implementation.
//!
//! It panics at the first answer that is wrong. An implementation is asked while nothing disturbs it but load: see [`Patient`].

use futures_util::future::join_all;
use souk_model::cut::manifest::{Condition, Manifest, SectionSummary};
use souk_model::cut::segment::{HEADER, ROWS, Segment, SegmentId};
use souk_model::journal::ShardId;
use souk_model::owner::{CasOutcome, WriteOutcome};

use super::patient::Patient;
use crate::ports::Store;

const USERS: ShardId = ShardId::users(3);
/// Same number, other journal: not the same shard.
const PRODUCTS: ShardId = ShardId::products(3);
/// Writers that contend for one manifest.
const CONTENDERS: u64 = 24;
/// A blob far larger than a page, a packet or a group commit.
const BIG: usize = 5 << 20;

/// Runs everything. `make(None)` gives a store with nothing in it; `make(Some(store))` closes a store and opens what it held.
pub async fn suite<S: Store>(mut make: impl AsyncFnMut(Option<S>) -> S) {
    let mut make = async |store: Option<Patient<S>>| Patient(make(store.map(|Patient(store)| store)).await);
    let store = make(None).await;
    an_empty_store_knows_nothing(&store).await;
    a_manifest_changes_only_where_its_condition_holds(&store).await;
    shards_do_not_see_each_other(&store).await;
    store_and_reopen(&mut make, store).await;

    let store = make(None).await;
    one_contender_of_many_is_applied(&store).await;
    reads_of_a_manifest_never_go_back(&store).await;

    let store = make(None).await;
    segments_are_loaded_as_they_were_written(&store).await;
    repeating_a_write_is_harmless(&store).await;
    deleted_segments_are_gone_and_no_others(&store).await;
    many_shards_write_at_once(&store).await;
    big_segments_come_back_whole(&store).await;
}

async fn an_empty_store_knows_nothing(store: &impl Store) {
    assert_eq!(store.manifest(USERS).await, Ok(None), "a shard nobody wrote has no manifest");
    assert_eq!(store.load_sections(USERS, vec![0, HEADER, u16::MAX]).await, Ok(vec![]), "nor any segment");
    assert_eq!(store.load_sections(USERS, vec![]).await, Ok(vec![]), "no sections, no segments");
    assert_eq!(store.write_segments(USERS, vec![]).await, WriteOutcome::Written, "nothing is soon written");
    store.delete_segments(USERS, vec![id(7, 7, 7)]).await;
    for condition in [Condition::Epoch(0), Condition::EpochAndCut { epoch: 0, cut: 0 }] {
        let outcome = store.write_manifest(condition, manifest(USERS, 1, 0)).await;
        assert_eq!(outcome, CasOutcome::NotApplied { current: None }, "{condition:?} of nothing");
    }
    assert_eq!(store.manifest(USERS).await, Ok(None), "what was not applied left nothing");
}

async fn a_manifest_changes_only_where_its_condition_holds(store: &impl Store) {
    let first = manifest(USERS, 4, 7);
    flip(store, Condition::Absent, &first).await;
    let wrong = [
        Condition::Absent,
        Condition::Epoch(3),
        Condition::EpochAndCut { epoch: 4, cut: 6 },
        Condition::EpochAndCut { epoch: 4, cut: 8 },
        Condition::EpochAndCut { epoch: 5, cut: 7 },
    ];
    for condition in wrong {
        let outcome = store.write_manifest(condition, manifest(USERS, 9, 9)).await;
        let current = Some(Box::new(first.clone()));
        assert_eq!(
            outcome,
            CasOutcome::NotApplied { current },
            "{condition:?} must not hold, and say what does"
        );
        assert_eq!(store.manifest(USERS).await, Ok(Some(first.clone())));
    }
    flip(store, Condition::EpochAndCut { epoch: 4, cut: 7 }, &manifest(USERS, 5, 7)).await;
    flip(store, Condition::Epoch(5), &manifest(USERS, 5, 8)).await;
}

async fn shards_do_not_see_each_other(store: &impl Store) {
    assert_eq!(store.manifest(PRODUCTS).await, Ok(None));
    flip(store, Condition::Absent, &manifest(PRODUCTS, 1, 0)).await;
    let mine = segment(id(2, 1, 1), 10);
    write(store, USERS, std::slice::from_ref(&mine)).await;
    assert_eq!(store.load_sections(PRODUCTS, vec![2]).await, Ok(vec![]));
    store.delete_segments(PRODUCTS, vec![mine.id]).await;
    assert_eq!(store.load_sections(USERS, vec![2]).await, Ok(vec![mine]));
}

async fn store_and_reopen<S: Store>(make: &mut impl AsyncFnMut(Option<S>) -> S, store: S) {
    let segments = [segment(id(5, 1, 1), 3_000), segment(id(HEADER, 1, 1), 100_000)];
    write(&store, PRODUCTS, &segments).await;
    let before = (store.manifest(USERS).await, store.manifest(PRODUCTS).await);
    let store = make(Some(store)).await;
    assert_eq!(
        (store.manifest(USERS).await, store.manifest(PRODUCTS).await),
        before,
        "manifests outlive a restart"
    );
    assert_eq!(load(&store, PRODUCTS, &[5, HEADER]).await, segments, "so do segments");
    let current = before.0.expect("the store answers").expect("it was written");
    let condition = Condition::EpochAndCut { epoch: current.epoch, cut: current.cut };
    flip(&store, condition, &manifest(USERS, current.epoch + 1, current.cut)).await;
}

/// Takeovers that race: each raises the epoch from what it saw.
async fn one_contender_of_many_is_applied(store: &impl Store) {
    for round in 0..4 {
        let condition = match round {
            0 => Condition::Absent,
            _ => Condition::EpochAndCut { epoch: round, cut: 0 },
        };
        let contender = |n| Manifest { owner: format!("node-{n}"), ..manifest(USERS, round + 1, 0) };
        let outcomes = join_all((0..CONTENDERS).map(|n| store.write_manifest(condition, contender(n)))).await;
        let winners: Vec<u64> = (0..CONTENDERS)
            .zip(&outcomes)
            .filter(|(_, o)| **o == CasOutcome::Applied)
            .map(|(n, _)| n)
            .collect();
        let [winner] = winners[..] else { panic!("{winners:?} were applied in round {round}, not one") };
        let stands = contender(winner);
        for outcome in outcomes.into_iter().filter(|outcome| *outcome != CasOutcome::Applied) {
            assert_eq!(outcome, CasOutcome::NotApplied { current: Some(Box::new(stands.clone())) });
        }
        assert_eq!(store.manifest(USERS).await, Ok(Some(stands)));
    }
}

/// A read that began after a write was applied sees it, or what came after.
async fn reads_of_a_manifest_never_go_back(store: &impl Store) {
    flip(store, Condition::Absent, &manifest(PRODUCTS, 1, 0)).await;
    for cut in 0..20 {
        let condition = Condition::EpochAndCut { epoch: 1, cut };
        let next = manifest(PRODUCTS, 1, cut + 1);
        let (outcome, meanwhile) =
            futures_util::join!(store.write_manifest(condition, next.clone()), store.manifest(PRODUCTS));
        assert_eq!(outcome, CasOutcome::Applied);
        let meanwhile = meanwhile.expect("the store answers").expect("it was written").cut;
        assert!(meanwhile == cut || meanwhile == cut + 1, "cut {meanwhile} while {cut} gave way to its next");
        assert_eq!(store.manifest(PRODUCTS).await, Ok(Some(next)));
    }
}

async fn segments_are_loaded_as_they_were_written(store: &impl Store) {
    let mut segments = vec![
        segment(id(0, 1, 1), 1),
        segment(id(0, 1, 2), 70_000),
        segment(id(0, 2, 1), 64 << 10),
        segment(id(0, u64::from(u32::MAX), 1), 33),
        segment(id(ROWS, 1, 1), 4_096),
        segment(id(u16::MAX, 1, 1), 9),
    ];
    segments[1].base = false;
    let (first, second) = segments.split_at(3);
    write(store, USERS, first).await;
    write(store, USERS, second).await;
    assert_eq!(load(store, USERS, &[0, ROWS, u16::MAX]).await, segments);
    assert_eq!(load(store, USERS, &[ROWS]).await, segments[4..5], "only the sections asked for");
    assert_eq!(load(store, USERS, &[1, 63, ROWS - 1, ROWS + 1]).await, [], "neighbours hold nothing");
}

async fn repeating_a_write_is_harmless(store: &impl Store) {
    let before = load(store, USERS, &[0, ROWS]).await;
    write(store, USERS, &before).await;
    write(store, USERS, &before[1..2]).await;
    assert_eq!(load(store, USERS, &[0, ROWS]).await, before);
    let condition = Condition::Absent;
    flip(store, condition, &manifest(USERS, 1, 0)).await;
    let other = Manifest { owner: "node-2/1".to_owned(), ..manifest(USERS, 1, 0) };
    let again = store.write_manifest(condition, other).await;
    assert_eq!(again, CasOutcome::NotApplied { current: Some(Box::new(manifest(USERS, 1, 0))) });
}

async fn deleted_segments_are_gone_and_no_others(store: &impl Store) {
    let before = load(store, USERS, &[0]).await;
    store.delete_segments(USERS, vec![before[0].id, before[2].id, id(0, 99, 99)]).await;
    // A write that is answered comes after the delete: nobody answers those.
    let next = segment(id(0, 3, 1), 12);
    write(store, USERS, std::slice::from_ref(&next)).await;
    let after = load(store, USERS, &[0]).await;
    assert_eq!(after, [before[1].clone(), next, before[3].clone()]);
}

async fn many_shards_write_at_once(store: &impl Store) {
    let shards: Vec<ShardId> = (10..30).map(ShardId::users).chain((10..30).map(ShardId::products)).collect();
    let segments = |shard: ShardId| {
        (0..8)
            .map(|n| segment(id(n, u64::from(shard.partition), 1), 2_000 + usize::from(n) * 7_000))
            .collect()
    };
    let outcomes = join_all(shards.iter().map(|shard| store.write_segments(*shard, segments(*shard)))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == WriteOutcome::Written), "{outcomes:?}");
    for shard in shards {
        let written: Vec<Segment> = segments(shard);
        assert_eq!(load(store, shard, &[0, 1, 2, 3, 4, 5, 6, 7]).await, written);
    }
}

async fn big_segments_come_back_whole(store: &impl Store) {
    let segments = [segment(id(40, 1, 1), BIG), segment(id(40, 2, 1), BIG + 1), segment(id(41, 1, 1), 0)];
    write(store, PRODUCTS, &segments).await;
    assert_eq!(load(store, PRODUCTS, &[40, 41]).await, segments);
}

async fn flip(store: &impl Store, condition: Condition, manifest: &Manifest) {
    let outcome = store.write_manifest(condition, manifest.clone()).await;
    assert_eq!(outcome, CasOutcome::Applied, "{condition:?} holds");
    assert_eq!(
        store.manifest(manifest.shard).await,
        Ok(Some(manifest.clone())),
        "a read after a write sees it"
    );
}

async fn write(store: &impl Store, shard: ShardId, segments: &[Segment]) {
    assert_eq!(store.write_segments(shard, segments.to_vec()).await, WriteOutcome::Written);
}

/// By name: a store may give them in any order, but each once.
async fn load(store: &impl Store, shard: ShardId, sections: &[u16]) -> Vec<Segment> {
    let mut found = store.load_sections(shard, sections.to_vec()).await.expect("the store answers");
    found.sort_by_key(|segment| segment.id);
    found
}

fn id(section: u16, cut: u64, epoch: u64) -> SegmentId {
    SegmentId { section, cut, epoch }
}

/// A store does not look into blobs: any bytes do, as long as no two segments have the same.
fn segment(id: SegmentId, bytes: usize) -> Segment {
    let seed = u64::from(id.section) ^ id.cut << 20 ^ id.epoch << 40;
    let blob =
        (0..bytes as u64).map(|at| (seed.wrapping_add(at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8);
    Segment { id, base: true, blob: blob.collect() }
}

/// Everything a manifest can say, said.
fn manifest(shard: ShardId, epoch: u64, cut: u64) -> Manifest {
    let section = SectionSummary {
        base: (cut, epoch),
        deltas: vec![],
        actors: 17,
        bytes: 9_000,
        earliest_watermark_timer: Some(-1),
        earliest_log_timer: None,
    };
    Manifest {
        shard,
        epoch,
        address: "127.0.0.1:7071".to_owned(),
        owner: format!("node-1/{epoch}"),
        topic_id: u64::MAX - 1,
        partitions: 64,
        fold_version: 2,
        settings_hash: 0xfeed,
        cut,
        position: cut * 100,
        position_time: 1_700_000_000_000,
        last_checksum: 0xabcd,
        lineage: [(epoch, cut)].into(),
        sections: [(0, section.clone()), (ROWS, section)].into(),
        skips: [(12, "panicked the fold".to_owned())].into(),
        panics: [(13, 2)].into(),
    }
}
