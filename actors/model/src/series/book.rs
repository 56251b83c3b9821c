//! The series of a products shard: takes batches of tallies, answers queries, says what it lacks and what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::changes::{Change, Changes, Listener};
use super::corrections::{Correction, is_over};
use super::query::AnswerInfo;
use super::row::{Meant, Said, SeriesRow, Speaker};
use super::source::Source;
use super::windows::{kept_from, watermark};
use crate::actor::StateError;
use crate::bucket::{Actors, KeyRef};
use crate::cut::segment::ROWS;
use crate::key::{BUCKETS, BucketId};
use crate::limits::TALLY_SWEEP_ROWS;
use crate::origin::Origin;
use crate::owner::effect::PeerMessage;
use crate::planted::{Bug, Planted};
use crate::ring::Ring;
use crate::settings::Settings;
use crate::tally::cells::CellRef;
use crate::tally::plan::{MetricPlan, Plan};
use crate::tally::{TallyAck, TallyBatch, TallyRequest, TallyRow, split_head};
use crate::time::Millis;

/// What one products shard has joined.
#[derive(Debug)]
pub struct SeriesBook {
    pub(super) rows: Actors<SeriesRow>,
    plan: Plan,
    /// Who counts each metric of the plan. Changes with the settings and with what sources count, not with what they counted.
    meant: Vec<Meant>,
    /// Texts of the rows, in order; an index, made when it is first needed after a load.
    keys: Option<BTreeSet<String>>,
    /// One per partition of the users journal, heard of or not.
    pub(super) sources: Vec<Source>,
    pub(super) corrections: Ring<Correction>,
    /// Corrections ever made: ids are positions of the shard's own count, since sources have no common order.
    pub(super) correction_count: u64,
    /// Positions the cut being made holds, and those the committed one holds.
    frozen: Vec<u64>,
    durable: Vec<u64>,
    sweep: Option<u64>,
    pub(super) changes: Changes,
    pub(super) planted: Planted,
}

impl SeriesBook {
    pub fn new(settings: &Settings, users_partitions: u16, planted: Planted) -> Self {
        let partitions = usize::from(users_partitions);
        let plan = Plan::of(settings);
        let sources = vec![Source { high_water: Millis::MIN, ask: true, ..Source::default() }; partitions];
        Self {
            rows: Actors::new(ROWS, planted),
            meant: meant(&plan, &sources),
            plan,
            keys: None,
            sources,
            corrections: Ring::default(),
            correction_count: 0,
            frozen: vec![0; partitions],
            durable: vec![0; partitions],
            sweep: None,
            changes: Changes::default(),
            planted,
        }
    }

    /// The rows: sections `ROWS .. ROWS + BUCKETS` of a cut.
    pub fn rows(&self) -> &Actors<SeriesRow> {
        &self.rows
    }

    pub fn rows_mut(&mut self) -> &mut Actors<SeriesRow> {
        &mut self.rows
    }

    /// Takes a batch of a users shard, whatever became of those before it.
    pub fn receive(&mut self, source: u16, batch: TallyBatch) {
        if usize::from(source) >= self.sources.len() {
            return;
        }
        if self.keys.is_none() {
            self.keys = Some(self.all_keys().unwrap_or_else(unreadable));
        }
        // Windows close with what was heard before this batch: what it brings itself corrects none.
        let joined = self.high_water();
        let ignore_gaps = self.planted.has(Bug::TallyGapIgnored);
        let heard = &mut self.sources[usize::from(source)];
        let counted = Arc::clone(&heard.metrics);
        heard.hear(&batch, ignore_gaps);
        if !Arc::ptr_eq(&counted, &heard.metrics) && counted != heard.metrics {
            self.meant = meant(&self.plan, &self.sources);
        }
        let to_sweep = batch.rows.cells().clamp(1, TALLY_SWEEP_ROWS);
        for row in batch.rows.iter() {
            let metric = metric_of(row.key.text);
            let Some(counted) = batch.metrics.get(metric) else { continue };
            let from = Speaker { partition: source, epoch: batch.epoch, since: counted.since };
            self.take(from, metric, row, joined).unwrap_or_else(unreadable);
        }
        self.forget_some(to_sweep).unwrap_or_else(unreadable);
    }

