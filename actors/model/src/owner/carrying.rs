//! Carrying: the owner folds its shard. First it replays with effects off, up to the journal's end as it was at the
//! takeover; then it is live. Reading, loading, cutting, re-sends, ticks and peers each have a file; this one gives them their turn.

use std::collections::{BTreeSet, VecDeque};

use crate::bucket::WARMED;
use crate::cut::manifest::Manifest;
use crate::journal::Entry;
use crate::limits::{COOLED_PER_STEP, LOAD_ROUNDS, SLICES_PER_HANDLE};
use crate::output::{Output, Outputs};
use crate::owner::appends::Appends;
use crate::owner::cutting::{Cutting, LastRecord};
use crate::owner::effect::{CrashPoint, Effect, StopReason, Tag};
use crate::owner::fold::Progress;
use crate::owner::input::{Ends, Input, Unavailable};
use crate::owner::loading::{Loaded, Loading};
use crate::owner::peers::Peers;
use crate::owner::reader::Reader;
use crate::owner::resends::Resends;
use crate::owner::skip::guarded;
use crate::owner::ticks::Ticks;
use crate::owner::{Core, Fold, Halt};
use crate::planted::Bug;
use crate::time::{Millis, SECOND};

/// A hand-over that cannot cut in time leaves the rest to replay.
const HAND_OVER_PATIENCE: Millis = 10 * SECOND;

pub(super) struct Carrying {
    /// As this owner's last applied write left it.
    pub(super) manifest: Manifest,
    /// Effects stay off until this offset is folded; `None` when live.
    replay_to: Option<u64>,
    log_time: Millis,
    /// Entries read, the next to fold first.
    queue: VecDeque<Entry>,
    /// How many entries at the queue's front have all they touch loaded.
    prepared: usize,
    /// The front entry is folded in part: more slices of it are to come.
    half_folded: bool,
    /// The last entry folded; `None` while that is the cut's.
    last: Option<Entry>,
    loading: Option<Loading>,
    load_rounds: u32,
    /// Sections readers asked for: not loaded when they did.
    wanted: BTreeSet<u16>,
    /// Outputs of folded entries, and how many of them belong to entries folded to the end.
    outputs: Outputs,
    ready: usize,
    reader: Reader,
    cutting: Cutting,
    appends: Appends,
    resends: Resends,
    ticks: Ticks,
    peers: Peers,
    /// Handing over: give up waiting at this time.
    hand_over: Option<Millis>,
}

impl Carrying {
    pub(super) fn begin<F: Fold>(core: &mut Core<F>, manifest: Manifest, ends: &Ends) -> Self {
        let skipped = u64::from(core.config.planted.has(Bug::ReplayOffByOne));
        let reader = Reader::new(manifest.epoch, manifest.position + 1 + skipped, ends.end, &core.clock);
        let cutting = Cutting::new(&manifest, core.clock.now());
        Self {
            replay_to: Some(ends.end),
            log_time: manifest.position_time,
            manifest,
            queue: VecDeque::new(),
            prepared: 0,
            half_folded: false,
            last: None,
            loading: None,
            load_rounds: 0,
            wanted: BTreeSet::new(),
            outputs: Outputs::default(),
            ready: 0,
            reader,
            cutting,
            appends: Appends::default(),
            resends: Resends::default(),
            ticks: Ticks::default(),
            peers: Peers::default(),
            hand_over: None,
        }
    }

    pub(super) fn end(&self) -> u64 {
        self.reader.end()
    }

    pub(super) fn is_live(&self) -> bool {
        self.replay_to.is_none()
    }

    pub(super) fn handle<F: Fold>(
        mut self: Box<Self>,
        core: &mut Core<F>,
        input: Input,
        out: &mut Vec<Effect>,
    ) -> Result<Box<Self>, Halt> {
        match input {
            Input::Entries { tag, result } => self.reader.entries(core, tag, result, &mut self.queue, out)?,
            Input::Ends { tag, result } => self.reader.ends(core, tag, result, &mut self.queue)?,
            Input::Sections { tag, result } => self.sections(core, tag, result, out)?,
            Input::Manifest { .. } | Input::Flipped { .. } | Input::SegmentsWritten { .. } => {
                self.cutting.input(core, &mut self.manifest, input, out)?;
            }
            Input::Appended { tag, .. } => {
                self.appends.answered(tag);
                self.ticks.answered(tag);
            }
            Input::Peer { from, message } => core.fold.receive(from, message),
            Input::Load { sections } => self.wanted.extend(sections),
            Input::HandOver { now } => self.hand_over = self.hand_over.or(Some(now + HAND_OVER_PATIENCE)),
            Input::Start { .. } | Input::Woken { .. } => {}
        }
        self.advance(core, out)
    }

