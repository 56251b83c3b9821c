//! Answers kept in the cache beside the rows that stand there: what this owner says of a row, for those who ask when it is gone.

use souk_model::owner::Owner;
use souk_model::series::PublishedRow;
use souk_model::shard::Shard;
use souk_model::time::Millis;
use souk_model::view::{Entry, Ground, KeptAnswer};

/// The answer to the question for the newest window of a row, if that is the window to be published.
pub(super) fn answer(
    owner: &Owner<Shard>,
    entry: &Entry,
    published: &PublishedRow,
    now: Millis,
) -> Option<KeptAnswer> {
    let shard = owner.fold();
    let ground = Ground { topic_id: owner.manifest()?.topic_id, settings_hash: shard.settings().hash };
    let series = shard.as_products()?.series();
    KeptAnswer::of(series, entry, &published.row, ground, now)
}
