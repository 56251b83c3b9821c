//! What can be read of a shard without folding: actors, rings, counts. A lock, a copy, never a queue.

use crate::actor::StateError;
use crate::key::ActorKey;
use crate::product::Product;
use crate::ring::{Ring, RingId};
use crate::series::SeriesBook;
use crate::shard::core::{Counts, DeadLetter};
use crate::shard::{AbandonedCart, Alert, OpenOrder, ProductsShard, Shard, UsersShard};
use crate::tally::TallyBook;
use crate::time::Now;
use crate::user::User;

impl Shard {
    fn core(&self) -> &super::core::Core {
        match self {
            Self::Users(shard) => &shard.core,
            Self::Products(shard) => &shard.core,
        }
    }

    pub fn counts(&self) -> Counts {
        self.core().counts
    }

    /// Where the shard stands after its last record.
    pub fn now(&self) -> Now {
        self.core().now(self.core().position)
    }

    pub fn settings(&self) -> &crate::settings::Settings {
        &self.core().settings
    }

    /// Quarantined records after `token`, oldest first.
    pub fn dead_letters(&self, token: Option<RingId>) -> impl Iterator<Item = (RingId, &DeadLetter)> {
        self.core().dead_letters.after(token)
    }

    pub fn as_users(&self) -> Option<&UsersShard> {
        match self {
            Self::Users(shard) => Some(shard),
            Self::Products(_) => None,
        }
    }

    pub fn as_products(&self) -> Option<&ProductsShard> {
        match self {
            Self::Products(shard) => Some(shard),
            Self::Users(_) => None,
        }
    }
}

impl UsersShard {
    /// A copy of a user as it stands; its bucket must be loaded.
    pub fn user(&self, key: &ActorKey) -> Result<Option<User>, StateError> {
        self.users.get(key.into())
    }

    pub fn abandoned(&self) -> &Ring<AbandonedCart> {
        &self.abandoned
    }

    pub fn open_orders(&self) -> &Ring<OpenOrder> {
        &self.open_orders
    }

    pub fn book(&self) -> &TallyBook {
        &self.book
    }
}

impl ProductsShard {
    /// A copy of a product as it stands; its bucket must be loaded.
    pub fn product(&self, key: &ActorKey) -> Result<Option<Product>, StateError> {
        self.products.get(key.into())
    }

    pub fn alerts(&self) -> &Ring<Alert> {
        &self.alerts
    }

    pub fn series(&self) -> &SeriesBook {
        &self.series
    }

    pub fn catalogue(&self) -> &crate::catalogue::Catalogue {
        &self.catalogue
    }
}
