//! The store of a shard's actors: 64 buckets by key hash, kept at sections `base_section + bucket`.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::KeyRef;
use crate::actor::{Actor, Deadlines, StateError, TimerClock};
use crate::cut::segment::{Segment, Writer};
use crate::key::{ActorKey, BUCKETS, BucketId};
use crate::owner::fold::{SectionDraft, SectionTotals};
use crate::planted::Planted;
use crate::time::Millis;

#[derive(Debug)]
pub struct Actors<A> {
    base_section: u16,
    buckets: Vec<Option<BTreeMap<String, A>>>,
    dirty: BTreeSet<String>,
    frozen: Option<(BTreeSet<String>, Vec<SectionDraft>)>,
    announced: BTreeMap<u16, [Option<Millis>; 2]>,
}

impl<A: Actor> Actors<A> {
    pub fn new(base_section: u16, _planted: Planted) -> Self {
        let buckets = (0..BUCKETS).map(|_| None).collect();
        Self { base_section, buckets, dirty: BTreeSet::new(), frozen: None, announced: BTreeMap::new() }
    }

    /// A fresh shard: every bucket is known to be empty.
    pub fn set_empty_store(&mut self) {
        self.buckets.fill_with(|| Some(BTreeMap::new()));
    }

    pub fn is_loaded(&self, bucket: BucketId) -> bool {
        self.buckets[usize::from(bucket.0)].is_some()
    }

    pub fn loaded_all(&self) -> bool {
        self.buckets.iter().all(Option::is_some)
    }

    /// The section a bucket is stored at.
    pub fn section(&self, bucket: BucketId) -> u16 {
        self.base_section + u16::from(bucket.0)
    }

    /// Takes a bucket as the committed cut holds it: base, then deltas in order; none when it holds nothing.
    pub fn load(&mut self, section: u16, segments: &[Segment]) -> Result<(), StateError> {
        let mut rows = BTreeMap::new();
        for segment in segments {
            segment.open()?.each(|entry| {
                match entry.state {
                    Some(state) => rows.insert(entry.key.to_owned(), A::decode(state)?),
                    None => rows.remove(entry.key),
                };
                Ok(())
            })?;
        }
        self.buckets[usize::from(section - self.base_section)] = Some(rows);
        Ok(())
    }

