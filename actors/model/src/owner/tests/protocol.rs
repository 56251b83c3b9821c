//! Single rules of the protocol, one at a time: an honest store and journal, and one thing that is not as it should be.

use std::collections::BTreeMap;

use super::toy::{Op, Toy};
use crate::cut::manifest::{Condition, Manifest};
use crate::cut::segment::{HEADER, Segment, SegmentId};
use crate::journal::Entry;
use crate::limits::{CONDITIONAL_TRIES, CUT_SLICE_EVERY, CUT_WAITS_FOR_ROOM, SEGMENT_TRIES};
use crate::owner::{
    CasOutcome, CrashPoint, Effect, Ends, Entries, Fold, Input, Owner, OwnerConfig, StopReason, WriteOutcome,
};
use crate::planted::Planted;
use crate::time::Millis;

/// One owner in an honest world, until a test bends it.
struct Desk {
    owner: Owner<Toy>,
    now: Millis,
    journal: Vec<Entry>,
    ends: Ends,
    manifest: Option<Manifest>,
    segments: BTreeMap<SegmentId, Segment>,
    /// Writes that time out, segments first: not one of them is applied.
    segment_writes_lost: u32,
    flips_lost: u32,
    /// The store no longer answers loads.
    loads_lost: bool,
    seen: Vec<Effect>,
}

impl Desk {
    fn new() -> Self {
        let journal: Vec<Entry> = (1..=10)
            .map(|offset| Entry::new(offset, 1_000, Op::Add { key: offset as u8, amount: 1 }.bytes().into()))
            .collect();
        let ends = Ends { topic_id: 9, partitions: 8, start: 1, end: 10, origin: None };
        let owner = owner(0);
        Self {
            owner,
            now: 0,
            journal,
            ends,
            manifest: None,
            segments: BTreeMap::new(),
            segment_writes_lost: 0,
            flips_lost: 0,
            loads_lost: false,
            seen: Vec::new(),
        }
    }

    /// A desk whose shard has a cut at 10, made by an owner that handed over.
    fn with_a_cut() -> Self {
        let mut desk = Self::new();
        desk.start();
        let now = desk.now;
        desk.tell(Input::HandOver { now });
        assert_eq!(desk.stopped(), Some(&StopReason::HandedOver));
        assert_eq!(desk.manifest.as_ref().map(|manifest| (manifest.cut, manifest.position)), Some((1, 10)));
        desk.owner = owner(1);
        desk.seen.clear();
        desk
    }

    fn start(&mut self) {
        let now = self.now;
        self.tell(Input::Start { now });
    }

