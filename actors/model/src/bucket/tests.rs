use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::actor::{Actor, Deadlines, StateError, TimerClock};
use crate::cut::segment::{Segment, SegmentId};
use crate::key::BUCKETS;
use crate::planted::Planted;
use crate::time::Millis;

/// A value and two deadlines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Toy {
    value: Vec<u8>,
    deadlines: [Option<Millis>; 2],
}

impl Actor for Toy {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(1);
        for deadline in self.deadlines {
            out.extend_from_slice(&deadline.unwrap_or(-1).to_le_bytes());
        }
        out.extend_from_slice(&self.value);
    }

    fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let damaged = || StateError::Damaged("toy".to_owned());
        let (head, value) = bytes.split_first_chunk::<17>().ok_or_else(damaged)?;
        let at = |from: usize| {
            let bytes = head[from..from + 8].try_into().map_err(|_| damaged())?;
            let deadline = Millis::from_le_bytes(bytes);
            Ok((deadline >= 0).then_some(deadline))
        };
        Ok(Self { value: value.to_vec(), deadlines: [at(1)?, at(9)?] })
    }

    fn deadlines(&self) -> Deadlines {
        Deadlines { watermark: self.deadlines[0], log_time: self.deadlines[1] }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const BASE: u16 = 128;
const CLOCKS: [TimerClock; 2] = [TimerClock::Watermark, TimerClock::LogTime];

fn fresh() -> Actors<Toy> {
    let mut actors = Actors::new(BASE, Planted::default());
    actors.set_empty_store();
    actors
}

/// Keys of two buckets only, so that each of them is worked hard.
fn keys(count: usize) -> Vec<ActorKey> {
    let keys = (0..).map(|n| ActorKey::new("main", &format!("user-{n}")));
    keys.filter(|key| matches!(key.bucket().0, 0 | 63)).take(count).collect()
}

type Image = BTreeMap<String, Toy>;

fn image(actors: &Actors<Toy>) -> Image {
    let mut image = Image::new();
    for bucket in (0..BUCKETS).map(BucketId).filter(|bucket| actors.is_loaded(*bucket)) {
        let mut last = String::new();
        let visit = |key: KeyRef<'_>, toy: &Toy| {
            assert!(last.as_str() < key.text, "peek goes in key order");
            last = key.text.to_owned();
            image.insert(key.text.to_owned(), toy.clone());
        };
        actors.peek(bucket, visit).expect("decodes");
    }
    image
}

#[derive(Debug, Clone)]
enum Op {
    Fold { key: usize, value: Vec<u8>, deadlines: [Option<Millis>; 2] },
    Remove { key: usize },
    Passivate { max: usize },
    Freeze,
    Slice { max: usize },
    Finish { commit: bool },
    EvictAndLoad { key: usize },
    Gather { clock: usize, upto: Millis, budget: usize },
    Fire { clock: usize, upto: Millis, rearm: Option<Millis> },
}

/// A dozen of these are several of the slots that timers wait in.
const STEP: Millis = 50_000;

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = || 0..30_usize;
    let time = || (0..12_i64).prop_map(|steps| steps * STEP);
    let deadline = move || prop::option::of(time());
    let value = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..60)];
    let fold = (key(), value, deadline(), deadline());
    let fire = (0..2_usize, time(), prop::option::of((1..6_i64).prop_map(|steps| steps * STEP)));
    let gather = (0..2_usize, time(), 1..10_usize);
    let op = prop_oneof![
        8 => fold.prop_map(|(key, value, a, b)| Op::Fold { key, value, deadlines: [a, b] }),
        1 => key().prop_map(|key| Op::Remove { key }),
        3 => (1..20_usize).prop_map(|max| Op::Passivate { max }),
        1 => Just(Op::Freeze),
        3 => (1..6_usize).prop_map(|max| Op::Slice { max }),
        1 => (0..4_u8).prop_map(|n| Op::Finish { commit: n > 0 }),
        1 => key().prop_map(|key| Op::EvictAndLoad { key }),
        2 => gather.prop_map(|(clock, upto, budget)| Op::Gather { clock, upto, budget }),
        1 => fire.prop_map(|(clock, upto, rearm)| Op::Fire { clock, upto, rearm }),
    ];
    prop::collection::vec(op, 0..250)
}

/// Actors beside the map they must equal, and the store their cuts go to.
struct Twin {
    keys: Vec<ActorKey>,
    actors: Actors<Toy>,
    model: Image,
    frozen: Option<(Image, u64)>,
    store: BTreeMap<u16, Vec<Segment>>,
    cut: u64,
}