    /// Takes what is news of a row. What changes windows that had closed is taken cell by cell: each may correct some.
    fn take(
        &mut self,
        from: Speaker,
        metric: &str,
        told: TallyRow<'_>,
        joined: Option<Millis>,
    ) -> Result<(), StateError> {
        let key = told.key;
        let added = self.planted.has(Bug::TallyAdded);
        let is_news = |row: &SeriesRow| told.cells().any(|cell| row.is_news(from, cell));
        let known = self.rows.get(key, is_news)?;
        if !known.unwrap_or(true) && !added {
            return Ok(());
        }
        let Self { rows, changes, plan, .. } = self;
        let plan = plan.metrics.iter().find(|plan| plan.metric.name == metric);
        let is_late = |cell: &CellRef<'_>| plan.is_some_and(|plan| is_over(plan, cell.start, joined));
        let mut any_late = false;
        rows.fold(key, |row| {
            for cell in told.cells() {
                if is_late(&cell) {
                    any_late = true;
                } else if added || row.is_news(from, cell) {
                    row.take(from, cell, added);
                    changes.push(key.text, cell.start);
                }
            }
        })?;
        if any_late {
            self.correct(from, metric, told, joined)?;
        }
        if known.is_none()
            && let Some(keys) = &mut self.keys
        {
            keys.insert(key.text.to_owned());
        }
        Ok(())
    }

    /// Requests for what is lacking, acks for what was heard. Losing them is harmless: the next batch brings them back.
    pub fn outgoing(&mut self) -> Vec<(u16, PeerMessage)> {
        let mut messages = Vec::new();
        for (partition, source) in self.sources.iter_mut().enumerate() {
            if std::mem::take(&mut source.ack) {
                let ack = TallyAck { upto: source.upto, durable: self.durable[partition] };
                messages.push((partition as u16, PeerMessage::TallyAck(ack)));
            }
            if source.ask {
                let since = TallyRequest { since: source.upto };
                messages.push((partition as u16, PeerMessage::TallySince(since)));
                // A gap shows again with the next batch; a source never heard is asked until it is.
                source.ask = !source.heard;
            }
        }
        messages
    }

    /// Whether [`SeriesBook::outgoing`] would give any.
    pub fn owes(&self) -> bool {
        self.sources.iter().any(|source| source.ack || source.ask)
    }

    /// Keeps what changes from here on for a listener; or no longer.
    pub fn listen(&mut self, who: Listener, listens: bool) {
        self.changes.listen(who, listens);
    }

    /// What changed since the listener asked last. `None`: anything may have, as it listens only now or asked too late.
    pub fn take_changed(&mut self, who: Listener) -> Option<Vec<Change>> {
        self.changes.take(who)
    }

    /// A cut begins: what it holds is what is held now.
    pub fn frozen(&mut self) {
        self.frozen = self.sources.iter().map(|source| source.upto).collect();
    }

    /// The cut was committed: sources may forget what it holds.
    pub fn durable(&mut self) {
        self.durable.clone_from(&self.frozen);
        for source in &mut self.sources {
            source.ack |= source.upto > 0;
        }
    }

    /// From here on metrics are answered as these settings mean them. What sources said stays until they say that they forgot it: they may be
    /// settings ahead of this shard.
    pub fn change_settings(&mut self, settings: &Settings) {
        self.plan = Plan::of(settings);
        self.meant = meant(&self.plan, &self.sources);
    }

