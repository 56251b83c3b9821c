//! A toy fold: keys in four buckets, order-sensitive counters, timers in slices, sagas, bases and deltas, poison.

use std::collections::{BTreeMap, BTreeSet};

use souk_proto::journal::v1 as journal;
use xxhash_rust::xxh3::xxh3_64;

use crate::actor::StateError;
use crate::cut::manifest::SectionSummary;
use crate::cut::segment::{HEADER, Segment};
use crate::journal::{Entry, Journal, ShardId};
use crate::key::ActorKey;
use crate::output::{Output, Outputs};
use crate::owner::fold::{Fold, Progress, SectionDraft, SectionTotals};
use crate::owner::{PeerMessage, StopReason};
use crate::tally::TallyRequest;
use crate::time::Millis;
use crate::verdict::Verdict;

pub(super) const BUCKETS: u16 = 4;
/// Deltas of a bucket before it is written whole again.
const DELTAS: usize = 2;

/// What a toy record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Tick,
    Add {
        key: u8,
        amount: u8,
    },
    Begin {
        key: u8,
        saga: u8,
    },
    Settle {
        key: u8,
        saga: u8,
    },
    Arm {
        key: u8,
        seconds: u8,
    },
    Poison,
    /// From here on only a newer build may fold.
    Barrier,
}