impl Twin {
    fn new() -> Self {
        Self {
            keys: keys(30),
            actors: fresh(),
            model: Image::new(),
            frozen: None,
            store: BTreeMap::new(),
            cut: 0,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Fold { key, value, deadlines } => self.fold(key, Toy { value, deadlines }),
            Op::Remove { key } => {
                let key = &self.keys[key];
                let was_there = self.model.remove(key.as_str()).is_some();
                assert_eq!(self.actors.remove(key.into()), Ok(was_there));
            }
            Op::Passivate { max } => {
                let before = self.actors.digest();
                self.actors.passivate(max);
                assert_eq!(self.actors.digest(), before);
            }
            Op::Freeze if self.frozen.is_none() => {
                self.frozen = Some((self.model.clone(), self.actors.digest().expect("decodes")));
                self.actors.freeze();
            }
            Op::Freeze => {}
            Op::Slice { max } => drop(self.actors.cut_slice(max).expect("decodes")),
            Op::Finish { commit } => self.finish(commit),
            Op::EvictAndLoad { key } => self.evict_and_load(key),
            Op::Gather { clock, upto, budget } => {
                self.actors.gather_due(CLOCKS[clock], upto, budget);
            }
            Op::Fire { clock, upto, rearm } => self.fire(clock, upto, rearm),
        }
    }

    fn fold(&mut self, key: usize, toy: Toy) {
        let key = &self.keys[key];
        let before =
            self.actors.fold(key.into(), |actor| std::mem::replace(actor, toy.clone())).expect("decodes");
        let known = if toy.is_empty() {
            self.model.remove(key.as_str())
        } else {
            self.model.insert(key.as_str().to_owned(), toy)
        };
        assert_eq!(before, known.unwrap_or_default());
    }

    fn finish(&mut self, commit: bool) {
        let Some((image_then, digest_then)) = self.frozen.take() else { return };
        if !commit {
            return self.actors.abandoned();
        }
        while !self.actors.cut_slice(3).expect("decodes") {}
        self.cut += 1;
        for draft in self.actors.take_drafts() {
            let id = SegmentId { section: draft.section, cut: self.cut, epoch: 1 };
            let stored = self.store.entry(draft.section).or_default();
            if draft.base {
                stored.clear();
            }
            stored.push(Segment { id, base: draft.base, blob: draft.blob.into() });

            let bucket = (draft.section - BASE) as u8;
            let there = image_then.iter().filter(|(key, _)| bucket_of_text(key) == bucket);
            let toys: Vec<&Toy> = there.map(|(_, toy)| toy).collect();
            assert_eq!(draft.summary.actors, toys.len() as u64);
            let earliest = [draft.summary.earliest_watermark_timer, draft.summary.earliest_log_timer];
            for (clock, earliest) in earliest.into_iter().enumerate() {
                if let Some(deadline) = toys.iter().filter_map(|toy| toy.deadlines[clock]).min() {
                    assert!(earliest.is_some_and(|earliest| earliest <= deadline));
                }
            }
        }
        self.actors.committed();
        let reloaded = self.reload();
        assert_eq!(image(&reloaded), image_then);
        assert_eq!(reloaded.digest(), Ok(digest_then));
    }

    fn reload(&self) -> Actors<Toy> {
        let mut reloaded = Actors::new(BASE, Planted::default());
        for section in BASE..BASE + u16::from(BUCKETS) {
            reloaded.load(section, self.store.get(&section).map_or(&[][..], Vec::as_slice)).expect("sound");
        }
        assert!(reloaded.loaded_all());
        reloaded
    }

    fn evict_and_load(&mut self, key: usize) {
        let bucket = self.keys[key].bucket();
        let before = self.actors.digest();
        if self.actors.evict(bucket) {
            assert!(!self.actors.is_loaded(bucket));
            assert_eq!(self.actors.digest(), before);
            assert!(self.actors.fold((&self.keys[key]).into(), |_| ()).is_err());
            let section = self.actors.section(bucket);
            for (clock, of_toy) in CLOCKS.into_iter().zip([0, 1]) {
                let there = self.model.iter().filter(|(key, _)| bucket_of_text(key) == bucket.0);
                if let Some(deadline) = there.filter_map(|(_, toy)| toy.deadlines[of_toy]).min() {
                    assert!(self.actors.due_sections(clock, deadline).contains(&section));
                }
            }
            self.actors
                .load(section, self.store.get(&section).map_or(&[][..], Vec::as_slice))
                .expect("sound");
        }
    }

