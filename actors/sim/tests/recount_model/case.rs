//! A case: the records of all four partitions in one order, and the folds they are put through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use souk_model::cut::segment::HEADER;
use souk_model::journal::{Entry, Journal, Partitions, ShardId};
use souk_model::key::ActorKey;
use souk_model::keying::Keying;
use souk_model::output::Outputs;
use souk_model::owner::fold::{Fold, Progress};
use souk_model::planted::Planted;
use souk_model::shard::{FOLD_VERSION, SettingsLibrary, Shard, ShardConfig};
use souk_sim::observed;
use souk_sim::recount::{Input, JournalRecord, Partition};

pub(crate) const PARTITIONS: Partitions = Partitions { users: 2, products: 2 };

pub(crate) const SHARDS: [ShardId; 4] =
    [ShardId::users(0), ShardId::users(1), ShardId::products(0), ShardId::products(1)];

/// One record of a case.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) shard: ShardId,
    pub(crate) append_time: i64,
    pub(crate) bytes: Vec<u8>,
    /// On the skip list.
    pub(crate) skipped: bool,
}

/// Journals to be folded and recounted.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) settings: String,
    /// In the order they were appended, over all partitions.
    pub(crate) records: Vec<Placed>,
}

impl Case {
    /// The records as entries of their journals, in the order of appending.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (ShardId, Entry, bool)> {
        let mut offsets: BTreeMap<ShardId, u64> = BTreeMap::new();
        self.records.iter().map(move |placed| {
            let offset = offsets.entry(placed.shard).or_insert(0);
            *offset += 1;
            let entry = Entry::new(*offset, placed.append_time, placed.bytes.clone().into());
            (placed.shard, entry, placed.skipped)
        })
    }

    /// The same for the recount.
    pub(crate) fn input(&self) -> Input {
        let mut partitions: BTreeMap<ShardId, Partition> = BTreeMap::new();
        for id in SHARDS {
            let shard = observed::name(id);
            partitions.insert(id, Partition { shard, records: Vec::new(), skipped: BTreeSet::new() });
        }
        for (id, entry, skipped) in self.entries() {
            let Some(partition) = partitions.get_mut(&id) else { continue };
            if skipped {
                partition.skipped.insert(entry.offset);
            }
            let (offset, append_ms) = (entry.offset, entry.append_time);
            partition.records.push(JournalRecord { offset, append_ms, bytes: entry.bytes.to_vec() });
        }
        Input { settings: self.settings.clone(), partitions: partitions.into_values().collect() }
    }
}

/// The shard an actor of a journal belongs to.
pub(crate) fn home(journal: Journal, key: &ActorKey) -> ShardId {
    match journal {
        Journal::Users => ShardId::users(key.partition(PARTITIONS.users)),
        Journal::Products => ShardId::products(key.partition(PARTITIONS.products)),
    }
}

/// Another partition of the same journal.
pub(crate) fn elsewhere(home: ShardId) -> ShardId {
    let partitions = match home.journal {
        Journal::Users => PARTITIONS.users,
        Journal::Products => PARTITIONS.products,
    };
    ShardId { partition: (home.partition + 1) % partitions, ..home }
}

/// A shard that has folded nothing, and has loaded nothing either.
pub(crate) fn shard(id: ShardId, settings: &str, library: &Arc<SettingsLibrary>) -> Shard {
    let config = ShardConfig {
        id,
        partitions: PARTITIONS,
        keying: Keying::Own,
        settings: settings.to_owned(),
        library: Arc::clone(library),
        build_version: FOLD_VERSION,
        planted: Planted::default(),
    };
    Shard::new(config).expect("the settings of a case are lawful")
}

/// A shard that has folded nothing, and knows that there is nothing to load.
pub(crate) fn fresh(id: ShardId, settings: &str, library: &Arc<SettingsLibrary>) -> Shard {
    let mut shard = shard(id, settings, library);
    for section in sections(id) {
        shard.load(section, &[]).expect("nothing is always readable");
    }
    shard
}

/// Every section a shard of this kind can have.
pub(crate) fn sections(id: ShardId) -> impl Iterator<Item = u16> {
    let tombstones = if id.journal == Journal::Users { 192..256 } else { 0..0 };
    (0..=HEADER).chain(128..192).chain(tombstones)
}

/// Folds one entry to its end.
pub(crate) fn fold(shard: &mut Shard, entry: &Entry, skipped: bool, out: &mut Outputs) {
    if skipped {
        shard.skip(entry, "chosen", out);
        return;
    }
    while shard.step(entry, out) == Progress::More {}
}
