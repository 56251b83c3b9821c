//! The world of one seed: journal, store, up to three owners, and what goes wrong between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use souk_proto::journal::v1 as journal;

use super::toy::{BUCKETS, Op, Toy, may_start_again};
use crate::cut::manifest::{Condition, Manifest};
use crate::cut::segment::{Segment, SegmentId};
use crate::journal::{Entry, ShardId};
use crate::output::{Output, Outputs};
use crate::owner::fold::Progress;
use crate::owner::{
    AppendOutcome, CasOutcome, CrashPoint, Effect, Ends, Entries, Fold, Input, Owner, OwnerConfig,
    StopReason, Unavailable, WriteOutcome,
};
use crate::planted::Planted;
use crate::time::Millis;

const STORM: usize = 1_200;
const CALM: usize = 20_000;

/// What was found wrong.
pub(super) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(what.into()))
}

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What a timed-out operation may still do.
enum Late {
    Write(Condition, Box<Manifest>),
    Segments(Vec<Segment>),
    Delete(Vec<SegmentId>),
    Append(Op),
    Step(u8, u8),
}

struct Carrier {
    owner: Owner<Toy>,
    effects: VecDeque<Effect>,
    inbox: Vec<Input>,
    wake: Option<Millis>,
    replayed: bool,
}

pub(super) struct World {
    dice: Dice,
    planted: Planted,
    now: Millis,
    storm: bool,
    /// Per cent of operations that go wrong while it storms.
    trouble: u64,
    /// Owners alive at once, at most.
    crowd: usize,
    /// How soon a late operation happens, of 3: 0 means when the storm is over.
    tardy: u64,
    /// How often owners come and go, of 8.
    churn: u64,
    journal: Vec<Entry>,
    poison: BTreeSet<u64>,
    poison_wanted: bool,
    /// Answers of the other journal that are on their way.
    answers: Vec<(u8, u8)>,
    manifest: Option<Manifest>,
    segments: BTreeMap<SegmentId, Segment>,
    late: Vec<Late>,
    owners: Vec<Carrier>,
    incarnations: u64,
}