    /// Finds or makes the actor, runs `f` on it, marks it dirty; drops it when it is empty afterwards.
    pub fn fold<R>(&mut self, key: KeyRef<'_>, f: impl FnOnce(&mut A) -> R) -> Result<R, StateError>
    where
        A: Default,
    {
        let rows = self.buckets[usize::from(key.bucket().0)]
            .as_mut()
            .ok_or_else(|| StateError::Damaged("bucket is not loaded".to_owned()))?;
        let actor = rows.entry(key.text.to_owned()).or_default();
        let result = f(actor);
        if actor.is_empty() {
            rows.remove(key.text);
        }
        self.dirty.insert(key.text.to_owned());
        Ok(result)
    }

    /// Reads without dirtying: `read` sees the actor, or a decoded copy of an idle one.
    pub fn get<R>(&self, key: KeyRef<'_>, read: impl FnOnce(&A) -> R) -> Result<Option<R>, StateError> {
        let rows = self.buckets[usize::from(key.bucket().0)].as_ref();
        Ok(rows.and_then(|rows| rows.get(key.text)).map(read))
    }

    pub fn contains(&self, key: KeyRef<'_>) -> bool {
        self.buckets[usize::from(key.bucket().0)].as_ref().is_some_and(|rows| rows.contains_key(key.text))
    }

    /// Whether there was one.
    pub fn remove(&mut self, key: KeyRef<'_>) -> bool {
        self.dirty.insert(key.text.to_owned());
        let rows = self.buckets[usize::from(key.bucket().0)].as_mut();
        rows.is_some_and(|rows| rows.remove(key.text).is_some())
    }

    /// Visits every actor of a loaded bucket in key order.
    pub fn peek(&self, bucket: BucketId, mut visit: impl FnMut(KeyRef<'_>, &A)) -> Result<(), StateError> {
        for (key, actor) in self.buckets[usize::from(bucket.0)].iter().flatten() {
            visit(KeyRef { text: key, hash: xxh3_64(key.as_bytes()) }, actor);
        }
        Ok(())
    }

    /// Visits about `budget` actors in hash order, those after `after`; says where to go on.
    pub fn scan(
        &self,
        after: Option<u64>,
        budget: usize,
        mut visit: impl FnMut(KeyRef<'_>, &A),
    ) -> Result<Option<u64>, StateError> {
        let mut rows: Vec<_> = self.buckets.iter().flatten().flatten().collect();
        rows.sort_by_key(|(key, _)| xxh3_64(key.as_bytes()));
        let mut seen = 0;
        for (text, actor) in rows {
            let hash = xxh3_64(text.as_bytes());
            if after.is_some_and(|after| hash <= after) {
                continue;
            }
            visit(KeyRef { text, hash }, actor);
            seen += 1;
            if seen == budget {
                return Ok(Some(hash));
            }
        }
        Ok(None)
    }

    /// Actors in loaded buckets.
    pub fn len(&self) -> u64 {
        self.buckets.iter().flatten().map(|rows| rows.len() as u64).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Encodes up to `max` of the coldest hot actors; says how many.
    pub fn passivate(&mut self, _max: usize) -> usize {
        0
    }

    /// Bytes held in memory, but for what hot actors own beyond themselves.
    pub fn bytes(&self) -> usize {
        0
    }

    /// Tells of the timers of a bucket that is not loaded.
    pub fn announce(&mut self, section: u16, watermark: Option<Millis>, log_time: Option<Millis>) {
        self.announced.insert(section, [watermark, log_time]);
    }

    /// Sections not loaded that have timers due by `upto`.
    pub fn due_sections(&self, clock: TimerClock, upto: Millis) -> Vec<u16> {
        let due = |deadlines: &[Option<Millis>; 2]| deadlines[clock as usize].is_some_and(|at| at <= upto);
        let unloaded = |section: u16| self.buckets[usize::from(section - self.base_section)].is_none();
        self.announced.iter().filter(|(s, d)| unloaded(**s) && due(d)).map(|(s, _)| *s).collect()
    }

    /// Takes the earliest timer due by `upto`, in (deadline, key) order. The caller folds that actor, which moves its deadline.
    pub fn next_due(&mut self, clock: TimerClock, upto: Millis) -> Option<(Millis, ActorKey)> {
        let deadline = |d: Deadlines| match clock {
            TimerClock::Watermark => d.watermark,
            TimerClock::LogTime => d.log_time,
        };
        let rows = self.buckets.iter().flatten().flatten();
        let due = rows.filter_map(|(key, actor)| Some((deadline(actor.deadlines())?, key)));
        let (at, key) = due.filter(|(at, _)| *at <= upto).min()?;
        Some((at, ActorKey::parse(key)?))
    }

    /// Whether any timer waits in the loaded buckets or was announced for the others.
    pub fn has_timers(&self) -> bool {
        let waits = |actor: &A| actor.deadlines() != Deadlines::default();
        self.buckets.iter().flatten().flatten().any(|(_, actor)| waits(actor))
            || self.announced.values().flatten().any(Option::is_some)
    }

    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || self.frozen.is_some()
    }

    /// Dirty actors: a cut is due when they are many.
    pub fn dirty(&self) -> usize {
        self.dirty.len()
    }

    /// Fixes what the cut holds: every loaded actor as it is now.
    pub fn freeze(&mut self) {
        let mut drafts = Vec::new();
        let dirty = std::mem::take(&mut self.dirty);
        for bucket in 0..BUCKETS {
            let rows = self.buckets[usize::from(bucket)].as_ref();
            let Some(rows) = rows.filter(|_| {
                dirty.iter().any(|key| crate::key::bucket_of(xxh3_64(key.as_bytes())).0 == bucket)
            }) else {
                continue;
            };
            let section = self.section(BucketId(bucket));
            let mut writer = Writer::new(section, true);
            for (key, actor) in rows {
                writer.put(key.as_bytes(), actor.deadlines(), |out| actor.encode(out));
            }
            let earliest = |pick: fn(Deadlines) -> Option<Millis>| {
                rows.values().filter_map(|actor| pick(actor.deadlines())).min()
            };
            let blob = writer.finish();
            let summary = SectionTotals {
                actors: rows.len() as u64,
                bytes: blob.len() as u64,
                earliest_watermark_timer: earliest(|d| d.watermark),
                earliest_log_timer: earliest(|d| d.log_time),
            };
            drafts.push(SectionDraft { section, base: true, blob, summary });
        }
        self.frozen = Some((dirty, drafts));
    }

    /// Encodes up to `max_actors` of the frozen ones; whether all are.
    pub fn cut_slice(&mut self, _max_actors: usize) -> Result<bool, StateError> {
        Ok(true)
    }

    /// What the cut came to, once [`Actors::cut_slice`] said it is done.
    pub fn take_drafts(&mut self) -> Vec<SectionDraft> {
        self.frozen.as_mut().map(|(_, drafts)| std::mem::take(drafts)).unwrap_or_default()
    }

    /// The cut is durable.
    pub fn committed(&mut self) {
        self.frozen = None;
    }

    /// The cut was given up, finished or not: what it held is dirty again.
    pub fn abandoned(&mut self) {
        if let Some((dirty, _)) = self.frozen.take() {
            self.dirty.extend(dirty);
        }
    }

    /// Drops a loaded bucket of which a committed cut holds everything; `false` when that cannot be.
    pub fn evict(&mut self, _bucket: BucketId) -> bool {
        false
    }

    /// Order-independent digest of every actor in the loaded buckets, hot and idle alike.
    pub fn digest(&self) -> Result<u64, StateError> {
        let mut bytes = Vec::new();
        let mut sum = 0_u64;
        for (key, actor) in self.buckets.iter().flatten().flatten() {
            bytes.clear();
            bytes.extend_from_slice(key.as_bytes());
            bytes.push(0);
            actor.encode(&mut bytes);
            sum = sum.wrapping_add(xxh3_64(&bytes));
        }
        Ok(sum)
    }
}
