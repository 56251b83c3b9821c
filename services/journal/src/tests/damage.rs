//! Bits flip and files go: a loss of acknowledged records is never passed over, and the error says where it is.

use std::time::Duration;

use super::rng::Rng;
use super::world::{SHARDS, Shape, World};
use crate::{Check, Durability, Error, Flaw, Retention};

const SEEDS: u64 = 1_000;
const FIRST: &str = "00000000000000000001.log";

fn shape(check: Check) -> impl FnOnce(&mut Rng) -> Shape {
    move |rng| Shape {
        durability: Durability::Fsync,
        segment_bytes: 1_024 << rng.below(3),
        tail_bytes: 0,
        retention: Retention { keep: Duration::MAX, most_bytes: u64::MAX },
        check,
    }
}

/// A log with something in it, closed or crashed. Says whether it was closed.
fn written(seed: u64, check: Check) -> (World, bool) {
    let mut world = World::new(seed, shape(check));
    world.open().expect("it opens");
    for _ in 0..=world.rng.below(30) {
        world.append();
    }
    let is_closed = world.rng.one_in(2);
    if is_closed {
        world.opened().log.close();
    }
    world.opened = None;
    (world, is_closed)
}

/// Flips one bit somewhere in a segment.
fn flip(world: &mut World) -> (String, u64) {
    let segments: Vec<_> = world.disk.names().into_iter().filter(|name| name.ends_with(".log")).collect();
    let name = segments[world.rng.below(segments.len() as u64) as usize].clone();
    let byte = world.rng.below(world.disk.contents(&name).len() as u64);
    let bit = world.rng.below(8) as u8;
    world.disk.flip(&name, byte as usize, bit);
    (name, byte)
}

/// How many of the told records can be read; those that can are as they were told.
fn readable(world: &mut World) -> usize {
    let told = world.told.clone();
    let mut intact = 0;
    for ((shard, offset), bytes) in &told {
        if *offset > world.end(*shard) {
            continue;
        }
        if let Ok(entries) = world.read(*shard, *offset, 0) {
            assert_eq!((entries[0].offset, &entries[0].bytes), (*offset, bytes), "{shard} {offset}");
            intact += 1;
        }
    }
    intact
}

#[test]
fn a_flipped_bit_is_refused_with_its_place() {
    let (mut refused, mut harmless, mut cut_off) = (0, 0, 0);
    for seed in 0..SEEDS {
        let (mut world, is_closed) = written(seed, Check::Everything);
        let (name, byte) = flip(&mut world);
        match world.open() {
            Err(Error::Damaged { file, at, .. }) => {
                assert!(
                    file.ends_with(&name) && at <= byte,
                    "seed {seed}: {} {at}, not {name} {byte}",
                    file.display()
                );
                refused += 1;
            }
            Err(other) => panic!("seed {seed}: {other}"),
            Ok(()) if readable(&mut world) == world.told.len() => harmless += 1,
            // Nothing names the newest frame as synced before the next one, or the close.
            Ok(()) => {
                let lost = world.told.len() - readable(&mut world);
                assert!(!is_closed && lost <= world.newest_frame, "seed {seed}: {lost} records were cut off");
                cut_off += 1;
            }
        }
    }
    assert!(refused > SEEDS / 2, "{refused} refused, {harmless} harmless, {cut_off} cut off");
}

#[test]
fn a_flipped_bit_in_an_old_segment_is_noticed_when_it_is_read() {
    for seed in 0..SEEDS {
        let (mut world, _) = written(seed, Check::Newest);
        flip(&mut world);
        if world.open().is_ok() {
            readable(&mut world);
        }
    }
}

#[test]
fn a_segment_that_is_gone_is_missed() {
    for seed in 0..200 {
        let (mut world, is_closed) = written(seed, Check::Newest);
        let segments: Vec<_> = world.disk.names().into_iter().filter(|name| name.ends_with(".log")).collect();
        let gone = world.rng.below(segments.len() as u64) as usize;
        world.disk.lose(&segments[gone]);
        let opened = world.open();
        let was_newest = gone + 1 == segments.len();
        match opened {
            Err(Error::Missing { from, to, .. }) => assert!(from <= to, "seed {seed}"),
            Err(other) => panic!("seed {seed}: {other}"),
            // As after retention: the owners see that the log begins above their cuts.
            Ok(()) if gone == 0 => {}
            Ok(()) => assert!(was_newest && !is_closed, "seed {seed}: {gone} of {}", segments.len()),
        }
    }
}

#[test]
fn a_lost_meta_file_is_not_made_anew() {
    let (mut world, _) = written(1, Check::Newest);
    world.disk.lose("meta");
    assert!(matches!(world.open(), Err(Error::Meta { .. })));
}

#[test]
fn a_changed_meta_file_is_noticed() {
    for byte in 0..40 {
        let (mut world, _) = written(2, Check::Newest);
        world.disk.flip("meta", byte, 2);
        assert!(matches!(world.open(), Err(Error::Meta { .. })), "byte {byte}");
    }
}

#[test]
fn the_error_names_file_byte_and_a_way_out() {
    let file = "/data/journal/00000000000000000001.log".into();
    let text = Error::Damaged { file, at: 4_711, flaw: Flaw::Checksum }.to_string();
    for part in [
        "00000000000000000001.log at byte 4711",
        "a checksum is wrong",
        "from a copy",
        "start with a new one",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_record_that_looks_like_a_frame_is_none() {
    let (world, _) = written(3, Check::Everything);
    let name = world.disk.names().into_iter().find(|name| name.ends_with(".log")).expect("a segment");
    // All of a log inside a record of another log: no topic takes the frames of another.
    let inside = world.disk.contents(&name);
    let found = (0..inside.len()).filter(|at| crate::frame::Frame::parse(1, &inside[*at..]).is_ok()).count();
    assert_eq!(found, 0);
    assert!(SHARDS.iter().all(|shard| world.told.keys().any(|(told, _)| told == shard)));
}

#[test]
fn what_was_cut_off_does_not_come_back() {
    let mut world = World::new(5, |rng| Shape {
        durability: Durability::Interval(Duration::from_secs(3_600)),
        segment_bytes: 1 << 20,
        ..shape(Check::Newest)(rng)
    });
    world.open().expect("it opens");
    let before = world.disk.contents(FIRST).len();
    // Frames of one size, none of them synced: the first tears, those behind it are whole.
    (0..3).for_each(|n| world.append_one(SHARDS[0], [n; 32]));
    world.disk.flip(FIRST, before + 8, 0);
    world.opened = None;
    world.open().expect("a crash may leave this");
    assert_eq!(world.end(SHARDS[0]), 0);
    world.append_one(SHARDS[0], [9; 32]);
    world.opened = None;
    world.open().expect("it opens");
    let entries = world.read(SHARDS[0], 1, 1_000).expect("it reads");
    assert_eq!(entries.iter().map(|entry| entry.bytes[0]).collect::<Vec<_>>(), [9]);
}

#[test]
fn segments_of_two_logs_do_not_join() {
    let (mut one, _) = written(6, Check::Newest);
    let (other, _) = written(8, Check::Newest);
    let segments: Vec<_> = other.disk.names().into_iter().filter(|name| name.ends_with(".log")).collect();
    let foreign = segments.last().expect("a segment");
    assert!(segments.len() > 1 && !one.disk.names().contains(foreign), "another length");
    one.disk.put(foreign, other.disk.contents(foreign));
    let error = one.open().expect_err("they do not join");
    assert!(matches!(error, Error::Damaged { .. } | Error::Missing { .. }), "{error}");
}