impl World {
    pub(super) fn new(seed: u64, planted: Planted) -> Self {
        let mut dice = Dice(seed);
        let trouble = [0, 5, 15, 30][dice.roll(4) as usize];
        let poison_wanted = dice.roll(4) == 0;
        let crowd = 1 + dice.roll(3) as usize;
        let tardy = dice.roll(4);
        let churn = [1, 4, 8][dice.roll(3) as usize];
        Self {
            dice,
            planted,
            now: 1_000_000,
            storm: true,
            trouble,
            crowd,
            tardy,
            churn,
            journal: Vec::new(),
            poison: BTreeSet::new(),
            poison_wanted,
            answers: Vec::new(),
            manifest: None,
            segments: BTreeMap::new(),
            late: Vec::new(),
            owners: Vec::new(),
            incarnations: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<(), Failure> {
        for _ in 0..STORM {
            self.disturb()?;
        }
        self.storm = false;
        while !self.late.is_empty() {
            self.settle_late();
        }
        self.owners.truncate(self.dice.roll(2) as usize);
        self.calm(true)?;
        // Once more, from nothing but what is stored.
        self.owners.clear();
        self.calm(false)
    }

    fn disturb(&mut self) -> Result<(), Failure> {
        let churn = self.owners.is_empty() || self.dice.roll(8) < self.churn;
        match self.dice.roll(100) {
            0..15 => self.report(),
            15..18 if churn && self.owners.len() < self.crowd => self.start(),
            18..19 if churn && !self.owners.is_empty() => {
                let at = self.dice.roll(self.owners.len() as u64) as usize;
                self.owners.swap_remove(at);
            }
            19..20 if churn && !self.owners.is_empty() => {
                let at = self.dice.roll(self.owners.len() as u64) as usize;
                let now = self.now;
                self.owners[at].inbox.push(Input::HandOver { now });
            }
            20..24 if !self.late.is_empty() && self.dice.roll(4) < self.tardy => self.settle_late(),
            24..30 => self.answer(),
            30..32 => self.squeeze(),
            32..34 => self.read(),
            34..42 => self.pass_time(),
            _ => return self.work(),
        }
        Ok(())
    }

    fn start(&mut self) {
        self.incarnations += 1;
        let config = OwnerConfig {
            owner: format!("node-{}", self.incarnations),
            address: String::new(),
            newest_fold_version: 1,
            slices_per_handle: crate::limits::SLICES_PER_HANDLE,
            planted: self.planted,
        };
        let owner = Owner::new(config, Toy::default());
        let inbox = vec![Input::Start { now: self.now }];
        self.owners.push(Carrier { owner, effects: VecDeque::new(), inbox, wake: None, replayed: false });
    }

    fn report(&mut self) {
        let key = self.dice.roll(12) as u8;
        let value = self.dice.roll(200) as u8;
        let op = match self.dice.roll(20) {
            0..12 => Op::Add { key, amount: value },
            12..15 => Op::Begin { key, saga: value },
            15..19 => Op::Arm { key, seconds: value },
            _ if self.poison_wanted && self.poison.len() < 2 => Op::Poison,
            _ => Op::Tick,
        };
        self.append(op);
    }

    fn append(&mut self, op: Op) -> u64 {
        let offset = self.journal.len() as u64 + 1;
        if op == Op::Poison {
            self.poison.insert(offset);
        }
        self.journal.push(Entry::new(offset, self.now, op.bytes().into()));
        offset
    }

    fn answer(&mut self) {
        if !self.answers.is_empty() {
            let at = self.dice.roll(self.answers.len() as u64) as usize;
            let (key, saga) = self.answers.swap_remove(at);
            self.append(Op::Settle { key, saga });
        }
    }

    /// An owner is short of memory, for one step or for more.
    fn squeeze(&mut self) {
        if let Some(at) = self.somebody() {
            let to_bytes = self.dice.roll(8);
            for _ in 0..=self.dice.roll(4) {
                self.owners[at].owner.shrink(to_bytes);
            }
        }
    }

    /// Somebody reads what may not be loaded, or may not exist.
    fn read(&mut self) {
        if let Some(at) = self.somebody() {
            let sections =
                (0..=self.dice.roll(3)).map(|_| self.dice.roll(u64::from(BUCKETS) + 2) as u16).collect();
            self.owners[at].inbox.push(Input::Load { sections });
        }
    }

    fn somebody(&mut self) -> Option<usize> {
        (!self.owners.is_empty()).then(|| self.dice.roll(self.owners.len() as u64) as usize)
    }

    fn pass_time(&mut self) {
        self.now += match self.dice.roll(10) {
            0..4 => 1 + self.dice.roll(100) as i64,
            4..6 => 1_000,
            6..8 => 11_000,
            _ => 61_000,
        };
    }

    fn settle_late(&mut self) {
        let at = self.dice.roll(self.late.len() as u64) as usize;
        let late = self.late.swap_remove(at);
        if self.dice.roll(4) == 0 {
            return; // it never was
        }
        match late {
            Late::Write(condition, manifest) => {
                self.conditional(condition, &manifest);
            }
            Late::Segments(segments) => {
                self.segments.extend(segments.into_iter().map(|segment| (segment.id, segment)))
            }
            Late::Delete(ids) => ids.iter().for_each(|id| {
                self.segments.remove(id);
            }),
            Late::Append(op) => {
                self.append(op);
            }
            Late::Step(key, saga) => self.answers.push((key, saga)),
        }
    }

    fn conditional(&mut self, condition: Condition, manifest: &Manifest) -> bool {
        let holds = condition.holds(self.manifest.as_ref());
        if holds {
            self.manifest = Some(manifest.clone());
        }
        holds
    }

    fn goes_wrong(&mut self) -> bool {
        self.storm && self.dice.roll(100) < self.trouble
    }

    /// One owner does one thing: takes an input, is woken, or has one effect done.
    fn work(&mut self) -> Result<(), Failure> {
        if self.owners.is_empty() {
            return Ok(());
        }
        let at = self.dice.roll(self.owners.len() as u64) as usize;
        if let Some(effect) = self.owners[at].effects.pop_front() {
            return self.perform(at, effect);
        }
        let carrier = &mut self.owners[at];
        let input = if carrier.wake.is_some_and(|wake| wake <= self.now)
            && (carrier.inbox.is_empty() || self.dice.roll(3) == 0)
        {
            carrier.wake = None;
            Input::Woken { now: self.now }
        } else if carrier.inbox.is_empty() {
            return Ok(());
        } else {
            let pick = self.dice.roll(carrier.inbox.len() as u64) as usize;
            carrier.inbox.swap_remove(pick)
        };
        let mut effects = Vec::new();
        carrier.owner.handle(input, &mut effects);
        carrier.effects.extend(effects);
        Ok(())
    }

    fn reply(&mut self, at: usize, input: Input) {
        if !self.goes_wrong() {
            self.owners[at].inbox.push(input);
        }
    }

    fn perform(&mut self, at: usize, effect: Effect) -> Result<(), Failure> {
        self.permitted(at, &effect)?;
        let failed = self.goes_wrong();
        match effect {
            Effect::ReadManifest { tag } => {
                let result = if failed { Err(Unavailable) } else { Ok(self.manifest.clone().map(Box::new)) };
                self.reply(at, Input::Manifest { tag, result });
            }
            Effect::WriteManifest { tag, condition, manifest } => {
                let outcome = self.write_manifest(failed, condition, manifest);
                self.reply(at, Input::Flipped { tag, outcome });
            }
            Effect::WriteSegments { tag, segments } => {
                let outcome = self.write_segments(failed, segments);
                self.reply(at, Input::SegmentsWritten { tag, outcome });
            }
            Effect::LoadSections { tag, sections } => {
                let stored = self
                    .segments
                    .values()
                    .filter(|segment| sections.contains(&segment.id.section))
                    .cloned()
                    .collect();
                self.reply(
                    at,
                    Input::Sections { tag, result: if failed { Err(Unavailable) } else { Ok(stored) } },
                );
            }
            Effect::DeleteSegments { segments } => self.delete(failed, segments),
            Effect::ReadEnds { tag } => {
                let ends = Ends {
                    topic_id: 9,
                    partitions: 8,
                    start: 1,
                    end: self.journal.len() as u64,
                    origin: None,
                };
                self.reply(at, Input::Ends { tag, result: if failed { Err(Unavailable) } else { Ok(ends) } });
            }
            Effect::ReadEntries { tag, from } => {
                let some = 1 + self.dice.roll(12) as usize;
                let entries = self.journal.iter().skip(from as usize - 1).take(some).cloned().collect();
                let entries = Entries { entries, end: self.journal.len() as u64 };
                self.reply(
                    at,
                    Input::Entries { tag, result: if failed { Err(Unavailable) } else { Ok(entries) } },
                );
            }
            Effect::Append { tag, record, .. } => {
                let outcome = self.append_record(failed, *record);
                self.reply(at, Input::Appended { tag, outcome });
            }
            Effect::WakeAt { at: when } => {
                self.owners[at].wake = Some(self.owners[at].wake.map_or(when, |wake| wake.min(when)))
            }
            Effect::Stop(reason) => return self.stopped(at, &reason),
            Effect::Passed(CrashPoint::ReplayDone) => self.owners[at].replayed = true,
            Effect::Send { .. } | Effect::Publish { .. } | Effect::Passed(_) => {}
        }
        Ok(())
    }

    /// Effects stay off during replay; nothing at or beyond poison leaves before it is skipped.
    fn permitted(&self, at: usize, effect: &Effect) -> Result<(), Failure> {
        if matches!(effect, Effect::Append { .. } | Effect::Send { .. } | Effect::Publish { .. })
            && !self.owners[at].replayed
        {
            return wrong(format!("an effect left during replay: {effect:?}"));
        }
        let Effect::Publish { outputs } = effect else { return Ok(()) };
        for output in outputs {
            let Output::Verdict { offset, .. } = output else { continue };
            let skips = self.manifest.as_ref().map(|manifest| &manifest.skips);
            if self
                .poison
                .range(..=offset)
                .any(|poison| !skips.is_some_and(|skips| skips.contains_key(poison)))
            {
                return wrong(format!("an output of {offset} left before the poison was skip-listed"));
            }
        }
        Ok(())
    }

    fn write_manifest(&mut self, failed: bool, condition: Condition, manifest: Box<Manifest>) -> CasOutcome {
        if failed {
            match self.dice.roll(3) {
                0 => {
                    self.conditional(condition, &manifest);
                }
                1 => self.late.push(Late::Write(condition, manifest)),
                _ => {}
            }
            return CasOutcome::Unknown;
        }
        match self.conditional(condition, &manifest) {
            true => CasOutcome::Applied,
            false => CasOutcome::NotApplied { current: self.manifest.clone().map(Box::new) },
        }
    }

    fn write_segments(&mut self, failed: bool, mut segments: Vec<Segment>) -> WriteOutcome {
        let written =
            if failed { self.dice.roll(segments.len() as u64 + 1) as usize } else { segments.len() };
        let rest = segments.split_off(written);
        self.segments.extend(segments.into_iter().map(|segment| (segment.id, segment)));
        if !rest.is_empty() {
            self.late.push(Late::Segments(rest));
        }
        if failed { WriteOutcome::Unknown } else { WriteOutcome::Written }
    }

    fn delete(&mut self, failed: bool, ids: Vec<SegmentId>) {
        if failed {
            return self.late.push(Late::Delete(ids));
        }
        ids.iter().for_each(|id| {
            self.segments.remove(id);
        });
    }

    fn append_record(&mut self, failed: bool, record: journal::Record) -> AppendOutcome {
        let late = match record.body {
            Some(journal::record::Body::Step(step)) => {
                Late::Step(step.actor_id.parse().unwrap(), step.created_ms as u8)
            }
            _ => Late::Append(Op::Tick),
        };
        let at = AppendOutcome::At { shard: ShardId::users(0), offset: self.journal.len() as u64 };
        match (failed, if failed { self.dice.roll(3) } else { 0 }) {
            (true, 0) => return AppendOutcome::Refused,
            (true, 1) => {
                self.late.push(late);
                return AppendOutcome::Unknown;
            }
            (true, _) => {}
            (false, _) => {}
        }
        match late {
            Late::Step(key, saga) => self.answers.push((key, saga)),
            _ => {
                self.append(Op::Tick);
            }
        }
        if failed { AppendOutcome::Unknown } else { at }
    }

    fn stopped(&mut self, at: usize, reason: &StopReason) -> Result<(), Failure> {
        self.owners.swap_remove(at);
        match may_start_again(reason) {
            true => Ok(()),
            false => wrong(reason.to_string()),
        }
    }

    /// No faults any more: an owner must come to stand at the journal's end with all sagas settled, and hold what the pure fold holds.
    fn calm(&mut self, ticking: bool) -> Result<(), Failure> {
        for round in 0..CALM {
            if self.owners.is_empty() {
                self.start();
            }
            self.work()?;
            if round % 5 == 0 {
                self.now += 40;
                self.answer();
            }
            if round % 100 == 0 && self.is_settled(ticking) {
                return self.compare();
            }
            if round % 500 == 499
                && let Some(carrier) = self.owners.first_mut()
            {
                // What left memory comes back for whoever asks.
                carrier.inbox.push(Input::Load { sections: carrier.owner.fold().unloaded() });
            }
        }
        let state =
            self.owners.first().map(|carrier| (carrier.owner.is_live(), carrier.owner.fold().describe()));
        let poison = (
            &self.poison,
            self.manifest.as_ref().map(|manifest| (&manifest.panics, &manifest.skips, manifest.epoch)),
        );
        wrong(format!("not settled in time: journal ends at {}, {poison:?}, {state:?}", self.journal.len()))
    }

    fn is_settled(&self, ticking: bool) -> bool {
        let Some(carrier) = self.owners.first() else { return false };
        let fold = carrier.owner.fold();
        let unsettled = ticking && (fold.unsettled() > 0 || !self.answers.is_empty());
        carrier.owner.is_live()
            && fold.position() == self.journal.len() as u64
            && fold.unloaded().is_empty()
            && !unsettled
    }

    fn compare(&mut self) -> Result<(), Failure> {
        let skips = self.manifest.as_ref().map(|manifest| manifest.skips.clone()).unwrap_or_default();
        if !skips.keys().eq(self.poison.iter()) {
            return wrong(format!("skipped {skips:?}, poison is at {:?}", self.poison));
        }
        let mut pure = Toy::whole();
        let mut outputs = Outputs::default();
        for entry in &self.journal {
            match skips.get(&entry.offset) {
                Some(reason) => pure.skip(entry, reason, &mut outputs),
                None => while pure.step(entry, &mut outputs) == Progress::More {},
            }
            outputs.items.clear();
        }
        let recovered = self.owners[0].owner.fold();
        match recovered.digest() == pure.digest() {
            true => Ok(()),
            false => wrong(format!("recovered {}\n     pure {}", recovered.describe(), pure.describe())),
        }
    }
}