    fn tell(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut effects = Vec::new();
            self.owner.handle(input, &mut effects);
            for effect in effects {
                inputs.extend(self.perform(&effect));
                self.seen.push(effect);
            }
        }
    }

    fn pass(&mut self, span: Millis) {
        for _ in 0..span / 100 {
            self.now += 100;
            let now = self.now;
            self.tell(Input::Woken { now });
        }
    }

    fn perform(&mut self, effect: &Effect) -> Option<Input> {
        match effect {
            Effect::ReadManifest { tag } => {
                Some(Input::Manifest { tag: *tag, result: Ok(self.manifest.clone().map(Box::new)) })
            }
            Effect::WriteManifest { tag, condition, manifest } => {
                Some(Input::Flipped { tag: *tag, outcome: self.write(*condition, manifest) })
            }
            Effect::WriteSegments { tag, segments } => {
                let lost = self.segment_writes_lost > 0;
                self.segment_writes_lost = self.segment_writes_lost.saturating_sub(1);
                if lost {
                    return Some(Input::SegmentsWritten { tag: *tag, outcome: WriteOutcome::Unknown });
                }
                self.segments.extend(segments.iter().map(|segment| (segment.id, segment.clone())));
                Some(Input::SegmentsWritten { tag: *tag, outcome: WriteOutcome::Written })
            }
            Effect::LoadSections { .. } if self.loads_lost => None,
            Effect::LoadSections { tag, sections } => {
                let stored = self
                    .segments
                    .values()
                    .filter(|segment| sections.contains(&segment.id.section))
                    .cloned()
                    .collect();
                Some(Input::Sections { tag: *tag, result: Ok(stored) })
            }
            Effect::ReadEnds { tag } => Some(Input::Ends { tag: *tag, result: Ok(self.ends.clone()) }),
            Effect::ReadEntries { tag, from } => {
                let entries: Vec<Entry> =
                    self.journal.iter().filter(|entry| entry.offset >= *from).cloned().collect();
                let idle = entries.is_empty() && self.owner.is_live();
                (!idle).then_some(Input::Entries {
                    tag: *tag,
                    result: Ok(Entries { entries, end: self.ends.end }),
                })
            }
            Effect::Append { .. }
            | Effect::Send { .. }
            | Effect::Publish { .. }
            | Effect::DeleteSegments { .. } => None,
            Effect::WakeAt { at } => (*at <= self.now).then_some(Input::Woken { now: self.now }),
            Effect::Passed(_) | Effect::Stop(_) => None,
        }
    }

    fn write(&mut self, condition: Condition, manifest: &Manifest) -> CasOutcome {
        if manifest.cut > 0 && self.flips_lost > 0 {
            self.flips_lost -= 1;
            return CasOutcome::Unknown;
        }
        if !condition.holds(self.manifest.as_ref()) {
            return CasOutcome::NotApplied { current: self.manifest.clone().map(Box::new) };
        }
        self.manifest = Some(manifest.clone());
        CasOutcome::Applied
    }

    fn stopped(&self) -> Option<&StopReason> {
        self.seen.iter().find_map(|effect| match effect {
            Effect::Stop(reason) => Some(reason),
            _ => None,
        })
    }

    fn is_refused(&self, because: &str) -> bool {
        matches!(self.stopped(), Some(StopReason::Refused(why)) if why.contains(because))
    }

    fn count(&self, wanted: impl Fn(&Effect) -> bool) -> usize {
        self.seen.iter().filter(|effect| wanted(effect)).count()
    }

    fn add(&mut self, offset: u64) {
        self.journal.push(Entry::new(offset, 2_000, Op::Add { key: 1, amount: 1 }.bytes().into()));
        self.ends.end = offset;
    }
}

fn owner(incarnation: u32) -> Owner<Toy> {
    let config = OwnerConfig {
        owner: format!("node-1/{incarnation}"),
        address: String::new(),
        newest_fold_version: 1,
        slices_per_handle: crate::limits::SLICES_PER_HANDLE,
        planted: Planted::default(),
    };
    Owner::new(config, Toy::default())
}

#[test]
fn a_shard_never_owned_is_folded_from_its_first_record() {
    let mut desk = Desk::new();
    desk.start();
    assert!(desk.owner.is_live());
    assert_eq!((desk.owner.epoch(), desk.owner.fold().position()), (Some(1), 10));
}

#[test]
fn a_fold_of_a_newer_version_is_refused_without_fencing_its_owner() {
    let mut desk = Desk::with_a_cut();
    desk.manifest.as_mut().unwrap().fold_version = 2;
    desk.start();
    assert!(desk.is_refused("this build knows up to 1"));
    assert_eq!(desk.manifest.unwrap().epoch, 1);
}

#[test]
fn a_barrier_to_a_newer_fold_stops_the_owner_before_it() {
    let mut desk = Desk::new();
    desk.start();
    desk.add(11);
    desk.journal.push(Entry::new(12, 2_000, Op::Barrier.bytes().into()));
    desk.ends.end = 12;
    desk.pass(15_000);
    assert!(desk.is_refused("fold version 2"));
    assert_eq!(desk.owner.fold().position(), 11);
    assert_eq!(desk.count(|effect| matches!(effect, Effect::Publish { .. })), 1);
}