    /// Does whatever can be done now, folding a bounded number of slices.
    pub(super) fn advance<F: Fold>(
        mut self: Box<Self>,
        core: &mut Core<F>,
        out: &mut Vec<Effect>,
    ) -> Result<Box<Self>, Halt> {
        self.cutting.poll(core, &mut self.manifest, out)?;
        if let Some(loading) = &mut self.loading
            && loading.poll(core, out)? == Loaded::Over
        {
            self.loading = None;
        }
        self.reader.poll(core, self.queue.len(), out)?;
        self.prepare(core, out)?;
        self.fold(core, out)?;
        self.let_out(core, out);
        self.cut(core, out);
        if self.is_live() {
            self.appends.expire(core.clock.now());
            self.resends.poll(core, self.log_time, &mut self.appends, out);
            self.peers.poll(core, self.manifest.epoch, self.reader.behind() + self.queue.len() as u64, out);
            if self.queue.is_empty() && self.hand_over.is_none() {
                self.ticks.poll(core, &self.reader, out);
            }
        }
        match self.is_handed_over(core) {
            true => Err(StopReason::HandedOver.into()),
            false => Ok(self),
        }
    }

    pub(super) fn wake<F: Fold>(&self, core: &Core<F>) -> Millis {
        let now = core.clock.now();
        let folding = !self.queue.is_empty()
            && !self.is_waiting_for_sections()
            && (self.hand_over.is_none() || self.half_folded);
        if folding || (self.hand_over.is_some() && self.cutting.is_encoding()) {
            return now;
        }
        let loading = self.loading.as_ref().map_or(Millis::MAX, Loading::wake);
        let peers = if self.is_live() { self.peers.wake(core) } else { Millis::MAX };
        self.reader.wake(self.queue.len()).min(self.cutting.wake()).min(loading).min(peers)
    }

    fn is_waiting_for_sections(&self) -> bool {
        self.loading.as_ref().is_some_and(Loading::is_needed)
    }

