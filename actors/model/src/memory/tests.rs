use super::dedup::EventMemory;
use super::requests::RequestMemory;
use crate::codec::Reader;
use crate::limits::{REMEMBERED_EVENTS, REMEMBERED_REQUESTS};
use crate::output::Outcome;
use crate::time::{DAY, MINUTE};
use crate::verdict::{Reason, Refusal};

#[test]
fn an_id_is_known_for_sixty_whole_minutes() {
    let mut memory = EventMemory::default();
    memory.remember(7, 10 * MINUTE + 59_999);
    assert!(memory.knows(7, 70 * MINUTE + 59_999));
    assert!(!memory.knows(7, 71 * MINUTE));
    assert!(memory.is_empty(), "what is too old is forgotten");
}

#[test]
fn the_oldest_id_gives_way_and_the_index_follows() {
    let mut memory = EventMemory::default();
    for id in 0..REMEMBERED_EVENTS as u64 + 1 {
        assert!(!memory.knows(id, id as i64 * 100));
        memory.remember(id, id as i64 * 100);
    }
    assert_eq!(memory.len(), REMEMBERED_EVENTS);
    assert!(!memory.knows(0, 0));
    assert!((1..=REMEMBERED_EVENTS as u64).all(|id| memory.knows(id, 0)));
    assert!(!memory.knows(REMEMBERED_EVENTS as u64, 2 * DAY));
    assert!(memory.is_empty());
}

#[test]
fn event_memory_comes_back_as_it_was() {
    let mut memory = EventMemory::default();
    for id in 0..100_u64 {
        memory.remember(id.wrapping_mul(0x9e37_79b9_7f4a_7c15), id as i64 * 7_000);
    }
    let mut bytes = Vec::new();
    memory.encode(&mut bytes);
    let mut back = EventMemory::decode(&mut Reader::new(&bytes)).expect("its own encoding");
    assert_eq!(back, memory);
    assert!(back.knows(0, 0) && !back.knows(1, 0));
    for cut in 0..bytes.len() {
        assert!(EventMemory::decode(&mut Reader::new(&bytes[..cut])).is_err());
    }
}

#[test]
fn a_request_has_the_same_outcome_for_a_day() {
    let refused = Outcome::Refused(Refusal::missing("price", "give a price"));
    let mut memory = RequestMemory::default();
    memory.remember("r-1", 1, 0, &refused);
    memory.remember("", 1, 0, &Outcome::Done);
    assert_eq!(memory.len(), 1, "a request without an id leaves nothing");
    assert_eq!(memory.recall("", 1, 0), None);
    assert_eq!(memory.recall("r-1", 1, DAY), Some(refused));
    let Some(Outcome::Refused(reused)) = memory.recall("r-1", 2, DAY) else { panic!("another body") };
    assert_eq!(reused.reason, Reason::RequestIdReused);
    assert_eq!(memory.recall("r-1", 1, DAY + 1), None);
}

#[test]
fn requests_are_bounded_and_come_back_as_they_were() {
    let mut memory = RequestMemory::default();
    for n in 0..=REMEMBERED_REQUESTS as u64 {
        let outcome = if n % 2 == 0 { Outcome::Done } else { Outcome::Refused(Refusal::missing("a", "b")) };
        memory.remember(&format!("r-{n}"), n, n as i64, &outcome);
    }
    assert_eq!(memory.len(), REMEMBERED_REQUESTS);
    assert_eq!(memory.recall("r-0", 0, 300), None, "the oldest gave way");
    let mut bytes = Vec::new();
    memory.encode(&mut bytes);
    assert_eq!(RequestMemory::decode(&mut Reader::new(&bytes)), Ok(memory));
}
