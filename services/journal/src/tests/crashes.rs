//! Seeds: callers append, the machine stops anywhere, the log is opened again. Nothing that was told may turn out wrong.

use super::disk::Faults;
use super::world::{Shape, World};
use crate::Error;

const SEEDS: u64 = 3_000;

/// A life of a log, out of a seed.
fn run(seed: u64) {
    let mut world = World::new(seed, Shape::draw);
    let faulty = world.rng.one_in(2);
    start(&mut world);
    for _ in 0..6 {
        if faulty {
            misbehave(&mut world);
        }
        let steps = world.rng.below(25);
        for _ in 0..steps {
            step(&mut world);
        }
        end(&mut world);
        start_again(&mut world);
    }
}

/// The first start may be interrupted as well.
fn start(world: &mut World) {
    while world.rng.one_in(3) {
        let operations = world.rng.below(20);
        world.disk.stop_after(Some(operations));
        if world.open().is_ok() {
            break;
        }
        crash(world);
    }
    world.disk.stop_after(None);
    if world.opened.is_none() {
        world.open().expect("nothing stops it");
    }
}

fn misbehave(world: &mut World) {
    let mut one_in = |n: u64| if world.rng.one_in(3) { n } else { 0 };
    let faults = Faults { sync_fails: one_in(30), write_fails: one_in(40), short_write: one_in(2) };
    world.disk.set_faults(faults);
    if world.rng.one_in(3) {
        let room = world.disk.used() + world.rng.below(2_000);
        world.disk.set_room(room);
    }
}

fn step(world: &mut World) {
    match world.rng.below(10) {
        0 => world.release(),
        1 => world.sync(),
        2 | 3 => world.read_somewhere(),
        4 if world.rng.one_in(5) => {
            let operations = world.rng.below(12);
            world.disk.stop_after(Some(operations));
        }
        5 if world.rng.one_in(3) => world.disk.set_room(u64::MAX),
        _ => world.append(),
    }
}

fn end(world: &mut World) {
    if world.rng.one_in(4) {
        world.opened().log.close();
    }
    world.opened = None;
}

/// Says whether the power was lost.
fn crash(world: &mut World) -> bool {
    let lost_power = world.rng.one_in(2);
    if lost_power {
        world.disk.lose_power()
    } else {
        world.disk.end_process()
    }
    lost_power
}

fn start_again(world: &mut World) {
    let mut lost_power = crash(world);
    world.disk.set_room(u64::MAX);
    // Recovery is interrupted, and finds a disk that fails, like anything else.
    while world.rng.one_in(2) {
        let operations = world.rng.below(40);
        world.disk.stop_after(Some(operations));
        let opened = world.open();
        world.opened = None;
        if let Err(error) = opened {
            assert!(matches!(error, Error::Io { .. }), "{error}");
        }
        lost_power |= crash(world);
    }
    world.disk.set_faults(Faults::default());
    world.open().expect("what a crash leaves is no damage");
    world.check(lost_power);
}

#[test]
fn nothing_told_turns_out_wrong() {
    for seed in 0..SEEDS {
        let outcome = std::panic::catch_unwind(|| run(seed));
        assert!(outcome.is_ok(), "seed {seed}");
    }
}