#[test]
fn a_journal_that_is_not_the_one_folded_is_refused() {
    type Bend = fn(&mut Desk);
    let bends: [(&str, Bend); 6] = [
        ("the topic is", |desk| desk.ends.topic_id = 10),
        ("partitions", |desk| desk.ends.partitions = 4),
        ("records between them are gone", |desk| (desk.ends.start, desk.ends.end) = (12, 20)),
        ("it lost records", |desk| desk.ends.end = 9),
        ("another record at 10", |desk| desk.journal[9].bytes = b"another".as_slice().into()),
        ("restored from an older backup", |desk| desk.segments.clear()),
    ];
    for (because, bend) in bends {
        let mut desk = Desk::with_a_cut();
        bend(&mut desk);
        desk.start();
        // A segment that is missing is read again for a while: one replica may be behind.
        desk.pass(60_000);
        assert!(desk.is_refused(because), "{because}: {:?}", desk.stopped());
    }
}

#[test]
fn a_trimmed_last_record_and_a_hole_in_the_journal_are_no_damage() {
    let mut desk = Desk::with_a_cut();
    desk.journal.clear();
    desk.ends.start = 11;
    desk.add(13);
    desk.start();
    assert_eq!((desk.owner.is_live(), desk.owner.fold().position()), (true, 13));
}

#[test]
fn records_that_retention_ate_while_carrying_are_refused() {
    let mut desk = Desk::with_a_cut();
    desk.start();
    desk.add(13);
    desk.ends.start = 13;
    desk.pass(15_000);
    assert!(desk.is_refused("but 11 is to be folded next"), "{:?}", desk.stopped());
}

#[test]
fn what_a_fenced_owner_misses_is_no_damage() {
    let mut desk = Desk::with_a_cut();
    desk.start();
    desk.manifest.as_mut().unwrap().epoch = 9;
    desk.segments.clear();
    desk.add(11);
    desk.pass(15_000);
    assert_eq!(desk.stopped(), Some(&StopReason::Fenced { epoch: 9 }));
}

#[test]
fn a_cut_given_up_burns_its_number() {
    let mut desk = Desk::new();
    desk.start();
    desk.segment_writes_lost = SEGMENT_TRIES;
    desk.pass(130_000);
    let names = |desk: &Desk| -> Vec<u64> {
        let writes = desk.seen.iter().filter_map(|effect| match effect {
            Effect::WriteSegments { segments, .. } => segments.first().map(|segment| segment.id.cut),
            _ => None,
        });
        writes.collect()
    };
    assert_eq!(names(&desk), [1, 1, 1, 1, 1, 1, 2]);
    let manifest = desk.manifest.as_ref().unwrap();
    assert_eq!((manifest.cut, manifest.lineage.get(&1)), (2, Some(&2)));
    assert!(desk.seen.iter().any(|effect| matches!(effect, Effect::DeleteSegments { segments } if segments.iter().all(|id| id.cut == 1))));
}

#[test]
fn an_unknown_flip_is_repeated_identically_and_never_given_up_for_another() {
    for (lost, applied) in [(CONDITIONAL_TRIES - 1, true), (CONDITIONAL_TRIES, false)] {
        let mut desk = Desk::new();
        desk.start();
        desk.flips_lost = lost;
        desk.pass(90_000);
        let flips: Vec<&Manifest> = desk
            .seen
            .iter()
            .filter_map(|effect| match effect {
                Effect::WriteManifest { manifest, .. } if manifest.cut > 0 => Some(&**manifest),
                _ => None,
            })
            .collect();
        assert_eq!(flips.len() as u32, CONDITIONAL_TRIES);
        assert!(flips.iter().all(|flip| *flip == flips[0]));
        assert_eq!(desk.stopped(), (!applied).then_some(&StopReason::OutcomeUnknown));
        assert_eq!(desk.manifest.as_ref().map(|manifest| manifest.cut), Some(u64::from(applied)));
    }
}

#[test]
fn a_lost_reply_is_asked_for_again_but_not_for_ever() {
    let mut desk = Desk::new();
    let mut effects = Vec::new();
    desk.owner.handle(Input::Start { now: 0 }, &mut effects);
    for now in (0..400_000).step_by(250) {
        desk.owner.handle(Input::Woken { now }, &mut effects);
    }
    desk.seen = effects;
    assert_eq!(
        desk.count(|effect| matches!(effect, Effect::ReadManifest { .. })),
        crate::limits::CALL_TRIES as usize
    );
    assert_eq!(desk.stopped(), Some(&StopReason::Unavailable("the store")));
}

