//! What all shard actors of a node share: the ports, each other, and those who watch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use souk_model::journal::{Journal, Partitions, ShardId};
use souk_model::key::ActorKey;
use souk_model::keying::Keying;
use souk_model::planted::Planted;
use souk_model::record::KIND_NAMES;
use souk_model::settings::Settings;
use souk_model::shard::{FOLD_VERSION, SettingsLibrary, Shard, ShardConfig};
use tokio::sync::Semaphore;

use super::whereabouts::Silent;
use super::{Batch, Cell};
use crate::Error;
use crate::intake::KnownStamps;
use crate::limits::{CUTS_AT_ONCE, SETTINGS_LEARNED};
use crate::observe::{Durations, Kept, Published};
use crate::runtime::{Config, Ports};
use crate::watch::Hub;

#[derive(Debug)]
pub(crate) struct World {
    pub config: Config,
    pub ports: Ports,
    pub partitions: Partitions,
    pub keying: Keying,
    users: Vec<Arc<Cell>>,
    products: Vec<Arc<Cell>>,
    pub library: Arc<SettingsLibrary>,
    /// Text of the settings a shard has before its first record. Put together once: every owner begins with it.
    pub builtin: String,
    /// Settings in force, as the shard saw them that changed them last.
    pub settings: ArcSwap<Settings>,
    pub hub: Hub,
    /// Room for shards to cut in, [`CUTS_AT_ONCE`] of them.
    pub cuts: Arc<Semaphore>,
    /// How many want tallies to leave at once: watchers and reads that wait for a position, here and on nodes that said so.
    watched: AtomicUsize,
    /// Those of them that are here: others are told, but never of what they told.
    watched_here: AtomicUsize,
    pub tallies: Tallies,
    /// From intake to where readers see it.
    pub visible: Durations,
    /// Nodes that did not answer of late.
    pub silent: Silent,
    /// What other nodes' catalogues said of late.
    pub stamps: KnownStamps,
    /// Settings by their hash, as shards elsewhere have them.
    learned: Mutex<BTreeMap<u64, Arc<Settings>>>,
    pub published: Published,
    pub kept: Kept,
    /// Names owners: none is used twice.
    owners: AtomicU64,
}

/// Counters of a node since it started.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub received: AtomicU64,
    pub rejected: AtomicU64,
    /// By the kind's place in [`KIND_NAMES`].
    pub ingested: [AtomicU64; KIND_NAMES.len()],
    pub shed: AtomicU64,
    pub folded: AtomicU64,
    pub cuts: AtomicU64,
    pub restarts: AtomicU64,
    pub tally_batches: AtomicU64,
    pub peers_dropped: AtomicU64,
    pub lagged: AtomicU64,
}

/// Somebody wants tallies to leave at once.
#[derive(Debug)]
pub(crate) struct Interest {
    world: Arc<World>,
    here: bool,
}

impl World {
    pub(crate) fn new(config: Config, ports: Ports, settings: Settings) -> Self {
        let partitions = ports.journal.partitions();
        let keying = ports.journal.keying();
        let cells = |journal, count| {
            (0..count).map(|partition| Arc::new(Cell::new(ShardId { journal, partition }))).collect()
        };
        Self {
            config,
            ports,
            partitions,
            keying,
            users: cells(Journal::Users, partitions.users),
            products: cells(Journal::Products, partitions.products),
            library: Arc::new(SettingsLibrary::default()),
            builtin: Settings::builtin().text,
            settings: ArcSwap::from_pointee(settings),
            hub: Hub::default(),
            cuts: Arc::new(Semaphore::new(CUTS_AT_ONCE)),
            watched: AtomicUsize::new(0),
            watched_here: AtomicUsize::new(0),
            tallies: Tallies::default(),
            visible: Durations::default(),
            silent: Silent::default(),
            stamps: KnownStamps::default(),
            learned: Mutex::default(),
            published: Published::default(),
            kept: Kept::default(),
            owners: AtomicU64::new(0),
        }
    }

    pub(crate) fn cells(&self, journal: Journal) -> &[Arc<Cell>] {
        match journal {
            Journal::Users => &self.users,
            Journal::Products => &self.products,
        }
    }