    fn fire(&mut self, clock: usize, upto: Millis, rearm: Option<Millis>) {
        loop {
            let deadline = |toy: &Toy| toy.deadlines[clock].filter(|deadline| *deadline <= upto);
            let due = self.model.iter().filter_map(|(key, toy)| Some((deadline(toy)?, key.clone())));
            let expected = due.min();
            let fired = self.actors.next_due(CLOCKS[clock], upto).expect("decodes");
            assert_eq!(fired.as_ref().map(|(at, key)| (*at, key.as_str().to_owned())), expected);
            let Some((at, key)) = fired else { return };
            let mut toy = self.model[key.as_str()].clone();
            toy.deadlines[clock] = rearm.map(|more| at + 1 + more);
            let place = self.keys.iter().position(|known| *known == key).expect("is ours");
            self.fold(place, toy);
        }
    }
}

fn bucket_of_text(key: &str) -> u8 {
    ActorKey::parse(key).expect("is a key").bucket().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_happens_it_is_a_map_and_a_cut_is_its_moment(ops in ops()) {
        let mut twin = Twin::new();
        for op in ops {
            twin.apply(op);
            prop_assert_eq!(twin.actors.len(), twin.model.len() as u64);
        }
        prop_assert_eq!(&image(&twin.actors), &twin.model);
        // All of it survives a cut, and the timers then fire as they would have here.
        twin.finish(true);
        twin.apply(Op::Freeze);
        twin.finish(true);
        let mut here = twin.actors;
        let mut there = Actors::new(BASE, Planted::default());
        for section in BASE..BASE + u16::from(BUCKETS) {
            there.load(section, twin.store.get(&section).map_or(&[][..], Vec::as_slice)).expect("sound");
        }
        for clock in CLOCKS {
            prop_assert_eq!(drain(&mut here, clock), drain(&mut there, clock));
        }
    }
}

/// Fires everything on a clock.
fn drain(actors: &mut Actors<Toy>, clock: TimerClock) -> Vec<(Millis, ActorKey)> {
    let mut fired = Vec::new();
    while let Some((at, key)) = actors.next_due(clock, Millis::MAX).expect("decodes") {
        actors.fold((&key).into(), |toy| toy.deadlines[clock as usize] = None).expect("decodes");
        fired.push((at, key));
    }
    fired
}

fn set(actors: &mut Actors<Toy>, key: &ActorKey, value: &[u8], watermark: Option<Millis>) {
    let toy = Toy { value: value.to_vec(), deadlines: [watermark, None] };
    actors.fold(key.into(), |actor| *actor = toy).expect("decodes");
}

#[test]
fn many_timers_of_one_moment_are_gathered_in_slices_and_fire_in_key_order() {
    let mut actors = fresh();
    let mut keys: Vec<_> = (0..5_000).map(|n| ActorKey::new("main", &format!("user-{n}"))).collect();
    for key in &keys {
        set(&mut actors, key, b"x", Some(7));
        actors.passivate(1);
    }
    let mut slices = 1;
    while !actors.gather_due(TimerClock::Watermark, 7, 100) {
        slices += 1;
    }
    assert!(slices >= 50);
    keys.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    let fired = drain(&mut actors, TimerClock::Watermark);
    assert_eq!(fired, keys.into_iter().map(|key| (7, key)).collect::<Vec<_>>());
    assert!(!actors.has_timers());
}

#[test]
fn a_deadline_that_keeps_moving_leaves_few_entries_behind() {
    let mut actors = fresh();
    let key = ActorKey::new("main", "user-1");
    set(&mut actors, &key, b"x", Some(1));
    let before = actors.bytes();
    for n in 0..20_000 {
        set(&mut actors, &key, b"x", Some(1_000_000 - n));
        set(&mut actors, &key, b"x", Some(1_000_000 + n));
        actors.passivate(1);
        actors.passivate(1);
    }
    assert!(actors.bytes() < before + 16 * 1024, "{} from {before}", actors.bytes());
    assert_eq!(drain(&mut actors, TimerClock::Watermark).len(), 1);
}

