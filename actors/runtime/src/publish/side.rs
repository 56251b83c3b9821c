//! One side of what is published, tables or a cache: its waiting rows, one write under way at a time, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use souk_model::owner::Unavailable;
use souk_model::view::{Catalogue, Entry, Shape};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::budget::Budget;
use super::dirty::{Dirty, Waiting};
use super::draft::Draft;
use super::ripe::{Ready, read_rows};
use crate::limits::{CACHE_ROWS, ROWS_PER_TRIAL, TABLES_WAIT};
use crate::observe;
use crate::ports::{Cache, Held, Tables};
use crate::shard::World;

/// Where rows go.
#[derive(Debug, Clone)]
pub(super) enum Sink {
    Tables(Arc<dyn Tables>),
    Cache(Arc<dyn Cache>),
}

#[derive(Debug)]
pub(super) struct Side {
    pub sink: Sink,
    pub dirty: Dirty,
    /// Of tables.
    budget: Arc<Budget>,
    /// Whether the tables of the catalogue were made.
    declared: bool,
    /// The last write failed: few rows find out whether the next one would.
    failed: bool,
    under_way: Option<UnderWay>,
}

/// A write, with its rows.
#[derive(Debug)]
struct UnderWay {
    rows: Vec<Waiting>,
    /// Of tables, by name.
    wrote: BTreeMap<String, u64>,
    declares: bool,
    task: JoinHandle<Result<Held, Unavailable>>,
}

impl Side {
    pub(super) fn new(sink: Sink, budget: &Arc<Budget>) -> Self {
        let declared = matches!(sink, Sink::Cache(_));
        let (dirty, budget) = (Dirty::default(), Arc::clone(budget));
        Self { sink, dirty, budget, declared, failed: false, under_way: None }
    }

    /// Whether it is this side's to show a view.
    pub(super) fn shows(&self, shape: &Shape) -> bool {
        matches!((&self.sink, shape), (Sink::Tables(_), Shape::Table(_)) | (Sink::Cache(_), Shape::Cache(_)))
    }

    /// Other settings: what waits was of the old ones.
    pub(super) fn begin_anew(&mut self) {
        self.dirty = Dirty::default();
        self.declared = matches!(self.sink, Sink::Cache(_));
        if let Some(under_way) = &mut self.under_way {
            under_way.rows.clear();
        }
    }

    /// Looks after the write under way and begins the next one. Says whether the cache was found empty.
    pub(super) async fn turn(&mut self, world: &World, catalogue: &Arc<Catalogue>) -> Held {
        let figures = self.figures(world);
        let mut held = Held::All;
        if let Some(under_way) = self.under_way.take_if(|under_way| under_way.task.is_finished()) {
            held = self.settle(under_way, world).await;
        }
        let now = Instant::now();
        if self.under_way.is_none() {
            self.under_way = Some(self.begin(world, catalogue).await);
        }
        figures.waiting.store(self.dirty.len() as u64, Relaxed);
        let oldest =
            self.dirty.oldest().map(|since| now.saturating_duration_since(since)).unwrap_or_default();
        figures.oldest.store(u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX), Relaxed);
        held
    }

    pub(super) fn figures<'w>(&self, world: &'w World) -> &'w observe::Side {
        match self.sink {
            Sink::Tables(_) => &world.published.tables,
            Sink::Cache(_) => &world.published.cache,
        }
    }

    async fn settle(&mut self, under_way: UnderWay, world: &World) -> Held {
        let UnderWay { rows, wrote, declares, task } = under_way;
        let figures = self.figures(world);
        let became = task.await;
        self.failed = !matches!(became, Ok(Ok(_)));
        match became {
            Ok(Ok(held)) => {
                let now = Instant::now();
                for waiting in &rows {
                    figures.age.observe(now.saturating_duration_since(waiting.since), 1);
                }
                world.published.wrote(wrote);
                self.declared |= declares;
                held
            }
            Ok(Err(Unavailable)) | Err(_) => {
                figures.failures.fetch_add(1, Relaxed);
                self.dirty.put_back(rows);
                Held::All
            }
        }
    }

    async fn begin(&mut self, world: &World, catalogue: &Arc<Catalogue>) -> UnderWay {
        match self.sink.clone() {
            Sink::Tables(tables) if !self.declared => {
                let shapes = catalogue.tables();
                let task = tokio::spawn(async move { tables.declare(shapes).await.map(|()| Held::All) });
                UnderWay { rows: Vec::new(), wrote: BTreeMap::new(), declares: true, task }
            }
            Sink::Tables(tables) => {
                let mut draft = Draft::default();
                let now = Instant::now();
                let (most, ripe) = (self.at_once(self.budget.left(now)), now.checked_sub(TABLES_WAIT));
                let show = |entry: &Entry, ready: Ready| draft.put(entry, &ready);
                let dirty = &mut self.dirty;
                let rows = read_rows(dirty, (most, ripe.unwrap_or(now)), world, catalogue, show).await;
                let Draft { writes, by_table } = draft;
                self.budget.spend(writes.len());
                let task = tokio::spawn(async move {
                    match writes.is_empty() {
                        true => Ok(Held::All),
                        false => tables.write(writes).await.map(|()| Held::All),
                    }
                });
                UnderWay { rows, wrote: by_table, declares: false, task }
            }
            Sink::Cache(cache) => {
                let mut commands = Vec::new();
                let show = |entry: &Entry, ready: Ready| {
                    if let Shape::Cache(shape) = &entry.shape {
                        commands.extend(shape.commands(&entry.metric, &ready.row));
                        commands.extend(ready.kept.map(|kept| kept.command(shape.ttl())));
                    }
                    1
                };
                let most = self.at_once(CACHE_ROWS);
                let rows = read_rows(&mut self.dirty, (most, Instant::now()), world, catalogue, show).await;
                let task = tokio::spawn(async move { cache.write(commands).await });
                UnderWay { rows, wrote: BTreeMap::new(), declares: false, task }
            }
        }
    }

    /// So many rows, or few: after a write that failed they find out whether the next one would.
    fn at_once(&self, most: usize) -> usize {
        if self.failed { most.min(ROWS_PER_TRIAL) } else { most }
    }
}