    pub(crate) fn every_cell(&self) -> impl Iterator<Item = &Arc<Cell>> {
        self.users.iter().chain(&self.products)
    }

    pub(crate) fn cell(&self, shard: ShardId) -> Option<&Arc<Cell>> {
        self.cells(shard.journal).get(usize::from(shard.partition))
    }

    /// Bytes one of the shards here may hold in memory.
    pub(crate) fn memory_share(&self) -> u64 {
        let here = self.every_cell().filter(|cell| cell.is_here()).count();
        self.config.memory_budget / here.max(1) as u64
    }

    /// Whether there may be other nodes.
    pub(crate) fn has_peers(&self) -> bool {
        !self.ports.peers.address().is_empty()
    }

    pub(crate) fn is_silent(&self, address: &str) -> bool {
        self.silent.has(address)
    }

    /// Settings of a hash, if a shard here or one that was asked has them.
    pub(crate) fn settings_of(&self, hash: u64) -> Option<Arc<Settings>> {
        let own = self.settings.load();
        if own.hash == hash {
            return Some(Arc::clone(&own));
        }
        self.learned.lock().get(&hash).cloned()
    }

    /// Keeps settings of a shard elsewhere.
    pub(crate) fn learn(&self, settings: &Arc<Settings>) {
        let mut learned = self.learned.lock();
        if learned.len() >= SETTINGS_LEARNED {
            learned.clear();
        }
        learned.insert(settings.hash, Arc::clone(settings));
    }

    /// A shard that knows nothing, to be loaded.
    pub(crate) fn empty_shard(&self, id: ShardId) -> Result<Shard, Error> {
        let config = ShardConfig {
            id,
            partitions: self.partitions,
            keying: self.keying,
            settings: self.builtin.clone(),
            library: Arc::clone(&self.library),
            build_version: FOLD_VERSION,
            planted: Planted::default(),
        };
        Shard::new(config).map_err(Error::Settings)
    }

    /// The shard an actor belongs to.
    pub(crate) fn home(&self, journal: Journal, key: &ActorKey) -> &Arc<Cell> {
        let cells = self.cells(journal);
        let partitions = cells.len() as u16;
        let home = match journal {
            Journal::Users => self.keying.partition(key, partitions),
            Journal::Products => key.partition(partitions),
        };
        &cells[usize::from(home)]
    }

    /// A batch is in a shard's journal, and is timed from when it came in to where it can be read.
    pub(crate) fn underway(&self, cell: &Cell, batch: Batch) {
        if self.config.timed {
            cell.underway.put(batch);
            // The fold may have passed it before it was noted.
            cell.underway.reached(*cell.position.borrow(), &self.visible);
        }
    }

    /// Events of a shard up to a position can be read now.
    pub(crate) fn visible(&self, cell: &Cell, position: u64) {
        if self.config.timed {
            cell.underway.reached(position, &self.visible);
        }
    }

    /// A name no owner had before.
    pub(crate) fn owner_name(&self) -> String {
        let n = self.owners.fetch_add(1, Ordering::Relaxed);
        format!("{}/{}/{n}", self.config.node, self.config.incarnation)
    }

    /// Somebody here wants tallies to leave at once, here and on other nodes.
    pub(crate) fn interest(self: &Arc<Self>) -> Interest {
        if self.watched_here.fetch_add(1, Ordering::SeqCst) == 0 {
            self.ports.peers.set_interest(true);
        }
        self.watch();
        Interest { world: Arc::clone(self), here: true }
    }

    /// Somebody on another node does.
    pub(crate) fn far_interest(self: &Arc<Self>) -> Interest {
        self.watch();
        Interest { world: Arc::clone(self), here: false }
    }

    fn watch(&self) {
        if self.watched.fetch_add(1, Ordering::SeqCst) == 0 {
            // What waits for its quarter of a second leaves now.
            self.every_cell().for_each(|cell| cell.send(super::Message::Wake));
        }
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let Self { world, here } = self;
        world.watched.fetch_sub(1, Ordering::SeqCst);
        if *here && world.watched_here.fetch_sub(1, Ordering::SeqCst) == 1 {
            world.ports.peers.set_interest(false);
        }
    }
}
