//! One side of what is published, tables or a cache: its waiting rows, one write under way at a time, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use souk_model::journal::Journal;
use souk_model::owner::{Owner, Unavailable};
use souk_model::series::PublishedRow;
use souk_model::shard::Shard;
use souk_model::view::{Catalogue, Entry, KeptAnswer, Shape};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::Instant;

use super::dirty::{Dirty, Row, Waiting};
use super::kept;
use crate::limits::{CACHE_EVERY, CACHE_ROWS, READ_ROUNDS, ROWS_PER_LOCK, ROWS_PER_TRIAL, TABLES_EVERY};
use crate::observe;
use crate::ports::{Cache, Held, TableWrite, Tables, TablesAt};
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
    every: Duration,
    most: usize,
    due: Instant,
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
    wrote: BTreeMap<String, u64>,
    declares: bool,
    task: JoinHandle<Result<Held, Unavailable>>,
}

/// What was read of a row to be published.
enum Read {
    Row(Box<Ready>),
    /// Its window has not begun.
    NotYet,
    /// There is none, or another owner's it is.
    Gone,
}

/// A row as it is to be published, and the answer kept beside it.
struct Ready {
    row: PublishedRow,
    kept: Option<KeptAnswer>,
}

impl Side {
    pub(super) fn tables(at: &TablesAt) -> Self {
        let most = at.rows_per_second as u128 * TABLES_EVERY.as_millis() / 1_000;
        Self::new(Sink::Tables(Arc::clone(&at.tables)), TABLES_EVERY, most.max(1) as usize)
    }

    pub(super) fn cache(cache: &Arc<dyn Cache>) -> Self {
        Self::new(Sink::Cache(Arc::clone(cache)), CACHE_EVERY, CACHE_ROWS)
    }

    fn new(sink: Sink, every: Duration, most: usize) -> Self {
        let declared = matches!(sink, Sink::Cache(_));
        let (dirty, due) = (Dirty::default(), Instant::now());
        Self { sink, dirty, every, most, due, declared, failed: false, under_way: None }
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

    /// Looks after the write under way and begins the next one when it is due. Says whether the cache was found empty.
    pub(super) async fn turn(&mut self, world: &World, catalogue: &Arc<Catalogue>) -> Held {
        let figures = self.figures(world);
        let mut held = Held::All;
        if let Some(under_way) = self.under_way.take_if(|under_way| under_way.task.is_finished()) {
            held = self.settle(under_way, world).await;
        }
        let now = Instant::now();
        if self.under_way.is_none() && now >= self.due {
            self.due = now + self.every;
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
                let (mut writes, mut wrote) = (Vec::new(), BTreeMap::<String, u64>::new());
                let rows = self.read(world, catalogue, |entry, ready| {
                    if let Shape::Table(shape) = &entry.shape {
                        let rows = shape.rows(&entry.metric, &ready.row);
                        *wrote.entry(shape.table.name.clone()).or_default() += rows.len() as u64;
                        writes.extend(rows.into_iter().map(TableWrite::Row));
                    }
                });
                let rows = rows.await;
                let task = tokio::spawn(async move {
                    match writes.is_empty() {
                        true => Ok(Held::All),
                        false => tables.write(writes).await.map(|()| Held::All),
                    }
                });
                UnderWay { rows, wrote, declares: false, task }
            }
            Sink::Cache(cache) => {
                let mut commands = Vec::new();
                let rows = self.read(world, catalogue, |entry, ready| {
                    if let Shape::Cache(shape) = &entry.shape {
                        commands.extend(shape.commands(&entry.metric, &ready.row));
                        commands.extend(ready.kept.map(|kept| kept.command(shape.ttl())));
                    }
                });
                let rows = rows.await;
                let task = tokio::spawn(async move { cache.write(commands).await });
                UnderWay { rows, wrote: BTreeMap::new(), declares: false, task }
            }
        }
    }

    /// Takes rows that waited longest as they stand now. Those whose time has not come, or that are not settled, go on waiting.
    async fn read(
        &mut self,
        world: &World,
        catalogue: &Catalogue,
        mut show: impl FnMut(&Entry, Ready),
    ) -> Vec<Waiting> {
        let most = if self.failed { self.most.min(ROWS_PER_TRIAL) } else { self.most };
        let (mut taken, mut waits) = (Vec::new(), Vec::new());
        for _ in 0..READ_ROUNDS {
            let mut picked = self.dirty.pick(most.saturating_sub(taken.len()));
            if picked.is_empty() {
                break;
            }
            picked.sort_by_key(|waiting| waiting.row.shard);
            for some in
                picked.chunk_by(|a, b| a.row.shard == b.row.shard).flat_map(|of| of.chunks(ROWS_PER_LOCK))
            {
                for (waiting, read) in some.iter().zip(read(world, catalogue, some)) {
                    match read {
                        Read::Row(ready) => {
                            if !ready.row.settled {
                                waits.push(waiting.row.clone());
                            }
                            show(&catalogue.entries()[waiting.row.entry], *ready);
                            taken.push(waiting.clone());
                        }
                        Read::NotYet => waits.push(waiting.row.clone()),
                        Read::Gone => {}
                    }
                }
                yield_now().await;
            }
        }
        let now = Instant::now();
        for row in waits {
            self.dirty.mark(row, now);
        }
        taken
    }
}

/// Rows of one shard, as they stand.
fn read(world: &World, catalogue: &Catalogue, rows: &[Waiting]) -> Vec<Read> {
    let gone = || rows.iter().map(|_| Read::Gone).collect();
    let Some(first) = rows.first() else { return Vec::new() };
    let Some(cell) = world.cells(Journal::Products).get(usize::from(first.row.shard)) else { return gone() };
    let now = world.ports.clock.now();
    let read = |owner: &Owner<Shard>| {
        let series = owner.fold().as_products()?.series();
        let reached = series.reached();
        let one = |Waiting { row: Row { entry, key, range, .. }, .. }: &Waiting| {
            let Some(entry) = catalogue.entries().get(*entry) else { return Read::Gone };
            if !reached.is_some_and(|reached| entry.has_begun(*range, reached)) {
                return Read::NotYet;
            }
            match series.published(key, entry.window, *range) {
                Ok(Some(row)) => {
                    let kept = kept::answer(owner, entry, &row, now);
                    Read::Row(Box::new(Ready { row, kept }))
                }
                Ok(None) => Read::Gone,
                Err(error) => {
                    tracing::error!(%key, %error, "a row cannot be read to be published");
                    Read::Gone
                }
            }
        };
        Some(rows.iter().map(one).collect())
    };
    cell.lock().as_ref().filter(|owner| owner.is_live()).and_then(read).unwrap_or_else(gone)
}
