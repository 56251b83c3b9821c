//! Streams: what changed, per products shard, in the order it first changed, until it was sent.
//!
//! An entry is a row and where in it something changed since the entry was made: a cell's own offset says whether it did. Rows in a book
//! stay where they are once they were counted in, so an entry only says where. Entries leave from the front, so everything up to the
//! record before the next entry's first change has left: that is what a batch's `to` says. What was lost on the way is asked for by its
//! offset, and answered from the rows themselves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::TallyAck;
use super::batch::{Answering, CountedMetric, TallyBatch, TallyRows};
use super::cells::{Cells, TOTAL};
use super::row::Row;
use crate::actor::StateError;
use crate::bucket::{Actors, Hint, KeyRef, Spot};
use crate::key::{BUCKETS, BucketId, partition_of};
use crate::time::{Millis, Now};

/// Where a users shard stands when it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub epoch: u64,
    pub position: u64,
    pub high_water: Millis,
    pub settings_hash: u64,
    pub metrics: Arc<BTreeMap<String, CountedMetric>>,
}

/// Changes on their way to one products shard. Bounded by the rows: a row has one entry, and more only while an old `since` is answered.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Sequence of the front entry.
    front: u64,
    entries: VecDeque<Changes>,
    /// The target was sent everything up to here; unknown before the first batch of a new owner.
    sent: Option<u64>,
    answering: Option<Answer>,
    /// High water last sent: a quiet shard still closes windows.
    high_water: Option<Millis>,
    ack: Option<TallyAck>,
}

/// An answer under way.
#[derive(Debug, Clone, Copy)]
struct Answer {
    since: u64,
    /// Sequences of its first entry, and after its last.
    begin: u64,
    end: u64,
}

#[derive(Debug)]
struct Changes {
    /// Offset of the first change: everything before it left with the entries in front.
    first: u64,
    /// High water at that change, if it was seen: high water is at least this once the entry has left.
    high_water: Option<Millis>,
    hint: Hint,
    hash: u64,
    panes: Panes,
}

/// Cells of a row that are sent with an entry.
#[derive(Debug)]
enum Panes {
    /// Those changed since the entry was made: the total's, or from this pane on.
    Changed { total: bool, oldest: Millis },
    /// These, by rising pane, of a row found by its key: an answer's.
    Listed { text: Box<str>, panes: Vec<Millis> },
}

/// Where a row's entry is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    /// Offset the entry begins at: what changed since then stands in it. Beyond all for a row that never had one.
    first: u64,
    /// Its sequence times [`TARGETS`], plus its target.
    place: u64,
}

/// Products shards are counted in 16 bits.
const TARGETS: u64 = 1 << 16;

impl Default for Queued {
    fn default() -> Self {
        Self { first: u64::MAX, place: 0 }
    }
}

impl Queued {
    fn new(first: u64, sequence: u64, target: usize) -> Self {
        Self { first, place: sequence * TARGETS + target as u64 }
    }

    fn is_set(self) -> bool {
        self.first != u64::MAX
    }

    fn sequence(self) -> u64 {
        self.place / TARGETS
    }

    fn target(self) -> usize {
        (self.place % TARGETS) as usize
    }
}

/// All outboxes of a book.
#[derive(Debug, Default)]
pub(super) struct Outboxes {
    boxes: Vec<Outbox>,
}

impl Outboxes {
    pub(super) fn new(targets: u16) -> Self {
        Self { boxes: (0..targets).map(|_| Outbox::default()).collect() }
    }

    /// Whether the row's entry has the cell that changed at `before`.
    #[inline]
    pub(super) fn has(&self, row: Queued, before: u64) -> bool {
        before >= row.first && row.sequence() >= self.boxes[row.target()].front
    }