    /// Loads what the entries read since touch, all of it in one request, before any of them folds; with it, or when nothing is missing,
    /// what readers want. With every actor in memory entries are looked at a few at a time: what is decoded is folded while the cache has
    /// it, and waits for memory together.
    fn prepare<F: Fold>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) -> Result<(), Halt> {
        self.wanted.retain(|section| core.fold.lacks(*section));
        if self.is_waiting_for_sections() || self.hand_over.is_some() {
            return Ok(());
        }
        let ahead = if core.fold.is_whole() { self.queue.len().min(WARMED) } else { self.queue.len() };
        let missing = self.missing(core, ahead)?;
        if missing.is_empty() {
            self.prepared = self.prepared.max(ahead);
            self.load_rounds = 0;
            core.fold.warm();
            if self.loading.is_none() && !self.wanted.is_empty() {
                let wanted = std::mem::take(&mut self.wanted);
                self.loading = Loading::begin(core, &self.manifest, wanted, false, out)?;
            }
            return Ok(());
        }
        if let Some(loading) = &mut self.loading {
            loading.need();
            return Ok(());
        }
        if self.load_rounds == LOAD_ROUNDS {
            let finding =
                format!("sections {missing:?} are still missing after they were loaded {LOAD_ROUNDS} times");
            return Err(Halt::Doubt { epoch: self.manifest.epoch, finding });
        }
        self.load_rounds += 1;
        let sections = &missing | &std::mem::take(&mut self.wanted);
        self.loading = Loading::begin(core, &self.manifest, sections, true, out)?;
        match self.loading {
            Some(_) => Ok(()),
            None => self.prepare(core, out),
        }
    }

    /// Sections that a sweep of re-sends and the next so many entries need before they go on.
    fn missing<F: Fold>(&self, core: &mut Core<F>, ahead: usize) -> Result<BTreeSet<u16>, Halt> {
        let mut missing = if self.is_live() { self.resends.missing(core) } else { BTreeSet::new() };
        for entry in self.queue.range(self.prepared.min(ahead)..ahead) {
            if self.manifest.skips.contains_key(&entry.offset) {
                missing.extend(core.fold.missing_for_skip(entry));
                continue;
            }
            let offset = entry.offset;
            missing.extend(guarded(self.manifest.epoch, offset, || core.fold.missing(entry))?);
        }
        Ok(missing)
    }

    /// One step towards holding no more than this in memory; whether another may help. Sections leave only while nothing that was read
    /// waits to be folded: what it touches must stay.
    pub(super) fn shrink<F: Fold>(&self, core: &mut Core<F>, to_bytes: u64) -> bool {
        core.fold.bytes() > to_bytes
            && (core.fold.cool(COOLED_PER_STEP) > 0 || (self.queue.is_empty() && core.fold.unload()))
    }

    fn sections<F: Fold>(
        &mut self,
        core: &mut Core<F>,
        tag: Tag,
        result: Result<Vec<crate::cut::segment::Segment>, Unavailable>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Halt> {
        if let Some(loading) = &mut self.loading
            && loading.sections(core, &self.manifest, tag, result, out)? == Loaded::Over
        {
            self.loading = None;
        }
        Ok(())
    }

    /// Folds prepared entries, some slices of them at most.
    fn fold<F: Fold>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) -> Result<(), Halt> {
        self.reached(core, out);
        for _ in 0..core.config.slices_per_handle.clamp(1, SLICES_PER_HANDLE) {
            if self.hand_over.is_some() && !self.half_folded {
                return Ok(());
            }
            if self.prepared == 0 && !self.queue.is_empty() {
                self.prepare(core, out)?;
            }
            if self.prepared == 0 {
                return Ok(());
            }
            if !self.half_folded {
                self.may_fold(core, out)?;
            }
            let settings = (core.fold.settings_hash(), core.fold.fold_version());
            self.half_folded = self.slice(core)? == Progress::More;
            if self.half_folded {
                continue;
            }
            self.ready = self.outputs.items.len();
            self.prepared -= 1;
            self.last = self.queue.pop_front();
            self.log_time =
                self.last.as_ref().map_or(self.log_time, |entry| self.log_time.max(entry.append_time));
            self.reached(core, out);
            if settings != (core.fold.settings_hash(), core.fold.fold_version()) {
                // Other settings, other deadlines: what the rest touches must be asked again.
                self.prepared = 0;
                self.prepare(core, out)?;
            }
        }
        Ok(())
    }

    /// Stops before an entry this build must not fold; what came before it is let out first.
    fn may_fold<F: Fold>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) -> Result<(), Halt> {
        let Some(entry) = self.queue.front().filter(|entry| !self.manifest.skips.contains_key(&entry.offset))
        else {
            return Ok(());
        };
        match guarded(self.manifest.epoch, entry.offset, || core.fold.refuses(entry))? {
            Some(why) => {
                self.let_out(core, out);
                Err(StopReason::Refused(why).into())
            }
            None => Ok(()),
        }
    }

    fn slice<F: Fold>(&mut self, core: &mut Core<F>) -> Result<Progress, Halt> {
        let Some(entry) = self.queue.front() else { return Ok(Progress::Done) };
        let outputs = &mut self.outputs;
        guarded(self.manifest.epoch, entry.offset, || match self.manifest.skips.get(&entry.offset) {
            Some(reason) => {
                core.fold.skip(entry, reason, outputs);
                Progress::Done
            }
            None => core.fold.step(entry, outputs),
        })
    }

    /// Turns effects on once the journal's end as it was at the takeover is reached.
    fn reached<F: Fold>(&mut self, core: &Core<F>, out: &mut Vec<Effect>) {
        let Some(goal) = self.replay_to else { return };
        if !core.config.planted.has(Bug::EffectsDuringReplay) {
            self.outputs.items.clear();
            self.ready = 0;
        }
        let position = self.last.as_ref().map_or(self.manifest.position, |entry| entry.offset);
        if position >= goal {
            self.replay_to = None;
            out.push(Effect::Passed(CrashPoint::ReplayDone));
        }
    }

    /// Lets out what folding produced, of entries folded to the end.
    fn let_out<F: Fold>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) {
        if self.ready == 0 {
            return;
        }
        let mut published = Vec::new();
        let mut appended = false;
        for output in self.outputs.items.drain(..self.ready) {
            match output {
                Output::Step { journal, to, step } => {
                    self.resends.sent(&to, &step, self.log_time);
                    self.appends.send(core, journal, to, *step, out);
                    appended = true;
                }
                output => published.push(output),
            }
        }
        self.ready = 0;
        if appended {
            out.push(Effect::Passed(CrashPoint::StepsAppended));
        }
        if !published.is_empty() {
            out.push(Effect::Publish { outputs: published });
        }
    }

    /// Whether a cut is under way.
    pub(super) fn is_cutting(&self) -> bool {
        !self.cutting.is_idle()
    }

    /// Whether a cut begins as soon as there is room for it.
    pub(super) fn wants_to_cut<F: Fold>(&self, core: &Core<F>) -> bool {
        let position = self.last.as_ref().map_or(self.manifest.position, |entry| entry.offset);
        self.cutting.is_due(&self.manifest, position, self.log_time, core.clock.now())
    }

    /// Begins a cut that is due, between two records, or encodes a slice of the one under way.
    fn cut<F: Fold>(&mut self, core: &mut Core<F>, out: &mut Vec<Effect>) {
        if self.cutting.is_encoding() {
            return self.cutting.encode(core, self.hand_over.is_some(), &self.manifest, out);
        }
        let last = match &self.last {
            Some(entry) if !self.half_folded => entry,
            _ => return,
        };
        let behind = last.offset > self.manifest.position;
        let handing_over = self.hand_over.is_some() && self.is_live() && self.cutting.is_idle() && behind;
        let now = core.clock.now();
        let due = match core.room_to_cut {
            true => self.cutting.is_due(&self.manifest, last.offset, self.log_time, now),
            false => self.cutting.is_overdue(&self.manifest, last.offset, self.log_time, now),
        };
        if handing_over || due {
            let last =
                LastRecord { offset: last.offset, append_time: last.append_time, checksum: last.checksum() };
            self.cutting.begin(core, last, out);
        }
    }

    /// Whether there is nothing left to do before another owner takes over.
    fn is_handed_over<F>(&self, core: &Core<F>) -> bool {
        let Some(until) = self.hand_over else { return false };
        let position = self.last.as_ref().map_or(self.manifest.position, |entry| entry.offset);
        let done = self.cutting.is_idle() && !self.half_folded && position == self.manifest.position;
        done || !self.is_live() || core.clock.now() >= until
    }
}
