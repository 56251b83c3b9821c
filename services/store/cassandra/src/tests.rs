//! What needs no server: chunks, the words that are said, options.

use std::collections::BTreeMap;

use bytes::Bytes;
use souk_model::cut::segment::{Segment, SegmentId};

use crate::chunks::{Chunk, Joiner, split};
use crate::cql::{self, IF_EPOCH, IF_EPOCH_AND_CUT};
use crate::limits::CHUNK_BYTES;
use crate::segments::written_at;
use crate::{Error, Options, Replication};

fn id(cut: u64) -> SegmentId {
    SegmentId { section: 3, cut, epoch: 2 }
}

fn segment(cut: u64, bytes: usize) -> Segment {
    let blob: Vec<u8> = (0..bytes).map(|at| (at * 7 + at / 251) as u8).collect();
    Segment { id: id(cut), base: cut.is_multiple_of(2), blob: blob.into() }
}

fn join<'c>(chunks: impl IntoIterator<Item = &'c Chunk>) -> (Vec<Segment>, usize) {
    let mut joiner = Joiner::default();
    for chunk in chunks {
        joiner.take(chunk.id, chunk.base, (chunk.number, chunk.of), &chunk.bytes);
    }
    joiner.finish()
}

fn options() -> Options {
    Options::new(vec!["127.0.0.1:9042".to_owned()], Replication::Simple(1))
}

#[test]
fn what_is_split_is_joined_again() {
    let sizes = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 5 * CHUNK_BYTES + 17];
    let segments: Vec<Segment> = (1..).zip(sizes).map(|(cut, bytes)| segment(cut, bytes)).collect();
    let chunks: Vec<Chunk> = segments.iter().cloned().flat_map(split).collect();
    assert!(chunks.iter().all(|chunk| chunk.bytes.len() <= CHUNK_BYTES));
    assert_eq!(chunks.len(), 1 + 1 + 1 + 1 + 2 + 2 + 6);
    assert_eq!(join(&chunks), (segments, 0));
}

#[test]
fn a_segment_that_lacks_a_chunk_does_not_count() {
    let (whole, other) = (segment(1, 3 * CHUNK_BYTES), segment(2, 10));
    let chunks: Vec<Chunk> = [whole.clone(), other.clone()].into_iter().flat_map(split).collect();
    assert_eq!(join(&chunks), (vec![whole.clone(), other.clone()], 0));
    for missing in 0..3 {
        let rest = chunks.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, chunk)| chunk);
        assert_eq!(join(rest), (vec![other.clone()], 1), "without chunk {missing}");
    }
    let rest = &chunks[..3];
    assert_eq!(join(rest), (vec![whole], 0));
}

#[test]
fn chunks_that_contradict_each_other_do_not_count() {
    let chunk = |number, of| Chunk { id: id(1), base: true, number, of, bytes: Bytes::from_static(b"x") };
    for chunks in [[chunk(0, 2), chunk(1, 3)], [chunk(1, 2), chunk(0, 2)], [chunk(0, 0), chunk(1, -1)]] {
        assert_eq!(join(&chunks), (vec![], 1), "{chunks:?}");
    }
}

#[test]
fn a_manifest_is_written_under_a_condition_and_a_segment_at_its_cut() {
    let writes = [
        cql::insert_manifest("k"),
        cql::update_manifest("k", IF_EPOCH),
        cql::update_manifest("k", IF_EPOCH_AND_CUT),
        cql::insert_version("k"),
    ];
    for text in writes {
        assert!(text.contains(" IF "), "{text}");
        assert!(!text.contains("TIMESTAMP"), "{text}: the server gives conditional writes their order");
    }
    for text in [cql::write_chunk("k"), cql::delete_segment("k")] {
        assert!(text.contains("k.segments") && text.contains("USING TIMESTAMP ?"), "{text}");
    }
    assert_eq!(
        cql::update_manifest("k", IF_EPOCH_AND_CUT),
        "UPDATE k.manifests SET epoch = ?, cut = ?, manifest = ? WHERE journal = ? AND shard = ? \
         IF epoch = ? AND cut = ? AND manifest != null"
    );
    assert!(written_at(id(1)) < written_at(id(2)));
    assert_eq!(written_at(id(u64::MAX)), i64::MAX);
}

#[test]
fn a_keyspace_is_made_as_told() {
    let mut options = options();
    assert_eq!(
        cql::create_keyspace(&options),
        "CREATE KEYSPACE IF NOT EXISTS souk WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    );
    options.keyspace = "shop_2".to_owned();
    options.replication =
        Replication::PerDatacenter(BTreeMap::from([("east".to_owned(), 3), ("west-1".to_owned(), 2)]));
    assert_eq!(
        cql::create_keyspace(&options),
        "CREATE KEYSPACE IF NOT EXISTS shop_2 WITH replication = \
         {'class': 'NetworkTopologyStrategy', 'east': 3, 'west-1': 2}"
    );
}

#[test]
fn wrong_options_are_named() {
    let refused = |change: fn(&mut Options), expected: &str| {
        let mut options = options();
        change(&mut options);
        match options.check() {
            Err(Error::Option { option, .. }) => assert_eq!(option, expected),
            other => panic!("{expected}: {other:?}"),
        }
    };
    options().check().expect("the defaults are right");
    refused(|options| options.nodes.clear(), "nodes");
    refused(|options| options.nodes = vec!["localhost".to_owned()], "nodes");
    refused(|options| options.keyspace = "Souk".to_owned(), "keyspace");
    refused(|options| options.keyspace = "souk; DROP".to_owned(), "keyspace");
    refused(|options| options.keyspace = "s".repeat(49), "keyspace");
    refused(|options| options.replication = Replication::Simple(0), "replication");
    refused(|options| options.replication = Replication::PerDatacenter(BTreeMap::new()), "replication");
    refused(
        |options| options.replication = Replication::PerDatacenter([("a'b".to_owned(), 1)].into()),
        "replication",
    );
    refused(|options| options.datacenter = Some(String::new()), "datacenter");
    refused(
        |options| {
            options.replication = Replication::PerDatacenter([("east".to_owned(), 1)].into());
            options.datacenter = Some("west".to_owned());
        },
        "datacenter",
    );
    refused(|options| options.request_timeout = std::time::Duration::ZERO, "request_timeout");
}

#[test]
fn errors_tell_the_way_out() {
    let keyspace = || "souk".to_owned();
    let missing = Error::NoSchema { keyspace: keyspace() }.to_string();
    let older = Error::Older { keyspace: keyspace(), found: 0, newest: 1 }.to_string();
    assert!(missing.contains("run `souk migrate`") && older.contains("run `souk migrate`"));
    let other =
        Error::OtherDatacenter { keyspace: keyspace(), found: String::new(), wanted: "east".to_owned() };
    assert!(
        other.to_string().contains("in all datacenters, this node would in the datacenter east"),
        "{other}"
    );
}
