//! The products of one shop, and the sets they stand in: by word, by category, featured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3Default;

use super::words::words_of;
use crate::product::Text;

/// Mean rating from which a product is featured.
const FEATURED_FROM: f64 = 4.0;

/// Product ids in order.
pub(super) type Ids = BTreeSet<Arc<str>>;

#[derive(Debug, Default)]
pub(super) struct ShopIndex {
    pub(super) products: BTreeMap<Arc<str>, Listed>,
    /// By word; words are shared with the products that have them.
    pub(super) words: BTreeMap<Arc<str>, Ids>,
    pub(super) categories: BTreeMap<Arc<str>, Ids>,
    pub(super) featured: Ids,
}

/// A product as the index knows it.
#[derive(Debug)]
pub(super) struct Listed {
    /// Of everything that is searched: equal, nothing to do.
    fingerprint: u64,
    /// Sorted.
    pub(super) words: Box<[Arc<str>]>,
    pub(super) category: Arc<str>,
    pub(super) featured: bool,
}

impl ShopIndex {
    pub(super) fn upsert(&mut self, id: &str, text: &Text) {
        let fingerprint = fingerprint(text);
        if self.products.get(id).is_some_and(|listed| listed.fingerprint == fingerprint) {
            return;
        }
        self.remove(id);
        let id: Arc<str> = id.into();
        let words = words_of(text).into_iter().map(|word| join(&mut self.words, &word, &id)).collect();
        let category = join(&mut self.categories, &text.category, &id);
        let featured = featured(text);
        if featured {
            self.featured.insert(Arc::clone(&id));
        }
        self.products.insert(id, Listed { fingerprint, words, category, featured });
    }

    pub(super) fn remove(&mut self, id: &str) {
        let Some(listed) = self.products.remove(id) else { return };
        for word in &listed.words {
            leave(&mut self.words, word, id);
        }
        leave(&mut self.categories, &listed.category, id);
        self.featured.remove(id);
    }

    pub(super) fn len(&self) -> usize {
        self.products.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.products.is_empty()
    }
}

/// Puts a product into a set, and gives the set's name to share.
fn join(sets: &mut BTreeMap<Arc<str>, Ids>, name: &str, id: &Arc<str>) -> Arc<str> {
    if let Some((shared, _)) = sets.get_key_value(name) {
        let shared = Arc::clone(shared);
        sets.entry(Arc::clone(&shared)).or_default().insert(Arc::clone(id));
        return shared;
    }
    let shared: Arc<str> = name.into();
    sets.insert(Arc::clone(&shared), Ids::from([Arc::clone(id)]));
    shared
}

/// Takes a product out of a set; an empty set is dropped.
fn leave(sets: &mut BTreeMap<Arc<str>, Ids>, name: &str, id: &str) {
    let Some(ids) = sets.get_mut(name) else { return };
    ids.remove(id);
    if ids.is_empty() {
        sets.remove(name);
    }
}

fn featured(text: &Text) -> bool {
    text.rating.is_some_and(|rating| rating >= FEATURED_FROM)
}

fn fingerprint(text: &Text) -> u64 {
    let mut hash = Xxh3Default::new();
    for part in [&text.title, &text.brand, &text.category].into_iter().chain(&text.tags) {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(&[u8::from(featured(text))]);
    hash.digest()
}
