//! A full disk refuses, and nothing else; a disk that fails ends the journal.

use std::time::Duration;

use super::disk::Faults;
use super::world::{SHARDS, Shape, World};
use crate::{Check, Durability, Retention};

fn world(durability: Durability) -> World {
    let mut world = World::new(11, |_| Shape {
        durability,
        segment_bytes: 2_048,
        tail_bytes: 1_000,
        retention: Retention { keep: Duration::MAX, most_bytes: 0 },
        check: Check::Newest,
    });
    world.open().expect("it opens");
    world
}

#[test]
fn a_full_disk_refuses_until_there_is_room_again() {
    let mut world = world(Durability::Fsync);
    for _ in 0..20 {
        let room = world.disk.used() + world.rng.below(1_500);
        world.disk.set_room(room);
        let before = world.told.len();
        for _ in 0..10 {
            world.append();
            world.read_somewhere();
        }
        let full = world.told.len();
        world.disk.set_room(u64::MAX);
        world.append();
        assert!(world.told.len() > full, "there is room again");
        assert!(full - before < 100, "there was little room");
        assert!(!world.has_failed());
    }
    world.opened = None;
    world.disk.lose_power();
    world.open().expect("it opens");
    world.check(true);
}

#[test]
fn retention_makes_room_on_a_full_disk() {
    let mut world = world(Durability::Fsync);
    (0..10).for_each(|_| world.append());
    let used = world.disk.used();
    world.disk.set_room(used);
    for shard in SHARDS {
        let (partition, end) = (world.partition(shard), world.end(shard));
        world.opened().visible.release(partition, end);
    }
    world.opened().log.retain();
    assert!(world.disk.used() < used);
    let before = world.told.len();
    world.append();
    assert!(world.told.len() > before);
}

#[test]
fn a_failed_sync_ends_it() {
    let mut world = world(Durability::Fsync);
    world.append();
    let told = world.told.len();
    world.disk.set_faults(Faults { sync_fails: 1, ..Faults::default() });
    world.append();
    assert!(world.has_failed());
    world.disk.set_faults(Faults::default());
    world.append();
    assert_eq!((world.told.len(), world.fatal_calls()), (told, 1), "nothing is answered as durable any more");
    // What the system shows, but never wrote, is written again before it is believed.
    world.opened = None;
    world.disk.end_process();
    world.open().expect("it opens");
    world.check(false);
    world.opened = None;
    world.disk.lose_power();
    world.open().expect("it opens");
    world.check(true);
}

#[test]
fn a_failed_sync_of_the_interval_ends_it() {
    let mut world = world(Durability::Interval(Duration::from_secs(1)));
    world.append();
    world.disk.set_faults(Faults { sync_fails: 1, ..Faults::default() });
    world.sync();
    assert_eq!((world.has_failed(), world.fatal_calls()), (true, 1));
}