    /// Notes that a cell of a row changed now, which its entry does not have.
    #[cold]
    pub(super) fn changed(&mut self, row: &mut Queued, spot: Spot<'_>, pane: Millis, now: &Now) {
        let target = if row.is_set() { row.target() } else { usize::from(self.target_of(spot.key())) };
        let outbox = &mut self.boxes[target];
        let waiting = row.is_set().then(|| row.sequence().checked_sub(outbox.front)).flatten();
        if let Some(entry) = waiting.and_then(|at| outbox.entries.get_mut(at as usize)) {
            entry.panes.add(pane);
            return;
        }
        *row = Queued::new(now.offset, outbox.front + outbox.entries.len() as u64, target);
        let mut panes = Panes::Changed { total: false, oldest: Millis::MAX };
        panes.add(pane);
        outbox.entries.push_back(Changes {
            first: now.offset,
            high_water: Some(now.high_water),
            hint: spot.hint(),
            hash: spot.hash(),
            panes,
        });
    }

    /// The products shard a key's cells go to.
    pub(super) fn target_of(&self, key: &[u8]) -> u16 {
        partition_of(key, self.boxes.len() as u16)
    }

    pub(super) fn targets(&self) -> u16 {
        self.boxes.len() as u16
    }

    pub(super) fn acked(&mut self, target: u16, ack: TallyAck) {
        if let Some(outbox) = self.boxes.get_mut(usize::from(target)) {
            let durable = outbox.ack.map_or(0, |before| before.durable);
            outbox.ack = Some(TallyAck { upto: ack.upto, durable: durable.max(ack.durable) });
        }
    }

    /// Offset up to which the target's committed cut holds everything.
    pub(super) fn durable(&self, target: u16) -> u64 {
        self.boxes.get(usize::from(target)).and_then(|outbox| outbox.ack).map_or(0, |ack| ack.durable)
    }

    /// Whether any target is due a batch of a shard that stands there.
    pub(super) fn owes(&self, now: &Now) -> bool {
        self.boxes.iter().any(|outbox| outbox.is_due(now.offset, now.high_water))
    }

    /// Whether changes wait for any target.
    pub(super) fn has_more(&self) -> bool {
        self.boxes.iter().any(|outbox| !outbox.entries.is_empty())
    }

    /// Starts over from `since`: whatever changed after it is found in the rows and goes out again, in pieces told apart by offset.
    pub(super) fn rewind(
        &mut self,
        target: u16,
        since: u64,
        position: u64,
        rows: &Actors<Row>,
        piece: usize,
    ) -> Result<(), StateError> {
        // Asked again before the answer was heard: it goes on. Whoever missed its beginning asks once more when the rest comes.
        let under_way = self.boxes.get(usize::from(target)).and_then(|outbox| outbox.answering);
        if under_way.is_some_and(|answer| answer.since == since) {
            return Ok(());
        }
        // An owner that replays has yet to see what was asked for: it begins with an answer of its own.
        if since > position {
            return Ok(());
        }
        let mut answer: Vec<Changes> = Vec::new();
        for bucket in 0..BUCKETS {
            rows.peek(BucketId(bucket), |key, row| {
                if self.target_of(key.text.as_bytes()) == target {
                    answer.extend(changes_since(key, &row.cells, since, piece));
                }
            })?;
        }
        answer.sort_by(|a, b| (a.first, a.text()).cmp(&(b.first, b.text())));
        let Some(outbox) = self.boxes.get_mut(usize::from(target)) else { return Ok(()) };
        outbox.front += outbox.entries.len() as u64;
        outbox.entries = answer.into();
        outbox.begin(since);
        outbox.high_water = None;
        Ok(())
    }

