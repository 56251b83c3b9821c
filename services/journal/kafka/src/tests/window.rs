//! The window alone: what is in it, what is kept, when it is full, what a gap does.

use bytes::Bytes;
use souk_model::journal::Entry;
use tokio::time::Instant;

use crate::limits::{KEPT_BYTES, NEAR_ENTRIES, WINDOWS_BYTES};
use crate::window::{Look, Taken, Trouble, Window, share};

const SHARE: usize = 1 << 20;

fn entries(offsets: std::ops::RangeInclusive<u64>, bytes: usize) -> Vec<Entry> {
    offsets.map(|offset| Entry::new(offset, 7, Bytes::from(vec![1; bytes]))).collect()
}

fn at(offset: u64) -> Window {
    let mut window = Window::new(Instant::now());
    window.move_to(offset);
    assert_eq!(window.arrive(), Some(offset));
    window
}

fn offsets(look: Look) -> Vec<u64> {
    match look {
        Look::Found(entries, _) => entries.iter().map(|entry| entry.offset).collect(),
        Look::Coming => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn look(window: &mut Window, from: u64, bytes: usize) -> Look {
    window.look(from, bytes, Instant::now())
}

#[test]
fn what_is_in_it_is_read_in_order_and_again() {
    let mut window = at(5);
    assert_eq!(look(&mut window, 5, 0), Look::Coming);
    assert_eq!(window.take(entries(5..=9, 10), SHARE), Taken::In);
    assert_eq!(offsets(look(&mut window, 5, 25)), [5, 6]);
    assert_eq!(offsets(look(&mut window, 7, 0)), [7]);
    assert_eq!(offsets(look(&mut window, 5, 1_000)), [5, 6, 7, 8, 9], "what was read is kept for a while");
    assert_eq!(look(&mut window, 10, 0), Look::Coming);
    assert_eq!(look(&mut window, 4, 0), Look::Elsewhere);
    assert_eq!(look(&mut window, 10 + NEAR_ENTRIES, 0), Look::Coming, "it will be there soon");
    assert_eq!(look(&mut window, 11 + NEAR_ENTRIES, 0), Look::Elsewhere);
}

#[test]
fn what_comes_from_elsewhere_is_dropped() {
    let mut window = at(100);
    window.move_to(1);
    assert_eq!(
        window.take(entries(100..=110, 1), SHARE),
        Taken::Nothing,
        "the consumer has not gone there yet"
    );
    assert_eq!(window.arrive(), Some(1));
    assert_eq!(window.take(entries(1..=3, 1), SHARE), Taken::In);
    assert_eq!(window.take(entries(2..=4, 1), SHARE), Taken::In, "what is there already is skipped");
    assert_eq!(offsets(look(&mut window, 1, 100)), [1, 2, 3, 4]);
    window.leave();
    assert_eq!(window.take(entries(5..=5, 1), SHARE), Taken::Nothing);
    assert_eq!(window.arrive(), None);
}

#[test]
fn too_much_unread_pauses_and_reading_lets_it_go_on() {
    let mut window = at(1);
    let mut last = 0;
    while window.take(entries(last + 1..=last + 1, 10_000), SHARE) != Taken::InAndFull {
        last += 1;
        assert!(last < 1_000, "it fills");
    }
    assert!(window.unread_bytes() > SHARE);
    assert_eq!(
        look(&mut window, last + 3, 0),
        Look::Elsewhere,
        "a full window does not come nearer by itself"
    );
    let mut from = 1;
    let resumed = loop {
        match look(&mut window, from, 50_000) {
            Look::Found(entries, resume) => {
                from = entries.last().map_or(from, |entry| entry.offset + 1);
                if resume {
                    break from;
                }
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(resumed > 50 && resumed <= last + 1, "it goes on before everything is read: {resumed}");
    assert_eq!(look(&mut window, 1, 0), Look::Elsewhere, "what was read long ago has gone");
    let kept = resumed - (KEPT_BYTES / 10_000) as u64;
    assert_eq!(offsets(look(&mut window, kept, 0)), [kept], "what was read lately has not");
}

#[test]
fn a_gap_is_believed_when_it_is_seen_twice() {
    let mut window = at(1);
    assert_eq!(window.take(entries(1..=2, 1), SHARE), Taken::In);
    assert_eq!(window.take(entries(5..=6, 1), SHARE), Taken::Gap);
    assert_eq!(window.arrive(), Some(3), "fetched again from where it was");
    assert_eq!(window.take(entries(3..=6, 1), SHARE), Taken::In, "and it was no gap");
    assert_eq!(window.take(entries(9..=9, 1), SHARE), Taken::Gap);
    assert_eq!(window.arrive(), Some(7));
    assert_eq!(window.take(entries(9..=9, 1), SHARE), Taken::In);
    assert_eq!(offsets(look(&mut window, 6, 100)), [6, 9]);
}

#[test]
fn trouble_is_told_once_and_the_window_is_nowhere() {
    let mut window = at(1);
    window.fail(Trouble::OutOfRange);
    assert_eq!(look(&mut window, 1, 0), Look::Trouble(Trouble::OutOfRange));
    assert_eq!(look(&mut window, 1, 0), Look::Elsewhere);
}

#[test]
fn standing_still_is_noticed() {
    let mut window = at(1);
    assert!(!window.stands_still(5), "the first look only notes where it is");
    assert!(window.stands_still(5));
    assert_eq!(window.take(entries(1..=5, 1), SHARE), Taken::In);
    assert!(!window.stands_still(5));
    assert!(!window.stands_still(5), "it is at the end");
}

#[test]
fn windows_share_their_room_within_bounds() {
    assert_eq!(share(0), share(1));
    assert_eq!(share(32), WINDOWS_BYTES / 32);
    assert!(share(1) < WINDOWS_BYTES, "no partition takes it all");
    assert_eq!(share(64), share(1_024), "and each has a few answers of the broker's");
}
