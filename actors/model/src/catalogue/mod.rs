//! The resident catalogue of a products shard: which products there are, in order, and the words they are found by.
//!
//! An index over the products of the shard, filled as they are loaded and change. It is no state of its own: no fold decision
//! reads it, no digest and no cut holds it. Lists page by product id; each page does a bounded amount of work.

mod index;
mod query;
mod words;

#[cfg(test)]
mod tests;

pub use query::{Page, Query};

use std::collections::BTreeMap;

use crate::key::ActorKey;
use crate::product::Product;
use index::ShopIndex;

/// The products of one shard, by shop.
#[derive(Debug, Default)]
pub struct Catalogue {
    shops: BTreeMap<Box<str>, ShopIndex>,
}

impl Catalogue {
    /// Takes a product as it is now. Cheap when nothing that is searched has changed: every fold of a product calls it.
    pub fn upsert(&mut self, key: &ActorKey, product: &Product) {
        if !product.exists() {
            return self.remove(key);
        }
        if !self.shops.contains_key(key.shop()) {
            self.shops.insert(key.shop().into(), ShopIndex::default());
        }
        if let Some(shop) = self.shops.get_mut(key.shop()) {
            shop.upsert(key.id(), product.text());
        }
    }

    pub fn remove(&mut self, key: &ActorKey) {
        let Some(shop) = self.shops.get_mut(key.shop()) else { return };
        shop.remove(key.id());
        if shop.is_empty() {
            self.shops.remove(key.shop());
        }
    }

    /// One page of the products a query finds, in the order of their ids, after the one named by `after`.
    pub fn list(&self, shop: &str, query: &Query<'_>, after: Option<&str>, limit: usize) -> Page {
        self.shops.get(shop).map_or_else(Page::default, |shop| shop.list(query, after, limit))
    }

    /// Products of all shops.
    pub fn len(&self) -> usize {
        self.shops.values().map(ShopIndex::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.shops.is_empty()
    }
}