    /// The next batch for a target: about `limit` cells.
    pub(super) fn batch(
        &mut self,
        target: u16,
        limit: usize,
        standing: &Standing,
        rows: &Actors<Row>,
    ) -> Result<Option<TallyBatch>, StateError> {
        let Some(outbox) = self.boxes.get_mut(usize::from(target)) else { return Ok(None) };
        if !outbox.is_due(standing.position, standing.high_water) {
            return Ok(None);
        }
        // What this owner did not see change is not in its entries: it vouches for what came after. But an entry holds whatever changed in
        // a row over the whole replay, so one batch lost of them is more than what lies between its ends: together they are an answer.
        let from = match outbox.sent {
            Some(sent) => sent,
            None => {
                let first = outbox.entries.front();
                outbox.begin(first.map_or(standing.position, |first| first.first.saturating_sub(1)))
            }
        };
        let mut said = TallyRows::default();
        let mut last = 0;
        let mut high_water = Millis::MIN;
        while let Some(next) = outbox.entries.front() {
            if said.cells() >= limit && next.first > last {
                break;
            }
            last = next.first;
            high_water = next.high_water.map_or(high_water, |seen| seen.max(high_water));
            next.read(rows, &mut said)?;
            outbox.entries.pop_front();
            outbox.front += 1;
        }
        let answer = outbox.answering.map(|Answer { since, begin, end }| Answering {
            since,
            number: begin,
            last: outbox.front >= end,
        });
        if answer.is_some_and(|answer| answer.last) {
            outbox.answering = None;
        }
        let to =
            outbox.entries.front().map_or(standing.position, |next| next.first.saturating_sub(1)).max(from);
        outbox.sent = Some(to);
        // With changes still to come, the high water of now would close windows too early.
        if outbox.entries.is_empty() {
            high_water = standing.high_water;
            outbox.high_water = Some(high_water);
        }
        let Standing { epoch, settings_hash, .. } = *standing;
        let metrics = Arc::clone(&standing.metrics);
        let rows = said;
        Ok(Some(TallyBatch { epoch, from, to, answer, high_water, settings_hash, metrics, rows }))
    }
}

impl Outbox {
    /// All entries there are now are the answer to whoever holds everything up to `since`.
    fn begin(&mut self, since: u64) -> u64 {
        let end = self.front + self.entries.len() as u64;
        self.answering = Some(Answer { since, begin: self.front, end });
        self.sent = Some(since);
        since
    }

    /// Something changed, or the target has not said that it holds what it was sent: then an empty batch shows it what it lacks.
    fn is_due(&self, position: u64, high_water: Millis) -> bool {
        self.sent < Some(position)
            || self.high_water != Some(high_water)
            || self.ack.map(|ack| ack.upto) < self.sent
    }
}

impl Changes {
    /// The row's key, where the entry has it.
    fn text(&self) -> &str {
        if let Panes::Listed { text, .. } = &self.panes { text } else { "" }
    }

    /// Reads the cells as they stand. A row that is gone has none: it went with its metric, or everything in it was safe elsewhere.
    fn read(&self, rows: &Actors<Row>, said: &mut TallyRows) -> Result<(), StateError> {
        match &self.panes {
            Panes::Changed { total, oldest } => {
                rows.get_known(self.hint, self.hash, |text, row| {
                    let total = total.then(|| row.cells.get(TOTAL)).flatten();
                    let changed = total.into_iter().chain(row.cells.range(*oldest, Millis::MAX).iter());
                    let key = KeyRef { text, hash: self.hash };
                    said.push(key, changed.filter(|cell| cell.offset >= self.first));
                });
            }
            Panes::Listed { text, panes } => {
                let key = KeyRef { text, hash: self.hash };
                rows.get(key, |row| {
                    said.push(key, panes.iter().filter_map(|pane| row.cells.get(*pane)));
                })?;
            }
        }
        Ok(())
    }
}

impl Panes {
    fn add(&mut self, pane: Millis) {
        match self {
            Self::Changed { total, .. } if pane == TOTAL => *total = true,
            Self::Changed { oldest, .. } => *oldest = pane.min(*oldest),
            Self::Listed { panes, .. } => {
                if let Err(at) = panes.binary_search(&pane) {
                    panes.insert(at, pane);
                }
            }
        }
    }
}

/// A row's cells changed after `since`, in pieces, so that no answer is one huge batch.
fn changes_since(key: KeyRef<'_>, cells: &Cells, since: u64, piece: usize) -> Vec<Changes> {
    let changed = cells.iter().filter(|cell| cell.offset > since);
    let mut changed: Vec<(u64, Millis)> = changed.map(|cell| (cell.offset, cell.start)).collect();
    changed.sort_unstable();
    let pieces = changed.chunks(piece.max(1)).map(|piece| {
        let mut panes: Vec<Millis> = piece.iter().map(|(_, pane)| *pane).collect();
        panes.sort_unstable();
        Changes {
            first: piece[0].0,
            high_water: None,
            hint: Hint::default(),
            hash: key.hash,
            panes: Panes::Listed { text: key.text.into(), panes },
        }
    });
    pieces.collect()
}
