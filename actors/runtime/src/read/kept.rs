//! Answers that owners kept in the cache: fresher than the last cut, where they were written after it. The cut is read first and answers
//! whatever the cache cannot: it is the cut that says what an answer must be of, and how much it must include.

use std::sync::atomic::Ordering::Relaxed;

use souk_model::origin::Origin;
use souk_model::series::{Answer, Query};
use souk_model::settings::Settings;
use souk_model::view::{Ground, KeptAnswer, kept_under};

use crate::shard::World;

/// Where something fresher than a cut's answer may be.
#[derive(Debug)]
pub(super) struct Place {
    name: String,
    ground: Ground,
}

impl Place {
    /// Of a query, by the settings and the topic of the cut that answered it.
    pub(super) fn of(query: &Query, settings: &Settings, topic_id: u64) -> Option<Self> {
        let ground = Ground { topic_id, settings_hash: settings.hash };
        kept_under(settings, query).map(|name| Self { name, ground })
    }

    /// What an owner answered after the cut was made, if the cache has it at once.
    pub(super) async fn fresher(&self, world: &World, cut: &Answer) -> Option<Answer> {
        let cache = world.ports.views.cache.as_ref()?;
        let reads = &world.published.reads;
        let Ok(found) = cache.read(&self.name).await else {
            reads.away.fetch_add(1, Relaxed);
            return None;
        };
        let kept = found.and_then(|bytes| KeptAnswer::found(&self.name, &bytes, self.ground));
        let Some(kept) = kept else {
            reads.misses.fetch_add(1, Relaxed);
            return None;
        };
        let Some((mut answer, given)) = kept.instead_of(cut) else {
            reads.older.fetch_add(1, Relaxed);
            return None;
        };
        reads.hits.fetch_add(1, Relaxed);
        answer.info.origin = Origin::View((world.ports.clock.now() - given).max(0));
        Some(answer)
    }
}