#[test]
fn warming_and_cooling_keeps_memory_near_what_lives() {
    let mut actors = fresh();
    let keys: Vec<_> = (0..20_000).map(|n| ActorKey::new("main", &format!("user-{n:020}"))).collect();
    for round in 0..10_u8 {
        for key in &keys {
            set(&mut actors, key, &[round; 90], None);
            actors.passivate(4);
        }
    }
    while actors.hot() > 0 {
        actors.passivate(1_000);
    }
    let live = keys.len() * (30 + 107 + 20);
    assert!(actors.bytes() < live * 2, "{} for {live}", actors.bytes());
    assert!(keys.iter().all(|key| actors.get(key.into(), |toy| toy.value == [9; 90]) == Ok(Some(true))));
}

#[test]
fn an_outgrown_base_is_written_anew_while_folding_goes_on() {
    let mut twin = Twin::new();
    twin.keys = keys(2_000);
    let toy = |n: usize, round: u8| Toy { value: vec![round; 20 + n % 40], deadlines: [None; 2] };
    let mut rewrites = 0;
    for round in 1..=8_u8 {
        for n in (0..2_000).filter(|n| round == 1 || n % 3 == usize::from(round % 3)) {
            twin.fold(n, toy(n, round));
        }
        twin.actors.passivate(700);
        twin.apply(Op::Freeze);
        let mut n = 0;
        while !twin.actors.cut_slice(64).expect("decodes") {
            // Old ones change, vanish and are made while the cut is being taken.
            twin.fold((n * 37) % 2_000, toy(n, 100 + round));
            twin.apply(Op::Remove { key: (n * 91) % 2_000 });
            n += 1;
        }
        let bases = |twin: &Twin| twin.store.values().filter(|stored| stored.len() == 1).count();
        let before = bases(&twin);
        twin.finish(true);
        rewrites += usize::from(round > 2 && bases(&twin) > before);
    }
    assert!(rewrites > 0, "no base outgrew its deltas");
    assert_eq!(image(&twin.actors), twin.model);
}

#[test]
fn a_scan_sees_everyone_once_whatever_the_budget() {
    let mut actors = fresh();
    let keys: Vec<_> = (0..1_000).map(|n| ActorKey::new("main", &format!("user-{n}"))).collect();
    for key in &keys {
        set(&mut actors, key, b"x", None);
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        after = actors.scan(after, 7, |key, _| seen.push(key.hash)).expect("decodes");
        actors.passivate(5);
        if after.is_none() {
            break;
        }
    }
    assert!(seen.is_sorted());
    let mut hashes: Vec<_> = keys.iter().map(ActorKey::hash).collect();
    hashes.sort_unstable();
    assert_eq!(seen, hashes);
}

fn cut(actors: &mut Actors<Toy>) {
    actors.freeze();
    while !actors.cut_slice(10).expect("decodes") {}
    actors.take_drafts();
    actors.committed();
}

#[test]
fn the_bucket_that_rested_longest_leaves_first() {
    let mut actors = fresh();
    let keys = keys(40);
    let [one, other] =
        [0, 63].map(|bucket| keys.iter().find(|key| key.bucket().0 == bucket).expect("there is one"));
    let any = |_: BucketId| true;
    set(&mut actors, one, b"a", None);
    set(&mut actors, other, b"b", None);
    assert_eq!(actors.coldest(any), None, "no cut holds them");
    cut(&mut actors);
    set(&mut actors, one, b"c", None);
    cut(&mut actors);
    assert_eq!(actors.coldest(any), Some(other.bucket()));
    assert_eq!(actors.coldest(|bucket| bucket != other.bucket()), Some(one.bucket()));
    assert!(actors.evict(other.bucket()));
    assert_eq!(actors.coldest(any), Some(one.bucket()), "buckets that hold nothing have nothing to give");
    actors.freeze();
    assert_eq!(actors.coldest(any), None, "a cut is under way");
}

#[cfg(feature = "planted")]
#[test]
fn the_planted_bug_shows_in_the_image() {
    let mut actors: Actors<Toy> = Actors::new(BASE, Planted::with(crate::planted::Bug::CutNotFrozen));
    actors.set_empty_store();
    let key = ActorKey::new("main", "user-1");
    set(&mut actors, &key, b"then", None);
    actors.freeze();
    set(&mut actors, &key, b"later", None);
    while !actors.cut_slice(10).expect("decodes") {}
    let draft = actors.take_drafts().remove(0);
    let id = SegmentId { section: draft.section, cut: 1, epoch: 1 };
    let mut reloaded: Actors<Toy> = Actors::new(BASE, Planted::default());
    reloaded.load(id.section, &[Segment { id, base: true, blob: draft.blob.into() }]).expect("sound");
    assert_eq!(reloaded.get((&key).into(), |toy| toy.value.clone()), Ok(Some(b"later".to_vec())));
}
