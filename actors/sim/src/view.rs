//! SimView: the published view. Set-if-newer by revision; it may vanish, answer something old, or answer for another key.

use std::collections::BTreeMap;

use crate::faults::{Chaos, Fault};

/// A published value. It names its own key: a reader must look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub key: String,
    pub revision: u64,
    pub value: u64,
}

#[derive(Debug, Default)]
pub struct SimView {
    values: BTreeMap<String, Published>,
    before: BTreeMap<String, Published>,
}

impl SimView {
    /// Keeps the newer revision.
    pub fn publish(&mut self, published: Published) {
        if let Some(held) = self.values.get(&published.key) {
            if held.revision >= published.revision {
                return;
            }
            self.before.insert(published.key.clone(), held.clone());
        }
        self.values.insert(published.key.clone(), published);
    }

    /// Whatever the cache answers for a key, right or not.
    pub fn read(&self, key: &str, chaos: &mut Chaos) -> Option<Published> {
        if chaos.strikes(Fault::ViewOtherKey, 6) {
            return self.values.values().find(|published| published.key != key).cloned();
        }
        if chaos.strikes(Fault::ViewStale, 5)
            && let Some(stale) = self.before.get(key)
        {
            return Some(stale.clone());
        }
        self.values.get(key).cloned()
    }

    pub fn flush(&mut self) {
        self.values.clear();
        self.before.clear();
    }
}
