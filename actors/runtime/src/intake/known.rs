//! What the catalogue said of products that other nodes carry, for a moment: each is asked for once a moment however many events name it.
//! A stamp says at which position it was read, so an old one is no less true.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use souk_proto::journal::v1 as journal;
use tokio::time::Instant;

use crate::limits::{STAMP_FRESH, STAMPS_KEPT};

#[derive(Debug, Default)]
pub(crate) struct KnownStamps(Mutex<BTreeMap<String, (Instant, Option<journal::Stamp>)>>);

impl KnownStamps {
    /// What was said of the product a moment ago, if it was asked for: perhaps that there is none.
    pub(super) fn get(&self, product: &str) -> Option<Option<journal::Stamp>> {
        let known = self.0.lock();
        let (at, stamp) = known.get(product)?;
        (at.elapsed() < STAMP_FRESH).then(|| stamp.clone())
    }

    pub(super) fn put(&self, product: &str, stamp: Option<journal::Stamp>) {
        let mut known = self.0.lock();
        if known.len() >= STAMPS_KEPT {
            known.clear();
        }
        known.insert(product.to_owned(), (Instant::now(), stamp));
    }
}
