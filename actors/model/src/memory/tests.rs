use super::dedup::Dedup;
use super::requests::Requests;
use crate::codec::{Reader, Writer};
use crate::limits::{REMEMBERED_EVENTS, REMEMBERED_REQUESTS};
use crate::output::Outcome;
use crate::time::{DAY, MINUTE};
use crate::verdict::{Reason, Refusal};

#[test]
fn an_id_is_known_for_sixty_whole_minutes() {
    let mut memory = Dedup::default();
    memory.remember(7, 10 * MINUTE + 59_999);
    assert!(memory.knows(7, 70 * MINUTE + 59_999));
    assert!(!memory.knows(7, 71 * MINUTE));
    assert_eq!(memory.forgotten_at(), Some(71 * MINUTE));
    memory.forget(71 * MINUTE - 1);
    assert_eq!(memory.len(), 1, "known is not forgotten");
    memory.forget(71 * MINUTE);
    assert!(memory.is_empty(), "what is too old is");
}

#[test]
fn the_oldest_id_gives_way_and_the_index_follows() {
    let mut memory = Dedup::default();
    for id in 0..REMEMBERED_EVENTS as u64 + 1 {
        assert!(!memory.knows(id, id as i64 * 100));
        memory.remember(id, id as i64 * 100);
    }
    assert_eq!(memory.len(), REMEMBERED_EVENTS);
    assert!(!memory.knows(0, 0));
    assert!((1..=REMEMBERED_EVENTS as u64).all(|id| memory.knows(id, 0)));
    assert!(!memory.knows(REMEMBERED_EVENTS as u64, 2 * DAY));
    memory.remember(0, 2 * DAY);
    assert_eq!(memory.len(), 1);
}

#[test]
fn event_memory_comes_back_as_it_was() {
    let mut memory = Dedup::default();
    for id in 0..100_u64 {
        memory.remember(id.wrapping_mul(0x9e37_79b9_7f4a_7c15), id as i64 * 7_000);
    }
    let mut bytes = Vec::new();
    memory.encode(&mut Writer::new(&mut bytes));
    let back = Dedup::decode(&mut Reader::new(&bytes)).expect("its own encoding");
    assert_eq!(back, memory);
    assert!(back.knows(0, 0) && !back.knows(1, 0));
    for cut in 0..bytes.len() {
        assert!(Dedup::decode(&mut Reader::new(&bytes[..cut])).is_err());
    }
}

#[test]
fn an_id_too_old_may_come_again() {
    let mut memory = Dedup::default();
    memory.remember(7, 0);
    memory.remember(8, 30 * MINUTE);
    assert!(!memory.knows(7, 61 * MINUTE) && memory.knows(8, 61 * MINUTE), "not forgotten yet, but too old");
    memory.remember(7, 61 * MINUTE);
    assert!(memory.knows(7, 61 * MINUTE));
    assert_eq!(memory.len(), 2);
}

#[test]
fn a_request_has_the_same_outcome_for_a_day() {
    let refused = Outcome::Refused(Refusal::missing("price", "give a price"));
    let mut memory = Requests::default();
    memory.remember("r-1", 1, 0, refused.clone());
    memory.remember("", 1, 0, Outcome::Done);
    assert_eq!(memory.len(), 1, "a request without an id leaves nothing");
    assert_eq!(memory.recall("", 1, 0), None);
    assert_eq!(memory.recall("r-1", 1, DAY), Some(refused));
    let Some(Outcome::Refused(reused)) = memory.recall("r-1", 2, DAY) else { panic!("another body") };
    assert_eq!(reused.reason, Reason::RequestIdReused);
    assert_eq!(memory.recall("r-1", 1, DAY + 1), None);
    assert_eq!(memory.forgotten_at(), Some(DAY + 1));
    memory.forget(DAY + 1);
    assert!(memory.is_empty());
}

#[test]
fn requests_are_bounded_and_come_back_as_they_were() {
    let mut memory = Requests::default();
    for n in 0..=REMEMBERED_REQUESTS as u64 {
        let outcome = if n % 2 == 0 { Outcome::Done } else { Outcome::Refused(Refusal::missing("a", "b")) };
        memory.remember(&format!("r-{n}"), n, n as i64, outcome);
    }
    assert_eq!(memory.len(), REMEMBERED_REQUESTS);
    assert_eq!(memory.recall("r-0", 0, 300), None, "the oldest gave way");
    let mut bytes = Vec::new();
    memory.encode(&mut Writer::new(&mut bytes));
    assert_eq!(Requests::decode(&mut Reader::new(&bytes)), Ok(memory));
}
