//! Sources: up to where each users shard's stream is held without a gap.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::tally::{Answering, CountedMetric, TallyBatch};
use crate::time::Millis;

/// One users shard as this products shard knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    pub epoch: u64,
    /// Every change of the source up to here is held.
    pub upto: u64,
    /// Its high water there.
    pub high_water: Millis,
    pub settings_hash: u64,
    /// What it counts, by name, in the newest batch heard: gaps or not, names must be understood as it means them.
    pub metrics: Arc<BTreeMap<String, CountedMetric>>,
    /// It counts these at this offset at least.
    pub(super) metrics_at: u64,
    /// An answer under way, and how far its parts were seen without a gap.
    pub(super) answer: Option<(Told, u64)>,
    /// The owner whose batches are followed, and how far without a gap: those that are no answer's continue where that owner's last one ended,
    /// which says nothing of another's. None before an answer was heard whole.
    pub(super) followed: Option<(u64, u64)>,
    /// It was heard since this owner began.
    pub(super) heard: bool,
    /// Changes beyond `upto` are known to exist that were not seen.
    pub(super) gap: bool,
    /// It must be asked for what is missing.
    pub(super) ask: bool,
    /// It must be told what is held.
    pub(super) ack: bool,
}

/// Which answer: of which owner, and which of its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    epoch: u64,
    number: u64,
}

impl Source {
    /// Takes note of a batch's range. Its cells are good whatever this says.
    pub(super) fn hear(&mut self, batch: &TallyBatch, ignore_gaps: bool) {
        self.heard = true;
        self.ack = true;
        self.epoch = self.epoch.max(batch.epoch);
        if batch.to >= self.metrics_at {
            self.metrics = Arc::clone(&batch.metrics);
            self.metrics_at = batch.to;
        }
        // An owner that was followed by another says nothing of what is missing.
        if self.followed.is_some_and(|(epoch, _)| batch.epoch < epoch) && !ignore_gaps {
            return;
        }
        let continues = self.followed.is_some_and(|(epoch, to)| batch.epoch == epoch && batch.from <= to);
        self.ask = match batch.answer {
            _ if ignore_gaps => self.advance(batch),
            None if continues => self.advance(batch),
            Some(answer) if answer.since <= self.upto => self.hear_answer(answer, batch),
            _ => true,
        };
        self.gap |= self.ask;
    }

    /// Parts of an answer follow each other; only with the last is everything held.
    fn hear_answer(&mut self, answer: Answering, batch: &TallyBatch) -> bool {
        let told = Told { epoch: batch.epoch, number: answer.number };
        let seen = match self.answer {
            Some((known, seen)) if known == told => seen,
            _ => answer.since,
        };
        if batch.from > seen {
            return true;
        }
        if answer.last {
            return self.advance(batch);
        }
        self.answer = Some((told, seen.max(batch.to)));
        self.gap = true;
        false
    }

    /// Everything up to the batch's end is held: there is nothing to ask.
    fn advance(&mut self, batch: &TallyBatch) -> bool {
        let before = self.followed.filter(|(epoch, _)| *epoch == batch.epoch);
        self.followed = Some((batch.epoch, before.map_or(batch.to, |(_, to)| to.max(batch.to))));
        if batch.to >= self.upto {
            self.upto = batch.to;
            self.settings_hash = batch.settings_hash;
            self.gap = false;
            self.answer = None;
        }
        self.high_water = self.high_water.max(batch.high_water);
        false
    }
}
