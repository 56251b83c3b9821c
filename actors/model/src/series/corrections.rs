//! Corrections: changes of windows after they had closed, remembered so that a reader can follow them by token.

use super::book::SeriesBook;
use super::join::{Joined, Measured};
use super::row::Speaker;
use super::windows::watermark;
use crate::actor::StateError;
use crate::bucket::KeyRef;
use crate::metric::{TimeRange, Window};
use crate::planted::Bug;
use crate::tally::TallyRow;
use crate::tally::cells::TOTAL;
use crate::tally::plan::MetricPlan;
use crate::time::Millis;

/// One window of one key that changed after it had closed. As its shard saw it: what one source said anew, joined with all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Text of the [`crate::tally::SeriesKey`].
    pub key: String,
    /// Place of the window in its metric.
    pub window: usize,
    pub range: TimeRange,
    /// Partition of the users shard, and the offset of its record that did it.
    pub source: u16,
    pub offset: u64,
    /// By measure; empty: nothing had been counted.
    pub before: Vec<Measured>,
    pub after: Vec<Measured>,
}

/// A closed window a pane lies in.
#[derive(Debug, Clone, Copy)]
struct Closed {
    place: usize,
    window: Window,
    range: TimeRange,
}

impl SeriesBook {
    /// Takes the cells of a row whose windows may have closed, and notes what each corrects in them.
    pub(super) fn correct(
        &mut self,
        from: Speaker,
        metric: &str,
        told: TallyRow<'_>,
        joined: Option<Millis>,
    ) -> Result<(), StateError> {
        let key = told.key;
        let added = self.planted.has(Bug::TallyAdded);
        for cell in told.cells() {
            let Some(closed) = self.closed_windows(metric, cell.start, joined) else { continue };
            if !added && !self.rows.get(key, |row| row.is_news(from, cell))?.unwrap_or(true) {
                continue;
            }
            let before = self.measured(metric, key, &closed)?;
            self.rows.fold(key, |row| row.take(from, cell, added))?;
            self.changes.push(key.text, cell.start);
            let after = self.measured(metric, key, &closed)?;
            for ((closed, before), after) in closed.into_iter().zip(before).zip(after) {
                if before != after {
                    let (window, range) = (closed.place, closed.range);
                    let (key, source, offset) = (key.text.to_owned(), from.partition, cell.offset);
                    let correction = Correction { key, window, range, source, offset, before, after };
                    self.corrections.push(self.correction_count, correction);
                    self.correction_count += 1;
                }
            }
        }
        Ok(())
    }

    /// Windows holding a pane that had closed everywhere, if the pane is over; of a sliding window the first to end, which stands for
    /// those after it.
    fn closed_windows(&self, metric: &str, pane: Millis, joined: Option<Millis>) -> Option<Vec<Closed>> {
        let (plan, _) = self.metric(metric).filter(|(plan, _)| is_over(plan, pane, joined))?;
        let watermark = watermark(&plan.metric, joined)?;
        let windows = plan.metric.windows.iter().enumerate().filter(|(_, window)| **window != Window::Total);
        let closed = windows.map(|(place, window)| Closed {
            place,
            window: *window,
            range: window.instance_of(&plan.metric.time_zone, pane),
        });
        Some(closed.filter(|closed| closed.range.end <= watermark).collect())
    }

    fn measured(
        &self,
        metric: &str,
        key: KeyRef<'_>,
        closed: &[Closed],
    ) -> Result<Vec<Vec<Measured>>, StateError> {
        let metric = self.metric(metric).filter(|_| !closed.is_empty());
        let Some((plan, meant)) = metric else { return Ok(Vec::new()) };
        let measured = self.rows.get(key, |row| {
            let joined =
                closed.iter().map(|closed| Joined::of(row, plan, meant, closed.window, closed.range));
            joined.map(|joined| if joined.is_counted() { joined.measures() } else { Vec::new() }).collect()
        })?;
        Ok(measured.unwrap_or_else(|| vec![Vec::new(); closed.len()]))
    }
}

/// Whether a pane ended before the watermark of what all sources have come to: windows that hold it may have closed.
pub(super) fn is_over(plan: &MetricPlan, pane: Millis, joined: Option<Millis>) -> bool {
    let Some(watermark) = watermark(&plan.metric, joined) else { return false };
    let ended = || plan.metric.pane.end_of(&plan.metric.time_zone, pane) <= watermark;
    pane != TOTAL && pane < watermark && ended()
}
