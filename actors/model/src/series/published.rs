//! Rows for publication: one row of one window at a time, with a revision of its own.
//!
//! What is published is written by whoever owns the shard, and for a while two may think they do. So a row's revision is made of the row
//! alone: of each source the offset that changed it last, as far as everything of that source is held, summed. Of all the states of a row
//! that ever were, the one that holds every change has a greater revision than any other: whatever order writes come in, it is what stays.
//! A revision of the whole book would not do, for a book that heard more of one source may know less of this row.

use super::book::SeriesBook;
use super::join::Joined;
use super::query::AnswerRow;
use super::row::{Meant, SeriesRow};
use super::source::Source;
use super::windows::Windows;
use crate::actor::StateError;
use crate::bucket::KeyRef;
use crate::metric::{TimeRange, Window};
use crate::tally::split_head;
use crate::time::Millis;

/// A row as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedRow {
    pub row: AnswerRow,
    pub revision: u64,
    /// Everything that changed it so far is held. If not, it is to be published again once it is: that changes its revision alone.
    pub settled: bool,
}

/// Which of a row's windows are published again by an owner that does not know what the one before had written.
#[derive(Debug, Clone, Copy)]
pub struct Again {
    /// All that end after this,
    pub ended_after: Millis,
    /// and of those with anything in them after this,
    pub from: Millis,
    /// the ones that the last so many records of a source changed.
    pub records: u64,
}

impl SeriesBook {
    /// How far event time has come with any source: no window that ends first after this one has begun.
    pub fn reached(&self) -> Option<Millis> {
        self.sources().iter().map(|source| source.high_water).max().filter(|reached| *reached != Millis::MIN)
    }

    /// A row in one window. None if nothing was counted in it, or settings declare no such metric.
    pub fn published(
        &self,
        key: &str,
        window: Window,
        range: TimeRange,
    ) -> Result<Option<PublishedRow>, StateError> {
        let metric = split_head(key).and_then(|(_, metric, _)| self.metric(metric));
        let Some((plan, meant)) = metric else { return Ok(None) };
        let Some(windows) = Windows::of(&plan.metric, Some(window), self.high_water()) else {
            return Ok(None);
        };
        let found = self.rows().get(KeyRef::of(key), |row| {
            let joined = Joined::of(row, plan, meant, window, range);
            joined
                .is_counted()
                .then(|| (joined.measures(), row.revision(meant, self.sources(), window, range)))
        })?;
        Ok(found.flatten().map(|(values, (revision, settled))| {
            let provisional = !windows.is_closed(range);
            let row = AnswerRow { key: key.to_owned(), window, range, values, provisional };
            PublishedRow { row, revision, settled }
        }))
    }

    /// The instances of a window to be published again, of those in which anything was counted under a key.
    pub fn instances(&self, key: &str, window: Window, again: Again) -> Result<Vec<TimeRange>, StateError> {
        let metric = split_head(key).and_then(|(_, metric, _)| self.metric(metric));
        let Some((plan, meant)) = metric else { return Ok(Vec::new()) };
        if window == Window::Total {
            let counted = |row: &SeriesRow| row.cells(meant).any(|cells| cells.total().is_counted());
            let is_counted = self.rows().get(KeyRef::of(key), counted)?.unwrap_or_default();
            return Ok(is_counted.then_some(TimeRange::ALL).into_iter().collect());
        }
        let zone = &plan.metric.time_zone;
        let from = window.instance_of(zone, again.from).start;
        let mut found: Vec<TimeRange> = Vec::new();
        self.rows().get(KeyRef::of(key), |row| {
            for said in row.said(meant) {
                let upto = self.sources().get(usize::from(said.partition)).map_or(0, |source| source.upto);
                let recent = upto.saturating_sub(again.records);
                for cell in said.cells.range(from, Millis::MAX).iter().filter(|cell| cell.counted) {
                    let known =
                        found.last().is_some_and(|last| last.contains(cell.start)) && !is_sliding(window);
                    if !known {
                        let is_wanted =
                            |range: &TimeRange| range.end > again.ended_after || cell.offset > recent;
                        found.extend(window.instances_of(zone, cell.start).filter(is_wanted));
                    }
                }
            }
        })?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

fn is_sliding(window: Window) -> bool {
    matches!(window, Window::Sliding { .. })
}

impl SeriesRow {
    /// Its revision in a window, and whether it is settled.
    fn revision(&self, meant: &Meant, sources: &[Source], window: Window, range: TimeRange) -> (u64, bool) {
        let newest = |partition| {
            let said = self.sources.iter().find(|said| said.partition == partition)?;
            let cells = match window {
                Window::Total => said.cells.total(),
                _ => said.cells.range(range.start, range.end),
            };
            cells.iter().map(|cell| cell.offset).max()
        };
        let (mut revision, mut settled) = (0, true);
        for (partition, since) in meant.sources() {
            let upto = sources.get(usize::from(partition)).map_or(0, |source| source.upto);
            let newest = newest(partition).unwrap_or_default();
            settled &= newest <= upto;
            // A metric that is counted anew begins above all that was said of it before.
            revision += newest.min(upto).max(since);
        }
        (revision, settled)
    }
}