#[test]
fn ticks_come_after_a_second_of_silence_if_something_waits() {
    let mut desk = Desk::new();
    desk.start();
    desk.pass(5_000);
    let ticks = |desk: &Desk| desk.count(|effect| matches!(effect, Effect::Append { .. }));
    assert_eq!(ticks(&desk), 0);
    desk.journal.push(Entry::new(11, 2_000, Op::Arm { key: 1, seconds: 60 }.bytes().into()));
    desk.ends.end = 11;
    desk.pass(10_500);
    assert_eq!(ticks(&desk), 1, "one at a time: the first is not answered yet");
}

#[test]
fn a_shard_of_an_adopted_topic_begins_after_its_origin_and_from_then_on_where_it_stands() {
    let mut desk = Desk::new();
    (desk.ends.start, desk.ends.origin) = (3, Some(4));
    desk.start();
    let first_read = |desk: &Desk| {
        desk.seen.iter().find_map(|effect| match effect {
            Effect::ReadEntries { from, .. } => Some(*from),
            _ => None,
        })
    };
    assert_eq!(first_read(&desk), Some(5), "nothing is compared: nothing was folded");
    assert_eq!(desk.manifest.as_ref().map(|manifest| (manifest.cut, manifest.position)), Some((0, 4)));

    let mut next = Desk::new();
    (next.ends.start, next.ends.origin, next.manifest) = (3, Some(9), desk.manifest);
    next.start();
    assert_eq!(first_read(&next), Some(5), "where the topic ends by now is nobody's beginning any more");
}

#[test]
fn peers_hear_once_in_a_period() {
    let mut desk = Desk::new();
    desk.start();
    desk.pass(3_000);
    let sends = desk.count(|effect| matches!(effect, Effect::Send { .. }));
    assert!((10..=13).contains(&sends), "{sends}");
}

/// What was asked of the store, load by load, but for what a takeover needs.
fn loads(desk: &Desk) -> Vec<Vec<u16>> {
    let loads = desk.seen.iter().filter_map(|effect| match effect {
        Effect::LoadSections { sections, .. } => Some(sections.clone()),
        _ => None,
    });
    loads.filter(|sections| !sections.contains(&HEADER)).collect()
}

/// Carried from its cut, with nothing loaded that the takeover did not need.
fn cold_desk() -> Desk {
    let mut desk = Desk::with_a_cut();
    desk.start();
    // The first sweep of re-sends looks everywhere.
    desk.pass(500);
    assert!(desk.owner.is_live() && desk.owner.fold().unloaded().is_empty());
    while desk.owner.shrink(0) {}
    assert_eq!(desk.owner.fold().unloaded(), [0, 1, 2, 3]);
    desk.seen.clear();
    desk
}

#[test]
fn readers_get_what_is_not_loaded_once_and_nothing_else() {
    let mut desk = cold_desk();
    desk.tell(Input::Load { sections: vec![3, 1, 3, 999, HEADER] });
    assert_eq!(loads(&desk), [vec![1, 3]]);
    assert_eq!(desk.owner.fold().unloaded(), [0, 2]);
    desk.tell(Input::Load { sections: vec![3, 1] });
    assert_eq!(loads(&desk).len(), 1, "it is there");
}

#[test]
fn readers_ask_in_one_request_with_what_folding_misses() {
    let mut desk = cold_desk();
    desk.loads_lost = true;
    desk.add(11);
    desk.pass(15_000);
    desk.tell(Input::Load { sections: vec![2] });
    desk.tell(Input::Load { sections: vec![0, 1] });
    desk.loads_lost = false;
    desk.pass(30_000);
    assert_eq!(desk.owner.fold().position(), 11);
    assert_eq!(desk.owner.fold().unloaded(), [3]);
    let asked = loads(&desk);
    assert_eq!((&asked[0], asked.last()), (&vec![1], Some(&vec![0, 2])), "one after the other: {asked:?}");
}

