//! A fold from scratch: the whole journal through an empty shard, no cuts, no owners, nothing lost, no bug planted. What everything else is held against.

use std::collections::BTreeMap;

use souk_model::actor::StateError;
use souk_model::journal::{Entry, ShardId};
use souk_model::output::{Output, Outputs};
use souk_model::owner::Fold;
use souk_model::owner::fold::Progress;
use souk_model::planted::Planted;
use souk_model::shard::Shard;

use crate::subject::Opening;

/// The newest build folds: it knows every version.
const BUILD: u32 = 2;

/// A shard folded from its first record to its last.
#[derive(Debug)]
pub struct Scratch {
    pub shard: Shard,
    pub outputs: Vec<Output>,
}

/// Folds every entry; `at` sees the shard after each.
pub fn fold(
    opening: &Opening,
    id: ShardId,
    entries: &[Entry],
    skips: &BTreeMap<u64, String>,
    mut at: impl FnMut(&Shard),
) -> Result<Scratch, StateError> {
    let mut shard = Opening { planted: Planted::default(), ..opening.clone() }.shard(id, BUILD);
    for section in shard.needed_at_start() {
        shard.load(section, &[])?;
    }
    let mut out = Outputs::default();
    for entry in entries {
        if let Some(reason) = skips.get(&entry.offset) {
            shard.skip(entry, reason, &mut out);
        } else {
            for section in shard.missing(entry) {
                shard.load(section, &[])?;
            }
            while shard.step(entry, &mut out) == Progress::More {}
        }
        at(&shard);
    }
    Ok(Scratch { shard, outputs: out.items })
}