    /// Corrections after a token, oldest first.
    pub fn corrections(&self) -> &Ring<Correction> {
        &self.corrections
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The least high water of all sources; none while one was never heard of.
    pub fn high_water(&self) -> Option<Millis> {
        self.sources.iter().map(|source| source.high_water).min().filter(|joined| *joined != Millis::MIN)
    }

    /// A metric of the settings, and who counts it as they mean it.
    pub(super) fn metric(&self, name: &str) -> Option<(&MetricPlan, &Meant)> {
        self.plan.metrics.iter().zip(&self.meant).find(|(plan, _)| plan.metric.name == name)
    }

    /// What any answer of now is worth.
    pub(super) fn info(&self) -> AnswerInfo {
        let sources = || (0_u16..).zip(&self.sources);
        let positions: Vec<(u16, u64)> =
            sources().map(|(partition, source)| (partition, source.upto)).collect();
        let held = |source: &Source| source.high_water == Millis::MIN || source.gap || !source.heard;
        AnswerInfo {
            as_of: self.high_water(),
            held_by: sources().filter(|(_, source)| held(source)).map(|(partition, _)| partition).collect(),
            revision: positions.iter().map(|(_, position)| position).sum(),
            positions,
            truncated: false,
            origin: Origin::Owner,
        }
    }

    /// Series kept of a metric in a shop, whatever they are counted by; none before the index of texts was made.
    pub fn count(&self, shop: &str, metric: &str) -> Option<usize> {
        let head = format!("{shop}/{metric}/");
        let below = self.keys.as_ref()?.range::<str, _>((Bound::Included(&*head), Bound::Unbounded));
        Some(below.take_while(|text| text.starts_with(&head)).count())
    }

    /// Texts of the rows below the head of a key: its shop, metric and key set.
    pub(super) fn keys_of(&self, head: &str) -> Result<Vec<String>, StateError> {
        let made;
        let keys = match &self.keys {
            Some(keys) => keys,
            None => {
                made = self.all_keys()?;
                &made
            }
        };
        let below = keys.range::<str, _>((Bound::Included(head), Bound::Unbounded));
        let same = |text: &&String| {
            text.strip_prefix(head).is_some_and(|rest| rest.is_empty() || rest.starts_with('\u{1f}'))
        };
        Ok(below.take_while(same).cloned().collect())
    }

    pub(super) fn read<R>(
        &self,
        text: &str,
        read: impl FnOnce(&SeriesRow) -> R,
    ) -> Result<Option<R>, StateError> {
        self.rows.get(KeyRef::of(text), read)
    }

    /// Drops panes past `keep`, and what sources forgot themselves, a few rows at a time: as many as cells came.
    fn forget_some(&mut self, rows: usize) -> Result<(), StateError> {
        let mut old: Vec<String> = Vec::new();
        let next = self.rows.scan(self.sweep, rows, |key, row| {
            let metric = metric_of(key.text);
            let kept = self.kept(metric);
            if row.sources.iter().any(|said| self.is_forgotten(metric, said) || is_past(said, kept)) {
                old.push(key.text.to_owned());
            }
        })?;
        self.sweep = next;
        for text in old {
            let key = KeyRef::of(&text);
            let metric = metric_of(&text);
            let kept = self.kept(metric);
            let mut row = self.rows.get(key, SeriesRow::clone)?.unwrap_or_default();
            row.sources.retain(|said| !self.is_forgotten(metric, said));
            for said in &mut row.sources {
                said.cells.drop_where(|start, _| start < kept);
            }
            self.rows.fold(key, |held| *held = row)?;
            if let Some(keys) = self.keys.as_mut().filter(|_| !self.rows.contains(key)) {
                keys.remove(&text);
            }
        }
        Ok(())
    }

    /// Panes of the metric that start before this are no longer kept.
    fn kept(&self, metric: &str) -> Millis {
        self.metric(metric).map_or(Millis::MIN, |(plan, _)| {
            let watermark = watermark(&plan.metric, self.high_water());
            kept_from(&plan.metric, watermark)
        })
    }

    /// Whether the source said that it counts the metric no longer, or from later on. What it said of after that comes again.
    fn is_forgotten(&self, metric: &str, said: &Said) -> bool {
        let Some(source) = self.sources.get(usize::from(said.partition)) else { return true };
        match source.metrics.get(metric) {
            Some(counted) => said.since < counted.since,
            None => said.since <= source.metrics_at,
        }
    }

    /// Texts of rows in their order, after one of them.
    pub fn keys_after(&mut self, after: &str, most: usize) -> Result<Vec<String>, StateError> {
        if self.keys.is_none() {
            self.keys = Some(self.all_keys()?);
        }
        let keys = self
            .keys
            .iter()
            .flat_map(|keys| keys.range::<str, _>((Bound::Excluded(after), Bound::Unbounded)));
        Ok(keys.take(most).cloned().collect())
    }

    fn all_keys(&self) -> Result<BTreeSet<String>, StateError> {
        let mut keys = BTreeSet::new();
        for bucket in 0..BUCKETS {
            self.rows.peek(BucketId(bucket), |key, _| {
                keys.insert(key.text.to_owned());
            })?;
        }
        Ok(keys)
    }

    /// Takes what a cut holds beside the rows; every source is asked again for what came after.
    pub(super) fn restore(&mut self, settings: &Settings, sources: BTreeMap<u16, Source>) {
        let partitions = self.sources.len() as u16;
        *self = Self {
            rows: std::mem::replace(&mut self.rows, Actors::new(ROWS, self.planted)),
            changes: self.changes.forgotten(),
            ..Self::new(settings, partitions, self.planted)
        };
        for (partition, source) in sources {
            let at = usize::from(partition);
            if at < self.sources.len() {
                self.durable[at] = source.upto;
                self.sources[at] = source;
            }
        }
        self.meant = meant(&self.plan, &self.sources);
    }
}

fn meant(plan: &Plan, sources: &[Source]) -> Vec<Meant> {
    plan.metrics.iter().map(|plan| Meant::of(&plan.metric, sources)).collect()
}

/// The metric of a row; no metric's name for a text that is no row's.
fn metric_of(text: &str) -> &str {
    split_head(text).map_or("", |(_, metric, _)| metric)
}

fn is_past(said: &Said, kept: Millis) -> bool {
    said.cells.oldest().is_some_and(|oldest| oldest < kept)
}

fn unreadable<T>(error: StateError) -> T {
    panic!("a row of the series cannot be read: {error}")
}
