//! What is under test: an owner with its shard, opened the way a node opens one; and what the oracles may read of a shard.

use std::sync::Arc;

use souk_model::journal::{Partitions, ShardId};
use souk_model::key::ActorKey;
use souk_model::keying::Keying;
use souk_model::limits::SLICES_PER_HANDLE;
use souk_model::owner::{Owner, OwnerConfig};
use souk_model::planted::Planted;
use souk_model::product::Stock;
pub use souk_model::shard::{SettingsLibrary, Shard, ShardConfig};
use souk_model::time::Millis;
use souk_model::user::{Order, State};

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
            keying: Keying::Own,
            settings: settings::INITIAL.to_owned(),
            library: Arc::clone(&self.library),
            build_version: build,
            planted: self.planted,
        };
        Shard::new(config).expect("the initial settings are lawful: a test compiles them")
    }

    pub fn owner(&self, id: ShardId, build: u32, name: String) -> Owner<Shard> {
        let config = OwnerConfig {
            owner: name,
            address: String::new(),
            newest_fold_version: build,
            slices_per_handle: SLICES_PER_HANDLE,
            planted: self.planted,
        };
        Owner::new(config, self.shard(id, build))
    }
}

/// What a fold with the bug of reading a clock would see.
pub fn see_clock(shard: &mut Shard, now: Millis) {
    shard.plant_clock(now);
}

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

impl OrderState {
    fn of(order: &Order) -> Self {
        match order.state {
            State::Confirmed => Self::Ended(OrderEnd::Confirmed),
            State::Cancelled => Self::Ended(OrderEnd::Cancelled),
            _ => Self::Open,
        }
    }
}

/// Visits the stock of every loaded product.
pub fn each_stock(fold: &Shard, mut visit: impl FnMut(&str, StockView)) {
    if let Some(shard) = fold.as_products() {
        // A state that cannot be read is found by whoever folds it.
        let _unreadable = shard.each_product(|key, product| {
            let Stock { received, available, reserved, sold, .. } = *product.stock();
            visit(key, StockView { received, available, reserved, sold });
        });
    }
}

/// State of an order somebody commanded, where its user is loaded.
pub fn order_state(fold: &Shard, user: &ActorKey, order: &str) -> Option<OrderState> {
    fold.as_users()?
        .user(user, |user| user.order(order).filter(|order| order.is_commanded()).map(OrderState::of))
        .ok()??
}

/// Visits every commanded order of every loaded user.
pub fn each_order(fold: &Shard, mut visit: impl FnMut(&str, &str, OrderState)) {
    if let Some(shard) = fold.as_users() {
        let _unreadable = shard.each_user(|key, user| {
            for order in user.orders().filter(|order| order.is_commanded()) {
                visit(key, &order.id, OrderState::of(order));
            }
        });
    }
}

/// Whether no user waits for an answer, nor owes one. Cheap: asked often.
pub fn is_settled(fold: &Shard) -> bool {
    fold.as_users().is_none_or(|shard| shard.open_orders().is_empty() && shard.open_sagas() == 0)
}

/// Who waits for an answer or owes one.
pub fn unsettled(fold: &Shard) -> Vec<String> {
    let Some(shard) = fold.as_users() else { return Vec::new() };
    let mut open: Vec<String> = shard
        .open_orders()
        .after(None)
        .map(|(_, open)| format!("{} order {}", open.actor.as_str(), open.order_id))
        .collect();
    let _unreadable = shard.each_user(|key, user| {
        if user.has_open_saga() {
            open.push(key.to_owned());
        }
    });
    open
}

/// Version and digest of a cart or a product, as anybody is shown it; none while its bucket is not loaded.
pub fn resource(fold: &Shard, key: &ActorKey) -> Option<(i64, u64)> {
    let (version, text) = match fold {
        Shard::Users(shard) => shard
            .user(key, |user| user.cart().map(|cart| (cart.version as i64, format!("{:?}", cart.lines))))
            .ok()??,
        Shard::Products(shard) => shard
            .product(key, |product| Some((product.version(), format!("{:?}", product.to_proto(key)))))
            .ok()??,
    }?;
    Some((version, xxhash_rust::xxh3::xxh3_64(text.as_bytes())))
}

/// Entries of its longest ring.
pub fn longest_ring(fold: &Shard) -> usize {
    match fold {
        Shard::Users(shard) => shard.abandoned().len().max(shard.open_orders().len()),
        Shard::Products(shard) => shard.alerts().len(),
    }
}
