//! What is under test: an owner with its shard, opened the way a node opens one, and the same shard folded from scratch.

use std::sync::Arc;

use souk_model::journal::{Partitions, ShardId};
use souk_model::owner::{Effect, Fold, Input, Owner, OwnerConfig};
use souk_model::planted::Planted;
use souk_model::shard::{Shard, ShardConfig};
use souk_model::shard::library::SettingsLibrary;
use souk_model::time::Millis;

use crate::settings;

/// What every owner of a seed is opened with.
#[derive(Debug, Clone)]
pub struct Opening {
    pub partitions: Partitions,
    pub library: Arc<SettingsLibrary>,
    pub planted: Planted,
}

impl Opening {
    /// An empty shard, as a node of this build makes it.
    pub fn shard(&self, id: ShardId, build: u32) -> Shard {
        let config = ShardConfig {
            id,
            partitions: self.partitions,
            settings: settings::INITIAL.to_owned(),
            library: Arc::clone(&self.library),
            build_version: build,
            planted: self.planted,
        };
        Shard::new(config).expect("the initial settings are lawful: a test compiles them")
    }

    pub fn owner(&self, id: ShardId, build: u32, name: String) -> Owner<Shard> {
        let config = OwnerConfig { owner: name, newest_fold_version: build, planted: self.planted };
        Owner::new(config, self.shard(id, build))
    }
}
