//! Series of what is published to tables and to the view, on the metrics page.

use std::fmt;

use souk_runtime::observe::{KeptFigures, PublishFigures, ReadFigures, SideFigures};
use souk_runtime::ports::CacheFigures;

use super::series::{Labels, Page};

/// What is published, as far as there is anywhere to publish to.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) figures: PublishFigures,
    pub(super) tables: bool,
    pub(super) cache: Option<CacheFigures>,
    /// Of the history, if there is one.
    pub(super) kept: Option<KeptFigures>,
}

impl Published {
    pub(super) fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        if let Some(figures) = &self.kept {
            kept(page, figures)?;
        }
        let sides = [
            ("tables", &self.figures.tables, self.tables),
            ("cache", &self.figures.cache, self.cache.is_some()),
        ];
        let sides: Vec<(&str, &SideFigures)> = sides
            .into_iter()
            .filter(|(_, _, is_there)| *is_there)
            .map(|(name, side, _)| (name, side))
            .collect();
        if sides.is_empty() {
            return Ok(());
        }
        let to = |name: &str| -> Labels { vec![("to", name.to_owned())] };
        let counts = |of: fn(&SideFigures) -> u64| -> Vec<(Labels, u64)> {
            sides.iter().map(|(name, side)| (to(name), of(side))).collect()
        };
        let gauges = |of: fn(&SideFigures) -> f64| -> Vec<(Labels, f64)> {
            sides.iter().map(|(name, side)| (to(name), of(side))).collect()
        };
        page.counters(
            "view_failures",
            "Writes of rows that failed and are repeated",
            &counts(|side| side.failures),
        )?;
        let overflows = counts(|side| side.overflows);
        page.counters("view_overflows", "Rows that had no room to wait and are searched for", &overflows)?;
        page.gauges(
            "view_rows_waiting",
            "Rows that changed and are not written yet",
            &gauges(|side| side.waiting as f64),
        )?;
        let oldest = gauges(|side| side.oldest.as_secs_f64());
        page.gauges("view_oldest_waiting_seconds", "How long the oldest of them has waited", &oldest)?;
        let ages: Vec<_> = sides.iter().map(|(name, side)| (to(name), side.age.clone())).collect();
        page.histograms("view_age", "From a row's first unwritten change to when it was written", &ages)?;
        let rows: Vec<_> = self
            .figures
            .rows_by_table
            .iter()
            .map(|(table, rows)| (vec![("table", table.clone())], *rows))
            .collect();
        if self.tables {
            page.counters("table_rows_written", "Rows written to tables that people read", &rows)?;
        }
        let Some(cache) = self.cache else { return Ok(()) };
        reads(page, self.figures.reads)?;
        calls(page, cache)
    }
}

fn reads(page: &mut Page<'_>, figures: ReadFigures) -> fmt::Result {
    let ReadFigures { hits, misses, older, away } = figures;
    let outcomes = [("hit", hits), ("miss", misses), ("older", older), ("away", away)];
    let counts = outcomes.map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count));
    page.counters(
        "view_reads",
        "Questions to the cache while no owner answered: a hit is fresher than the last cut",
        &counts,
    )
}

fn kept(page: &mut Page<'_>, figures: &KeptFigures) -> fmt::Result {
    let rows = figures.rows_by_table.iter().map(|(table, rows)| (vec![("table", table.clone())], *rows));
    let rows: Vec<(Labels, u64)> = rows.collect();
    page.counters("history_rows_written", "Records written as rows of the history", &rows)?;
    page.counter(
        "history_failures",
        "Requests of the history that failed and are repeated",
        figures.failures,
    )?;
    let behind = figures.behind as f64;
    page.gauge("history_records_behind", "Records folded here that the history has not looked at yet", behind)
}

fn calls(page: &mut Page<'_>, cache: CacheFigures) -> fmt::Result {
    let CacheFigures { commands, outdated, failures, refused, open } = cache;
    for (name, help, value) in [
        ("cache_commands", "Values sent to the cache", commands),
        ("cache_commands_outdated", "Those that changed nothing: something as new stood there", outdated),
        ("cache_request_failures", "Requests that failed", failures),
        ("cache_requests_refused", "Requests not made, as those before them failed", refused),
    ] {
        page.counter(name, help, value)?;
    }
    page.gauge("cache_breaker_open", "1 while no requests are made", f64::from(u8::from(open)))
}
