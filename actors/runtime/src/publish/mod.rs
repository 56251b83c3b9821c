//! Publishing: what changed in the series of this node's products shards, written to tables and a cache for others to read.
//!
//! One task takes what changed to two sets of waiting rows, a few times a second, and writes from each what is due: a row that changed a
//! thousand times meanwhile is written once, as it then stands. So what is written depends on how many rows there are, not on how many
//! events. It never waits for a server: writes run beside it, and what fails goes on waiting. Lists of first rows are [`top`]'s.

mod budget;
mod dirty;
mod draft;
mod kept;
mod ripe;
mod side;
mod sweep;
mod top;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use souk_model::journal::Journal;
use souk_model::view::Catalogue;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::limits::{DIRTY_ROWS, PUBLISH_EVERY, SWEEP_STEPS};
use crate::ports::Held;
use crate::shard::{Cell, World};
use budget::Budget;
use dirty::Row;
use side::{Side, Sink};
use sweep::Sweep;

/// Starts to publish, if there is anywhere to publish to. Ends with the node.
pub(crate) fn start(world: &Arc<World>) {
    let views = &world.ports.views;
    let rows_per_second = views.tables.as_ref().map_or(0, |at| at.rows_per_second);
    let budget = Arc::new(Budget::new(rows_per_second, Instant::now()));
    let tables = views.tables.iter().map(|at| Sink::Tables(Arc::clone(&at.tables)));
    let sinks: Vec<Sink> = tables.chain(views.cache.iter().cloned().map(Sink::Cache)).collect();
    if sinks.is_empty() {
        return;
    }
    let sides = sinks.iter().map(|sink| Side::new(sink.clone(), &budget)).collect();
    let sweeps = world.cells(Journal::Products).iter().map(|_| Sweep::default()).collect();
    let publisher = Publisher {
        hash: None,
        catalogue: Arc::default(),
        sides,
        sweeps,
        anew: watch::Sender::new(()),
        emptied: Arc::default(),
    };
    let (emptied, anew) = (Arc::clone(&publisher.emptied), publisher.anew.subscribe());
    tokio::spawn(top::publish(Arc::downgrade(world), (sinks, budget), emptied, anew));
    tokio::spawn(publisher.run(Arc::downgrade(world)));
}

struct Publisher {
    /// Of the settings the catalogue is of.
    hash: Option<u64>,
    catalogue: Arc<Catalogue>,
    sides: Vec<Side>,
    /// By shard.
    sweeps: Vec<Sweep>,
    /// Told when everything is to be written again.
    anew: watch::Sender<()>,
    /// The cache was found empty.
    emptied: Arc<AtomicBool>,
}

impl Publisher {
    async fn run(mut self, node: Weak<World>) {
        let mut rounds = interval(PUBLISH_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let Some(world) = node.upgrade() else { return };
            self.round(&world).await;
        }
    }

    async fn round(&mut self, world: &World) {
        let settings = world.settings.load_full();
        if self.hash != Some(settings.hash) {
            self.hash = Some(settings.hash);
            self.catalogue = Arc::new(Catalogue::of(&settings));
            self.sides.iter_mut().for_each(Side::begin_anew);
            self.write_anew();
        }
        for at in 0..self.sweeps.len() {
            let cell = Arc::clone(&world.cells(Journal::Products)[at]);
            self.collect(world, at, &cell);
            self.sweep(world, at, &cell).await;
        }
        let catalogue = Arc::clone(&self.catalogue);
        for side in &mut self.sides {
            if side.turn(world, &catalogue).await == Held::Nothing {
                self.emptied.store(true, Relaxed);
            }
        }
        if self.emptied.swap(false, Relaxed) {
            tracing::info!("the cache was empty; what it shows is written anew");
            self.write_anew();
        }
    }

    fn write_anew(&mut self) {
        self.sweeps.iter_mut().for_each(Sweep::begin);
        self.anew.send_replace(());
    }

    /// Takes what changed in one shard.
    fn collect(&mut self, world: &World, at: usize, cell: &Cell) {
        let changed = {
            let mut owner = cell.lock();
            let live = owner.as_mut().filter(|owner| owner.is_live());
            let Some(series) = live.and_then(|owner| owner.fold_mut().series_mut()) else { return };
            sweep::changed(at as u16, series, &self.catalogue)
        };
        match changed {
            Some(rows) => self.mark(world, rows),
            None => self.sweeps[at].begin(),
        }
    }

    /// Goes on with the round of a shard, as long as there is room for what it finds.
    async fn sweep(&mut self, world: &World, at: usize, cell: &Cell) {
        for _ in 0..SWEEP_STEPS {
            let room = self.sides.iter().all(|side| side.dirty.len() < DIRTY_ROWS / 2);
            if !self.sweeps[at].is_under_way() || !room {
                return;
            }
            let rows = {
                let mut owner = cell.lock();
                let live = owner.as_mut().filter(|owner| owner.is_live());
                let Some(series) = live.and_then(|owner| owner.fold_mut().series_mut()) else { return };
                self.sweeps[at].step(at as u16, series, &self.catalogue)
            };
            self.mark(world, rows);
            tokio::task::yield_now().await;
        }
    }

    fn mark(&mut self, world: &World, rows: Vec<Row>) {
        let now = Instant::now();
        for row in rows {
            let shape = &self.catalogue.entries()[row.entry].shape;
            let Some(side) = self.sides.iter_mut().find(|side| side.shows(shape)) else { continue };
            let shard = usize::from(row.shard);
            if !side.dirty.mark(row, now) {
                side.figures(world).overflows.fetch_add(1, Relaxed);
                self.sweeps[shard].begin();
            }
        }
    }
}