impl Op {
    pub(super) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Tick => vec![0, 0, 0],
            Self::Add { key, amount } => vec![1, key, amount],
            Self::Begin { key, saga } => vec![2, key, saga],
            Self::Settle { key, saga } => vec![3, key, saga],
            Self::Arm { key, seconds } => vec![4, key, seconds],
            Self::Poison => vec![5, 0, 0],
            Self::Barrier => vec![6, 0, 0],
        }
    }

    fn parse(bytes: &[u8]) -> Self {
        let (key, value) = (bytes[1], bytes[2]);
        match bytes[0] {
            0 => Self::Tick,
            1 => Self::Add { key, amount: value },
            2 => Self::Begin { key, saga: value },
            3 => Self::Settle { key, saga: value },
            4 => Self::Arm { key, seconds: value },
            5 => Self::Poison,
            _ => Self::Barrier,
        }
    }

    fn key(self) -> Option<u8> {
        match self {
            Self::Tick | Self::Poison | Self::Barrier => None,
            Self::Add { key, .. }
            | Self::Begin { key, .. }
            | Self::Settle { key, .. }
            | Self::Arm { key, .. } => Some(key),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct State {
    count: u64,
    timer: Option<Millis>,
    pending: BTreeSet<u8>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Header {
    position: u64,
    log_time: Millis,
    total: u64,
    skipped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Toy {
    header: Header,
    keys: BTreeMap<u8, State>,
    loaded: BTreeSet<u16>,
    announced: BTreeMap<u16, SectionSummary>,
    deltas: BTreeMap<u16, Option<usize>>,
    dirty: BTreeSet<u8>,
    frozen: Option<Frozen>,
}

/// A cut being encoded: the state as it was, and what is still to encode of it.
#[derive(Debug)]
struct Frozen {
    header: Header,
    dirty: BTreeSet<u8>,
    keys: BTreeMap<u8, State>,
    sections: Vec<u16>,
    drafts: Vec<SectionDraft>,
}

pub(super) fn bucket(key: u8) -> u16 {
    u16::from(key) % BUCKETS
}

impl Toy {
    /// Nothing left to load: what the pure fold begins with.
    pub(super) fn whole() -> Self {
        Self { loaded: (0..BUCKETS).chain([HEADER]).collect(), ..Self::default() }
    }

    pub(super) fn unsettled(&self) -> usize {
        self.keys.values().map(|state| state.pending.len()).sum()
    }

    pub(super) fn unloaded(&self) -> Vec<u16> {
        (0..BUCKETS).filter(|section| !self.loaded.contains(section)).collect()
    }

    pub(super) fn describe(&self) -> String {
        format!("{:?} {:?}", self.header, self.keys)
    }

    fn touch(&mut self, key: u8) -> &mut State {
        assert!(self.loaded.contains(&bucket(key)), "key {key} is not loaded");
        self.dirty.insert(key);
        self.keys.entry(key).or_default()
    }

    fn next_due(&self) -> Option<(Millis, u8)> {
        let due = self.keys.iter().filter_map(|(key, state)| Some((state.timer?, *key)));
        due.min().filter(|(deadline, _)| *deadline <= self.header.log_time)
    }

    fn apply(&mut self, entry: &Entry, out: &mut Outputs) {
        match Op::parse(&entry.bytes) {
            Op::Tick | Op::Barrier => {}
            Op::Poison => std::panic::resume_unwind(Box::new("poison")),
            Op::Add { key, amount } => {
                let state = self.touch(key);
                state.count =
                    state.count.wrapping_mul(31).wrapping_add(u64::from(amount)).wrapping_add(entry.offset);
                let count = state.count;
                self.header.total = self.header.total.wrapping_mul(7).wrapping_add(count);
            }
            Op::Begin { key, saga } => {
                self.touch(key).pending.insert(saga);
                out.push(step_of(key, saga));
            }
            Op::Settle { key, saga } => {
                let state = self.touch(key);
                if state.pending.remove(&saga) {
                    state.count = state.count.wrapping_mul(13).wrapping_add(u64::from(saga));
                }
            }
            Op::Arm { key, seconds } => {
                let deadline = self.header.log_time + i64::from(seconds) * 1_000;
                self.touch(key).timer = Some(deadline);
            }
        }
        out.push(Output::Verdict { offset: entry.offset, verdict: Verdict::Counted });
    }
}

fn step_of(key: u8, saga: u8) -> Output {
    let step = Box::new(journal::Step {
        shop: "main".into(),
        actor_id: key.to_string(),
        created_ms: i64::from(saga),
        action: None,
    });
    Output::Step { journal: Journal::Products, to: ActorKey::new("main", &key.to_string()), step }
}

fn put(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn encode(keys: impl IntoIterator<Item = (u8, State)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, state) in keys {
        put(&mut out, u64::from(key));
        put(&mut out, state.count);
        put(&mut out, state.timer.map_or(u64::MAX, |at| at as u64));
        put(&mut out, state.pending.len() as u64);
        state.pending.iter().for_each(|saga| put(&mut out, u64::from(*saga)));
    }
    out
}

fn decode(bytes: &[u8]) -> Vec<(u8, State)> {
    let mut words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    let mut keys = Vec::new();
    while let Some(key) = words.next() {
        let count = words.next().unwrap();
        let timer = words.next().filter(|at| *at != u64::MAX).map(|at| at as i64);
        let pending = (0..words.next().unwrap()).map(|_| words.next().unwrap() as u8).collect::<Vec<_>>();
        keys.push((key as u8, State { count, timer, pending: pending.into_iter().collect() }));
    }
    keys
}

fn encode_header(header: Header) -> Vec<u8> {
    let mut out = Vec::new();
    [header.position, header.log_time as u64, header.total, header.skipped]
        .into_iter()
        .for_each(|word| put(&mut out, word));
    out
}

impl Fold for Toy {
    fn id(&self) -> ShardId {
        ShardId::users(0)
    }
    fn position(&self) -> u64 {
        self.header.position
    }
    fn fold_version(&self) -> u32 {
        1
    }
    fn settings_hash(&self) -> u64 {
        7
    }

    fn needed_at_start(&self) -> Vec<u16> {
        vec![HEADER]
    }

    fn lacks(&self, section: u16) -> bool {
        section < BUCKETS && !self.loaded.contains(&section)
    }

    fn missing(&mut self, entry: &Entry) -> Vec<u16> {
        let log_time = self.header.log_time.max(entry.append_time);
        let timers = self
            .announced
            .iter()
            .filter(|(_, summary)| summary.earliest_log_timer.is_some_and(|at| at <= log_time));
        let own = Op::parse(&entry.bytes).key().map(bucket);
        timers
            .map(|(section, _)| *section)
            .chain(own)
            .filter(|section| !self.loaded.contains(section))
            .collect()
    }

    fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError> {
        assert!(self.loaded.insert(section), "section {section} was loaded twice");
        self.announced.remove(&section);
        self.deltas.insert(section, segments.len().checked_sub(1));
        for segment in segments {
            if section == HEADER {
                let words: Vec<u64> = segment
                    .blob
                    .chunks_exact(8)
                    .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
                    .collect();
                self.header = Header {
                    position: words[0],
                    log_time: words[1] as i64,
                    total: words[2],
                    skipped: words[3],
                };
            } else {
                self.keys.extend(decode(&segment.blob));
            }
        }
        Ok(())
    }

    fn announce(&mut self, section: u16, summary: &SectionSummary) {
        self.announced.insert(section, summary.clone());
    }

    fn refuses(&mut self, entry: &Entry) -> Option<String> {
        (Op::parse(&entry.bytes) == Op::Barrier).then(|| "fold version 2 begins here".to_owned())
    }

    fn step(&mut self, entry: &Entry, out: &mut Outputs) -> Progress {
        self.header.log_time = self.header.log_time.max(entry.append_time);
        if let Some((deadline, key)) = self.next_due() {
            let state = self.touch(key);
            state.timer = None;
            state.count = state.count.wrapping_mul(17).wrapping_add(deadline as u64);
            return Progress::More;
        }
        self.apply(entry, out);
        self.header.position = entry.offset;
        Progress::Done
    }

    fn skip(&mut self, entry: &Entry, _reason: &str, out: &mut Outputs) {
        self.header.log_time = self.header.log_time.max(entry.append_time);
        self.header.position = entry.offset;
        self.header.skipped += 1;
        out.push(Output::Verdict { offset: entry.offset, verdict: Verdict::Late });
    }

    fn wants_ticks(&self) -> bool {
        self.keys.values().any(|state| state.timer.is_some() || !state.pending.is_empty())
            || self.announced.values().any(|summary| summary.earliest_log_timer.is_some())
    }

    fn freeze(&mut self) {
        assert!(self.frozen.is_none(), "one cut at a time");
        let dirty = std::mem::take(&mut self.dirty);
        let mut sections: Vec<u16> =
            dirty.iter().map(|key| bucket(*key)).collect::<BTreeSet<_>>().into_iter().collect();
        sections.push(HEADER);
        let keys = self.keys.clone();
        self.frozen = Some(Frozen { header: self.header, dirty, keys, sections, drafts: Vec::new() });
    }

    fn cut_slice(&mut self) -> Option<Vec<SectionDraft>> {
        let Frozen { header, dirty, keys, sections, drafts } = self.frozen.as_mut().expect("frozen");
        let Some(section) = sections.pop() else { return Some(std::mem::take(drafts)) };
        let of_section = |key: &u8| bucket(*key) == section;
        let deltas = self.deltas.get(&section).copied().flatten();
        let base = section == HEADER || deltas.is_none_or(|deltas| deltas >= DELTAS);
        let blob = match section {
            HEADER => encode_header(*header),
            _ => encode(
                keys.iter()
                    .filter(|(key, _)| of_section(key) && (base || dirty.contains(key)))
                    .map(|(k, s)| (*k, s.clone())),
            ),
        };
        let timer = keys
            .iter()
            .filter(|(key, _)| section != HEADER && of_section(key))
            .filter_map(|(_, state)| state.timer)
            .min();
        let summary = SectionTotals { earliest_log_timer: timer, ..SectionTotals::default() };
        drafts.push(SectionDraft { section, base, blob, summary });
        None
    }

    fn cut_committed(&mut self) {
        let Frozen { dirty, .. } = self.frozen.take().expect("frozen");
        for section in dirty.iter().map(|key| bucket(*key)).collect::<BTreeSet<_>>() {
            let deltas = self.deltas.entry(section).or_default();
            *deltas = match *deltas {
                Some(deltas) if deltas < DELTAS => Some(deltas + 1),
                _ => Some(0),
            };
        }
    }

    fn cut_abandoned(&mut self) {
        let Frozen { dirty, .. } = self.frozen.take().expect("frozen");
        self.dirty.extend(dirty);
    }

    fn bytes(&self) -> u64 {
        self.keys.len() as u64
    }

    fn cool(&mut self, _most: usize) -> usize {
        0
    }

    fn unload(&mut self) -> bool {
        if self.frozen.is_some() {
            return false;
        }
        let clean =
            |section: &u16| *section < BUCKETS && !self.dirty.iter().any(|key| bucket(*key) == *section);
        let Some(section) = self.loaded.iter().copied().find(clean) else { return false };
        self.loaded.remove(&section);
        let gone = self.keys.extract_if(.., |key, _| bucket(*key) == section);
        let timer = gone.filter_map(|(_, state)| state.timer).min();
        self.announced
            .insert(section, SectionSummary { earliest_log_timer: timer, ..SectionSummary::default() });
        true
    }

    fn missing_to_resend(&self, _after: Option<u64>) -> Vec<u16> {
        self.announced.keys().copied().collect()
    }

    fn resend(&mut self, after: Option<u64>, budget: usize, out: &mut Outputs) -> Option<u64> {
        let steps =
            self.keys.iter().flat_map(|(key, state)| state.pending.iter().map(move |saga| (*key, *saga)));
        let from = after.unwrap_or(0) as usize;
        let budget = budget.min(2);
        let some: Vec<_> = steps.skip(from).take(budget).collect();
        out.items.extend(some.iter().map(|(key, saga)| step_of(*key, *saga)));
        (some.len() == budget).then_some((from + budget) as u64)
    }

    fn peer_messages(&mut self, _epoch: u64, _budget: usize) -> Vec<(ShardId, PeerMessage)> {
        vec![(ShardId::products(0), PeerMessage::TallySince(TallyRequest { since: self.header.position }))]
    }

    fn receive(&mut self, _from: ShardId, _message: PeerMessage) {}

    fn digest(&self) -> u64 {
        let mut bytes = encode_header(self.header);
        bytes.extend(encode(
            self.keys.iter().filter(|(_, state)| **state != State::default()).map(|(k, s)| (*k, s.clone())),
        ));
        xxh3_64(&bytes)
    }
}

/// Which stops a fresh start may follow.
pub(super) fn may_start_again(reason: &StopReason) -> bool {
    !matches!(reason, StopReason::Refused(_))
}
