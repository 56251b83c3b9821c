//! What is under test: an owner with its shard, opened the way a node opens one; and what the oracles may read of a shard.

use std::sync::Arc;

use souk_model::journal::{Partitions, ShardId};
use souk_model::key::ActorKey;
use souk_model::owner::{Owner, OwnerConfig};
use souk_model::planted::Planted;
pub use crate::toy::{SettingsLibrary, Shard, ShardConfig};
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

/// What a fold with the bug of reading a clock would see.
pub fn see_clock(_shard: &mut Shard, _now: Millis) {}

/// The pieces of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockView {
    pub received: i64,
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    Open,
    Ended(OrderEnd),
}

/// The two ways an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEnd {
    Confirmed,
    Cancelled,
}

impl OrderState {
    pub fn end(self) -> Option<OrderEnd> {
        match self {
            Self::Open => None,
            Self::Ended(end) => Some(end),
        }
    }
}

pub fn each_stock(_: &Shard, _: impl FnMut(&str, StockView)) {}
pub fn order_state(_: &Shard, _: &ActorKey, _: &str) -> Option<OrderState> { None }
pub fn each_order(_: &Shard, _: impl FnMut(&str, &str, OrderState)) {}
pub fn is_settled(_: &Shard) -> bool { true }
pub fn resource(_: &Shard, _: &ActorKey) -> Option<(i64, u64)> { None }
pub fn longest_ring(_: &Shard) -> usize { 0 }