#[test]
fn a_store_that_is_away_fails_readers_and_holds_up_nobody_else() {
    let mut desk = cold_desk();
    // Key 1 is of section 1.
    desk.tell(Input::Load { sections: vec![1] });
    desk.loads_lost = true;
    desk.tell(Input::Load { sections: vec![2] });
    desk.add(11);
    desk.pass(15_000);
    assert_eq!(desk.owner.fold().position(), 11, "what is there is folded");
    desk.pass(400_000);
    assert_eq!(desk.stopped(), None, "a read is no reason to stop");
    desk.loads_lost = false;
    desk.tell(Input::Load { sections: vec![2] });
    assert!(!desk.owner.fold().lacks(2), "asked anew, it is loaded");
}

#[test]
fn only_what_the_committed_cut_holds_leaves_memory() {
    let mut desk = cold_desk();
    desk.add(11);
    desk.pass(15_000);
    while desk.owner.shrink(0) {}
    assert!(!desk.owner.fold().lacks(1), "key 1 changed since");
    desk.pass(130_000);
    assert_eq!(desk.manifest.as_ref().map(|manifest| manifest.position), Some(11));
    while desk.owner.shrink(0) {}
    assert_eq!(desk.owner.fold().unloaded(), [0, 1, 2, 3]);
    assert!(!desk.owner.shrink(0), "nothing more to gain");
}

/// A desk with a record its cut does not hold, a minute later: the next cut is due.
fn with_a_cut_due(room: bool) -> Desk {
    let mut desk = Desk::with_a_cut();
    desk.start();
    desk.add(11);
    desk.owner.set_room_to_cut(room);
    while !desk.owner.wants_to_cut() && !desk.owner.is_cutting() {
        desk.pass(100);
    }
    assert_eq!(desk.owner.is_cutting(), room);
    desk
}

fn is_frozen(effect: &Effect) -> bool {
    *effect == Effect::Passed(CrashPoint::CutFrozen)
}

fn is_written(effect: &Effect) -> bool {
    matches!(effect, Effect::WriteSegments { .. })
}

#[test]
fn a_cut_is_encoded_by_the_clock_however_often_the_owner_is_called() {
    let mut desk = with_a_cut_due(true);
    for _ in 0..100 {
        let now = desk.now;
        desk.tell(Input::Woken { now });
    }
    assert_eq!((desk.count(is_frozen), desk.count(is_written)), (1, 0));
    for _ in 0..100 {
        desk.now += CUT_SLICE_EVERY;
        let now = desk.now;
        desk.tell(Input::Woken { now });
    }
    assert_eq!((desk.count(is_written), desk.owner.is_cutting()), (1, false));
    assert_eq!(desk.manifest.map(|manifest| manifest.position), Some(11));
}

#[test]
fn a_hand_over_encodes_at_once_and_waits_for_no_room() {
    for room in [false, true] {
        let mut desk = with_a_cut_due(room);
        let now = desk.now;
        desk.tell(Input::HandOver { now });
        assert_eq!(desk.stopped(), Some(&StopReason::HandedOver), "room: {room}");
        assert_eq!(desk.manifest.map(|manifest| manifest.position), Some(11), "room: {room}");
    }
}

#[test]
fn a_cut_waits_for_room_but_not_for_ever() {
    let mut desk = with_a_cut_due(false);
    desk.pass(CUT_WAITS_FOR_ROOM / 2);
    assert_eq!((desk.count(is_frozen), desk.owner.wants_to_cut()), (0, true));
    desk.pass(CUT_WAITS_FOR_ROOM);
    assert_eq!(desk.count(is_frozen), 1);
    assert_eq!(desk.manifest.map(|manifest| manifest.position), Some(11));
}

#[test]
fn a_cut_begins_once_there_is_room() {
    let mut desk = with_a_cut_due(false);
    desk.owner.set_room_to_cut(true);
    desk.pass(100);
    assert_eq!(desk.count(is_frozen), 1);
}
