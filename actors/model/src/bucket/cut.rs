//! A shard's actors as they were at one position, taken in slices while folding goes on.
//!
//! Freezing takes no time: the dirty list is put aside and the mark of the dirty changes, so that an actor still carrying the old one is
//! frozen and not yet encoded, bucket by bucket. Whoever is about to change such an actor encodes it first ([`Cut::preserve`]). Each changed bucket becomes
//! a delta; one bucket a cut, whose deltas outgrew its base, is written whole, in the order of its index.

use std::collections::VecDeque;

use super::actors::Actors;
use super::index::{Place, tag_of};
use super::slab::{Body, CLEAN, Mark, Slot};
use super::store::Bucket;
use super::warm::WARMED;
use crate::actor::{Actor, Deadlines, StateError};
use crate::cut::segment::Writer;
use crate::key::{BUCKETS, bucket_of};
use crate::limits::{CUT_BYTES_PER_SLICE, SECTION_DELTAS};
use crate::owner::fold::{SectionDraft, SectionTotals};
use crate::planted::{Bug, Planted};

/// Actors of a base looked at between two looks at the budget.
const STRIDE: usize = 64;
/// Room set aside for an actor in its section's first blob, compressed: most need less. A blob that must grow is copied, within one slice.
const BLOB_BYTES_OF_AN_ACTOR: usize = 128;
/// Of later blobs: room for so many times what an actor took in the last one.
const BLOB_ROOM: usize = 2;
/// Beyond the last tag.
const ALL_TAGS: u64 = 1 << 32;

#[derive(Debug)]
pub(super) struct Cut {
    /// Hashes of the frozen actors by bucket. Kept to the end: should the cut be abandoned, they are dirty again.
    frozen: Vec<Vec<u64>>,
    /// Bucket, and place within its frozen ones, that come next.
    next: (usize, usize),
    mark: Mark,
    sections: Vec<Section>,
    /// Sections with a block to compress, once per block.
    waiting: VecDeque<u8>,
    rewrite: Option<Rewrite>,
    /// Everything is encoded.
    closed: bool,
    /// Actors taken as removed: their slots are kept until the removal is durable.
    removed: Vec<u64>,
    planted: Planted,
}

/// One bucket's part in the cut.
#[derive(Debug)]
struct Section {
    id: u16,
    base: bool,
    /// Actors the cut takes of it, or a few more.
    expected: usize,
    /// Bytes of blob set aside for each.
    room_each: usize,
    writer: Option<Writer>,
    /// As frozen; `bytes` as stored before this cut.
    totals: SectionTotals,
    /// Bytes of the blob, once the draft was taken.
    written: Option<u64>,
}

/// A bucket being written whole. Actors with tags from `next` on are still to come.
#[derive(Debug)]
struct Rewrite {
    number: u8,
    next: u64,
}

impl Cut {
    /// To be called before an actor changes: if it is part of the cut and not encoded yet, it is encoded now.
    pub(super) fn preserve<A: Actor>(&mut self, number: u8, slot: &mut Slot<A>) {
        if self.planted.has(Bug::CutNotFrozen) {
            return;
        }
        let tag = u64::from(tag_of(slot.hash));
        let in_base = || self.rewrite.as_ref().is_some_and(|r| r.number == number && tag >= r.next);
        if slot.mark == self.mark || (slot.mark == CLEAN && in_base()) {
            slot.mark = CLEAN;
            self.take(number, slot);
        }
    }

    /// Whether an actor with this mark is still to be encoded. (The planted bug takes it as it is now, changed or not.)
    fn wants(&self, mark: Mark, base: bool) -> bool {
        mark == self.mark || (base && mark == CLEAN) || self.planted.has(Bug::CutNotFrozen)
    }

    fn rewrites(&self, number: u8) -> bool {
        self.rewrite.as_ref().is_some_and(|rewrite| rewrite.number == number)
    }

    fn take<A: Actor>(&mut self, number: u8, slot: &Slot<A>) -> usize {
        let key = slot.key.as_bytes();
        match &slot.body {
            Body::Is(actor) => self.put(number, key, actor.deadlines(), |out| actor.encode(out)),
            Body::Gone | Body::Vacant => {
                self.removed.push(slot.hash);
                self.write(number, |writer| if writer.is_base() { 0 } else { writer.remove(key) })
            }
        }
    }

    fn put(
        &mut self,
        number: u8,
        key: &[u8],
        deadlines: Deadlines,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        self.write(number, |writer| writer.put(key, deadlines, encode))
    }

    fn write(&mut self, number: u8, put: impl FnOnce(&mut Writer) -> usize) -> usize {
        let section = &mut self.sections[usize::from(number)];
        let room = section.expected * section.room_each;
        let writer = section.writer.get_or_insert_with(|| Writer::new(section.id, section.base, room));
        let before = writer.waiting();
        let bytes = put(writer);
        if writer.waiting() > before {
            self.waiting.push_back(number);
        }
        bytes
    }

