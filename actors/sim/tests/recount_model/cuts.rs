//! I7: the same journals folded again, by shards that are cut, dropped and loaded at any moment, come to the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use souk_model::cut::manifest::SectionSummary;
use souk_model::cut::segment::{Segment, SegmentId};
use souk_model::journal::{Entry, ShardId};
use souk_model::metric::TimeRange;
use souk_model::output::Outputs;
use souk_model::owner::fold::Fold;
use souk_model::shard::{SettingsLibrary, Shard};
use souk_sim::recount::compare::{Difference, Observed};
use souk_sim::rng::Rng;

use crate::case::{Case, SHARDS, fold, sections, shard};
use crate::check::{Folded, difference, exchange, take};

const ROUNDS: usize = 200;

/// What the committed cut of one shard holds.
#[derive(Debug, Default)]
struct Stored {
    segments: BTreeMap<u16, Vec<Segment>>,
    timers: BTreeMap<u16, SectionSummary>,
    cut: u64,
    epoch: u64,
    /// Sections the shard that is alive has loaded.
    loaded: BTreeSet<u16>,
    /// Entries after the cut: a shard that takes over folds them again.
    since: Vec<(Entry, bool)>,
}

struct Shop<'a> {
    case: &'a Case,
    library: &'a Arc<SettingsLibrary>,
    shards: BTreeMap<ShardId, Shard>,
    stored: BTreeMap<ShardId, Stored>,
}

/// Where a fold that was interrupted differs from one that was not.
pub(crate) fn differences(
    case: &Case,
    seed: u64,
    (whole, ranges): (&Folded, &[TimeRange]),
    library: &Arc<SettingsLibrary>,
) -> Vec<Difference> {
    let rng = &mut Rng::of(seed, "cuts");
    let mut shop = Shop { case, library, shards: BTreeMap::new(), stored: BTreeMap::new() };
    for id in SHARDS {
        shop.stored.insert(id, Stored::default());
        shop.take_over(id);
    }
    for (id, entry, skipped) in case.entries() {
        shop.fold(id, &entry, skipped);
        if let Some(stored) = shop.stored.get_mut(&id) {
            stored.since.push((entry, skipped));
        }
        match rng.below(60) {
            0..4 => shop.cut(id),
            4..6 => shop.take_over(id),
            6 => {
                shop.exchange(&mut |_| rng.one_in(3));
            }
            _ => {}
        }
    }
    for _ in 0..ROUNDS {
        shop.exchange(&mut |_| false);
    }
    shop.compare(whole, ranges)
}

impl Shop<'_> {
    fn fold(&mut self, id: ShardId, entry: &Entry, skipped: bool) {
        let (Some(shard), Some(stored)) = (self.shards.get_mut(&id), self.stored.get_mut(&id)) else {
            return;
        };
        loop {
            let missing = if skipped { shard.missing_for_skip(entry) } else { shard.missing(entry) };
            if missing.is_empty() {
                break;
            }
            stored.load(shard, missing);
        }
        fold(shard, entry, skipped, &mut Outputs::default());
    }

    /// Commits a cut.
    fn cut(&mut self, id: ShardId) {
        let (Some(shard), Some(stored)) = (self.shards.get_mut(&id), self.stored.get_mut(&id)) else {
            return;
        };
        shard.freeze();
        let drafts = loop {
            if let Some(drafts) = shard.cut_slice() {
                break drafts;
            }
        };
        stored.cut += 1;
        for draft in drafts {
            let segments = stored.segments.entry(draft.section).or_default();
            if draft.base {
                segments.clear();
            }
            let id = SegmentId { section: draft.section, cut: stored.cut, epoch: stored.epoch };
            segments.push(Segment { id, base: draft.base, blob: draft.blob.into() });
            let summary = SectionSummary {
                earliest_watermark_timer: draft.summary.earliest_watermark_timer,
                earliest_log_timer: draft.summary.earliest_log_timer,
                ..SectionSummary::default()
            };
            stored.timers.insert(draft.section, summary);
        }
        shard.cut_committed();
        stored.since.clear();
    }

    /// Drops the shard that is alive, and has another continue from the cut.
    fn take_over(&mut self, id: ShardId) {
        let mut next = shard(id, &self.case.settings, self.library);
        let Some(stored) = self.stored.get_mut(&id) else { return };
        stored.epoch += 1;
        stored.loaded.clear();
        let needed = next.needed_at_start();
        stored.load(&mut next, needed);
        for (section, summary) in &stored.timers {
            next.announce(*section, summary);
        }
        let since = stored.since.clone();
        self.shards.insert(id, next);
        for (entry, skipped) in since {
            self.fold(id, &entry, skipped);
        }
    }

    fn exchange(&mut self, lost: &mut dyn FnMut(&souk_model::owner::effect::PeerMessage) -> bool) {
        let Self { shards, stored, .. } = self;
        exchange(shards, |id| stored.get(&id).map_or(0, |stored| stored.epoch), lost);
    }

    fn compare(mut self, whole: &Folded, ranges: &[TimeRange]) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut observed = Observed::default();
        for id in SHARDS {
            let (Some(shard), Some(stored)) = (self.shards.get_mut(&id), self.stored.get_mut(&id)) else {
                continue;
            };
            stored.load(shard, sections(id).collect());
            if let Err(error) = take(&mut observed, id, shard, ranges) {
                found.push(difference(&id.to_string(), &error));
            }
            if shard.digest() != whole.shards[&id].digest() {
                found.push(difference(&format!("I7 {id}"), "a fold from a cut comes to another digest"));
            }
        }
        if observed.metrics.unwrap_or_default() != whole.observed.metrics.clone().unwrap_or_default() {
            found.push(difference("I7 series", "the series of folds from cuts answer otherwise"));
        }
        found
    }
}

impl Stored {
    fn load(&mut self, shard: &mut Shard, sections: Vec<u16>) {
        for section in sections {
            if self.loaded.insert(section) {
                let segments = self.segments.get(&section).map_or(&[][..], Vec::as_slice);
                shard.load(section, segments).expect("a cut can be read");
            }
        }
    }
}
