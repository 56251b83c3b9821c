//! What can be read of a shard without folding: actors, rings, counts. A lock, a copy, never a queue.

use std::sync::Arc;

use crate::actor::StateError;
use crate::key::{ActorKey, BUCKETS, BucketId};
use crate::owner::Fold;
use crate::product::Product;
use crate::ring::{Ring, RingId};
use crate::series::SeriesBook;
use crate::settings::Settings;
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

    pub fn settings(&self) -> &Arc<Settings> {
        &self.core().settings
    }

    /// Revision of the Settings record in force; 0 before the first.
    pub fn settings_revision(&self) -> u64 {
        self.core().settings_revision
    }

    /// Whether the actor's bucket is in memory, so that it can be read.
    pub fn is_loaded(&self, key: &ActorKey) -> bool {
        match self {
            Self::Users(shard) => shard.users.is_loaded(key.bucket()),
            Self::Products(shard) => shard.products.is_loaded(key.bucket()),
        }
    }

    /// The section of a cut that holds the actor: what to ask for with [`Input::Load`](crate::owner::Input::Load) where it is not loaded.
    pub fn section_of(&self, key: &ActorKey) -> u16 {
        match self {
            Self::Users(shard) => shard.users.section(key.bucket()),
            Self::Products(shard) => shard.products.section(key.bucket()),
        }
    }

    /// Sections of actors that are not loaded: what whoever reads all of them, or lists them, asks for first.
    pub fn unloaded(&self) -> Vec<u16> {
        (0..u16::from(BUCKETS)).filter(|section| self.lacks(*section)).collect()
    }

    /// Actors in loaded buckets.
    pub fn actors(&self) -> u64 {
        match self {
            Self::Users(shard) => shard.users.len(),
            Self::Products(shard) => shard.products.len(),
        }
    }

    /// Quarantined records after `token`, oldest first.
    pub fn dead_letters(&self, token: Option<RingId>) -> impl Iterator<Item = (RingId, &DeadLetter)> {
        self.core().dead_letters.after(token)
    }

    /// Digest of each loaded part of the state, by section. Owners load different buckets: what two folds of one prefix both
    /// hold is equal.
    pub fn digests(&self) -> Result<Vec<(u16, u64)>, StateError> {
        match self {
            Self::Users(shard) => shard.digests(),
            Self::Products(shard) => shard.digests(),
        }
    }

    /// The owner's clock, for [`Bug::WallClockInFold`](crate::planted::Bug::WallClockInFold) alone to read.
    #[cfg(feature = "planted")]
    pub fn plant_clock(&mut self, now: crate::time::Millis) {
        match self {
            Self::Users(shard) => shard.core.planted_clock = now,
            Self::Products(shard) => shard.core.planted_clock = now,
        }
    }

    pub fn as_users(&self) -> Option<&UsersShard> {
        match self {
            Self::Users(shard) => Some(shard),
            Self::Products(_) => None,
        }
    }

    /// The series, to say that they are watched.
    pub fn series_mut(&mut self) -> Option<&mut SeriesBook> {
        match self {
            Self::Users(_) => None,
            Self::Products(shard) => Some(&mut shard.series),
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
    /// Reads a user as it stands; its bucket must be loaded.
    pub fn user<R>(&self, key: &ActorKey, read: impl FnOnce(&User) -> R) -> Result<Option<R>, StateError> {
        self.users.get(key.into(), read)
    }

    /// Reads every loaded user, in bucket and key order.
    pub fn each_user(&self, mut visit: impl FnMut(&str, &User)) -> Result<(), StateError> {
        let mut loaded = (0..BUCKETS).map(BucketId).filter(|bucket| self.users.is_loaded(*bucket));
        loaded.try_for_each(|bucket| self.users.peek(bucket, |key, user| visit(key.text, user)))
    }

    pub fn abandoned(&self) -> &Ring<AbandonedCart> {
        &self.abandoned
    }

    pub fn open_orders(&self) -> &Ring<OpenOrder> {
        &self.open_orders
    }

    /// How many users have a saga under way, loaded or not.
    pub fn open_sagas(&self) -> usize {
        self.open_sagas.len()
    }

    pub fn book(&self) -> &TallyBook {
        &self.book
    }
}

impl ProductsShard {
    /// Reads a product as it stands; its bucket must be loaded.
    pub fn product<R>(
        &self,
        key: &ActorKey,
        read: impl FnOnce(&Product) -> R,
    ) -> Result<Option<R>, StateError> {
        self.products.get(key.into(), read)
    }

    /// Reads every loaded product, in bucket and key order.
    pub fn each_product(&self, mut visit: impl FnMut(&str, &Product)) -> Result<(), StateError> {
        let mut loaded = (0..BUCKETS).map(BucketId).filter(|bucket| self.products.is_loaded(*bucket));
        loaded.try_for_each(|bucket| self.products.peek(bucket, |key, product| visit(key.text, product)))
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