    /// Compresses blocks that wait, as many as a slice bears; whether there were any.
    fn compress(&mut self) -> bool {
        let mut bytes = 0;
        while bytes < CUT_BYTES_PER_SLICE {
            let Some(number) = self.waiting.pop_front() else { break };
            bytes += self.sections[usize::from(number)].writer.as_mut().map_or(0, Writer::compress);
        }
        bytes > 0
    }

    fn close(&mut self) {
        self.closed = true;
        for (number, section) in self.sections.iter_mut().enumerate() {
            let Some(writer) = &mut section.writer else { continue };
            let before = writer.waiting();
            writer.close();
            if writer.waiting() > before {
                self.waiting.push_back(number as u8);
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let writers = self.sections.iter().filter_map(|section| section.writer.as_ref());
        let frozen = self.frozen.iter().map(Vec::capacity).sum::<usize>() * size_of::<u64>();
        writers.map(Writer::bytes).sum::<usize>() + frozen
    }
}

impl<A: Actor> Actors<A> {
    pub fn is_dirty(&self) -> bool {
        self.dirty > 0 || self.cut.is_some()
    }

    /// Dirty actors: a cut is due when they are many.
    pub fn dirty(&self) -> usize {
        self.dirty
    }

    /// Fixes what the cut holds: every actor as it is now. The cut before it must be committed or abandoned.
    pub fn freeze(&mut self) {
        if self.cut.is_some() {
            debug_assert!(false, "one cut at a time");
            self.abandoned();
        }
        let take = |bucket: &mut Option<Bucket>| bucket.as_mut().map_or_else(Vec::new, Bucket::take_dirty);
        let frozen: Vec<Vec<u64>> = self.buckets.iter_mut().map(take).collect();
        self.dirty = 0;
        let rewrite = self.outgrown().map(|number| Rewrite { number, next: 0 });
        let sections = (0..BUCKETS).zip(&frozen);
        let sections = sections
            .map(|(number, frozen)| self.section_now(number, rewrite.as_ref(), frozen.len()))
            .collect();
        let mut cut = Cut {
            frozen,
            next: (0, 0),
            mark: self.mark,
            sections,
            waiting: VecDeque::new(),
            rewrite,
            closed: false,
            removed: Vec::new(),
            planted: self.planted,
        };
        if let Some(number) = cut.rewrite.as_ref().map(|rewrite| rewrite.number) {
            cut.write(number, |_| 0); // a base is written even if nothing is left to stand in it
        }
        self.cut = Some(Box::new(cut));
        self.mark = 3 - self.mark;
    }

    fn section_now(&self, number: u8, rewrite: Option<&Rewrite>, frozen: usize) -> Section {
        let bucket = self.buckets[usize::from(number)].as_ref();
        let stored = bucket.map(|bucket| bucket.stored).unwrap_or_default();
        let rewrites = rewrite.is_some_and(|rewrite| rewrite.number == number);
        Section {
            id: self.base_section + u16::from(number),
            base: !stored.base || rewrites,
            room_each: bucket
                .map_or(0, |bucket| bucket.blob_bytes_each * BLOB_ROOM)
                .max(BLOB_BYTES_OF_AN_ACTOR),
            expected: bucket.map_or(0, |bucket| if rewrites { bucket.live as usize } else { frozen }),
            writer: None,
            totals: SectionTotals {
                actors: bucket.map_or(0, |bucket| bucket.live),
                bytes: stored.base_bytes + stored.delta_bytes,
                earliest_watermark_timer: self.due.earliest(0, number),
                earliest_log_timer: self.due.earliest(1, number),
            },
            written: None,
        }
    }

    /// The bucket that needs a new base most: its deltas hold as much as its base, or they are very many.
    fn outgrown(&self) -> Option<u8> {
        let need = |bucket: &Bucket| {
            let stored = bucket.stored;
            let by_bytes = stored.delta_bytes.saturating_mul(SECTION_DELTAS) / stored.base_bytes.max(1);
            if stored.base { by_bytes.max(stored.deltas) } else { 0 }
        };
        let loaded = (0..BUCKETS).zip(&self.buckets).filter_map(|(n, b)| b.as_ref().map(|b| (need(b), n)));
        loaded.filter(|(need, _)| *need >= SECTION_DELTAS).max().map(|(_, number)| number)
    }

    /// Encodes up to `max_actors` of the frozen ones, or compresses some of what is encoded; whether all is done.
    pub fn cut_slice(&mut self, max_actors: usize) -> Result<bool, StateError> {
        let Some(mut cut) = self.cut.take() else { return Ok(true) };
        if !cut.compress() && !cut.closed {
            let mut budget = Budget { actors: max_actors, bytes: CUT_BYTES_PER_SLICE };
            self.take_frozen(&mut cut, &mut budget);
            let scanned = cut.next.0 == cut.frozen.len() && self.take_base(&mut cut, &mut budget);
            if scanned {
                cut.close();
            }
        }
        let done = cut.closed && cut.waiting.is_empty();
        self.cut = Some(cut);
        Ok(done)
    }

    fn take_frozen(&mut self, cut: &mut Cut, budget: &mut Budget) {
        let mut places = Vec::new();
        while let Some(frozen) = cut.frozen.get(cut.next.0).filter(|_| budget.lasts()) {
            let number = cut.next.0 as u8;
            let hash = frozen.get(cut.next.1).filter(|_| !cut.rewrites(number)); // or stands in its base
            let (Some(&hash), Some(bucket)) = (hash, &self.buckets[cut.next.0]) else {
                cut.next = (cut.next.0 + 1, 0);
                continue;
            };
            if cut.next.1.is_multiple_of(WARMED) {
                self.warm_hashes(frozen[cut.next.1..].iter().copied());
            }
            cut.next.1 += 1;
            bucket.with_hash(&self.slab, hash, &mut places);
            for place in places.drain(..) {
                budget.spend(self.take_place(cut, number, place));
            }
        }
    }

    /// Goes on with the bucket that is written whole; whether there is none or it is through.
    fn take_base(&mut self, cut: &mut Cut, budget: &mut Budget) -> bool {
        let Some(Rewrite { number, mut next }) = cut.rewrite else { return true };
        let mut places = Vec::new();
        while next < ALL_TAGS && budget.lasts() {
            let Some(bucket) = self.buckets[usize::from(number)].as_ref() else { break };
            let from = next;
            next = ALL_TAGS;
            let mut last = None;
            for (tag, place) in bucket.index.from(from as u32) {
                if places.len() >= STRIDE && last != Some(tag) {
                    next = u64::from(tag); // a whole tag at once: within one there is no order
                    break;
                }
                last = Some(tag);
                places.push(place);
            }
            for place in places.drain(..) {
                budget.spend(self.take_place(cut, number, place));
            }
        }
        cut.rewrite = Some(Rewrite { number, next });
        next == ALL_TAGS
    }

    /// Encodes the actor at `place` if the cut still wants it; the bytes that took.
    fn take_place(&mut self, cut: &mut Cut, number: u8, place: Place) -> usize {
        let Some(bucket) = self.buckets[usize::from(number)].as_mut() else { return 0 };
        let mark = bucket.mark(&self.slab, place);
        if !cut.wants(mark, cut.rewrites(number)) {
            return 0;
        }
        let bytes = match place {
            Place::Hot(at) => cut.take(number, self.slab.get(at)),
            Place::Idle(at) => {
                let idle = bucket.arena.get(at);
                cut.put(number, idle.key, idle.deadlines, |out| out.extend_from_slice(idle.state))
            }
        };
        if mark == cut.mark {
            bucket.set_mark(&mut self.slab, place, CLEAN);
        }
        bytes
    }

    /// What the cut came to, once [`Actors::cut_slice`] said it is done.
    pub fn take_drafts(&mut self) -> Vec<SectionDraft> {
        let Some(cut) = &mut self.cut else { return Vec::new() };
        let mut drafts = Vec::new();
        for section in &mut cut.sections {
            let Some(writer) = section.writer.take() else { continue };
            let blob = writer.finish();
            let bytes = blob.len() as u64;
            section.written = Some(bytes);
            let before = if section.base { 0 } else { section.totals.bytes };
            let summary = SectionTotals { bytes: before + bytes, ..section.totals };
            drafts.push(SectionDraft { section: section.id, base: section.base, blob, summary });
        }
        drafts
    }

    /// The cut is durable.
    pub fn committed(&mut self) {
        let Some(cut) = self.cut.take() else { return };
        for (section, bucket) in cut.sections.iter().zip(&mut self.buckets) {
            if let (Some(bytes), Some(bucket)) = (section.written, bucket) {
                bucket.stored.count(section.base, bytes);
                bucket.blob_bytes_each = bytes as usize / section.expected.max(1);
            }
        }
        let mut places = Vec::new();
        for hash in cut.removed {
            let Some(bucket) = self.buckets[usize::from(bucket_of(hash).0)].as_mut() else { continue };
            bucket.with_hash(&self.slab, hash, &mut places);
            for place in places.drain(..) {
                if let Place::Hot(at) = place
                    && self.slab.get(at).mark == CLEAN
                    && matches!(self.slab.get(at).body, Body::Gone)
                {
                    bucket.forget(&mut self.slab, at);
                }
            }
        }
    }

    /// The cut was given up, finished or not: what it held is dirty again.
    pub fn abandoned(&mut self) {
        let Some(cut) = self.cut.take() else { return };
        let mut places = Vec::new();
        for (frozen, bucket) in cut.frozen.into_iter().zip(&mut self.buckets) {
            let Some(bucket) = bucket else { continue };
            for hash in frozen {
                bucket.with_hash(&self.slab, hash, &mut places);
                for place in places.drain(..) {
                    if bucket.mark(&self.slab, place) != self.mark {
                        bucket.set_mark(&mut self.slab, place, self.mark);
                        bucket.dirty.push(hash);
                        self.dirty += 1;
                    }
                }
            }
        }
    }
}

/// What is left of a slice.
#[derive(Debug)]
struct Budget {
    actors: usize,
    bytes: usize,
}

impl Budget {
    fn lasts(&self) -> bool {
        self.actors > 0 && self.bytes > 0
    }

    fn spend(&mut self, bytes: usize) {
        self.actors = self.actors.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
