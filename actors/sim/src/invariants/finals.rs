//! The last judgement: journals are final, every owner is caught up, and everything is held against a fold from scratch and a recount.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use souk_model::journal::{Entry, ShardId};
use souk_model::output::{Outcome, Output};
use souk_model::owner::Fold;

use super::{Violation, appends, recounted, stock, watched};
use crate::panics;
use crate::scratch::{self, Scratch};
use crate::watchers;
use crate::world::World;

impl World {
    /// Judges the world at its end.
    pub fn judge(&mut self) -> Result<(), Violation> {
        let shards: Vec<ShardId> = self.journal.shards().collect();
        let journals: BTreeMap<ShardId, Vec<Entry>> =
            shards.iter().map(|shard| (*shard, self.journal.whole(*shard).to_vec())).collect();
        let mut decided: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
        let mut folds = BTreeMap::new();
        for (shard, entries) in &journals {
            let folded = self.fold_again(*shard, entries)?;
            for output in &folded.outputs {
                if let Output::Decided { request_id, outcome, .. } = output {
                    decided.entry(request_id.clone()).or_default().push(outcome.clone());
                }
            }
            self.judge_owner(*shard, entries, &folded)?;
            folds.insert(*shard, folded.shard);
        }
        appends::bridged_once(&self.bridges, &journals, &self.ledger.verdicts)?;
        appends::done_once(&self.clients.open, &decided)?;
        appends::one_body_each(&self.clients.erased, &journals, &self.ledger.verdicts)?;
        self.judge_watchers()?;
        self.judge_row_watchers()?;
        recounted::check(self, &journals, &folds)
    }

    /// Folds a journal from scratch and compares every digest and verdict known of it.
    fn fold_again(&mut self, shard: ShardId, entries: &[Entry]) -> Result<Scratch, Violation> {
        let skips = self.store.manifest(shard).map(|manifest| manifest.skips.clone()).unwrap_or_default();
        if let Some(offset) = skips.keys().find(|offset| !self.ledger.appends.is_poison(shard, **offset)) {
            return Err(Violation::new(
                "I6",
                format!("{shard}: harmless record {offset} is on the skip list"),
            ));
        }
        let digests = &mut self.ledger.digests;
        let mut differs = Ok(());
        let folded = catch_unwind(AssertUnwindSafe(|| {
            scratch::fold(&self.opening, shard, entries, &skips, |fold| {
                if differs.is_ok() && digests.is_known(shard, fold.position()) {
                    differs = digests.take(shard, fold);
                }
            })
        }));
        let folded = match folded {
            Ok(Ok(folded)) => folded,
            Ok(Err(damaged)) => {
                return Err(Violation::new("I7", format!("{shard}: folded from scratch: {damaged}")));
            }
            Err(_) => {
                return Err(Violation::new(
                    "panic",
                    format!("{shard}: folded from scratch: {}", panics::last()),
                ));
            }
        };
        differs?;
        self.ledger.verdicts.take(shard, &folded.outputs)?;
        self.ledger.verdicts.add_up(shard, &folded.shard)?;
        stock::check(shard, &folded.shard)?;
        Ok(folded)
    }

    /// The one healthy owner has folded everything, and came to the same.
    fn judge_owner(&mut self, shard: ShardId, entries: &[Entry], folded: &Scratch) -> Result<(), Violation> {
        self.ledger.appends.are_kept(shard, entries)?;
        let now = self.now();
        let owner =
            self.current.get(&shard).and_then(|id| self.owners.get(id)).filter(|owner| owner.answers(now));
        let Some(owner) = owner else {
            return Err(Violation::new(
                "liveness",
                format!("{shard} has no owner that answers at the end of the tail"),
            ));
        };
        let end = entries.len() as u64;
        if owner.position() != end {
            return Err(Violation::new(
                "liveness",
                format!("{shard} stands at {}, its log ends at {end}", owner.position()),
            ));
        }
        self.ledger.digests.take(shard, owner.owner.fold())?;
        self.ledger.digests.take(shard, &folded.shard)?;
        self.ledger.orders.stand(shard, &folded.shard)
    }

    fn judge_watchers(&mut self) -> Result<(), Violation> {
        for watcher in &self.watchers.all {
            let owner = self.current.get(&watcher.shard).and_then(|id| self.owners.get(id));
            let stands = owner.and_then(|owner| watchers::shown(owner.owner.fold(), &watcher.key));
            if let (Some(last), Some(stands)) = (watcher.shown, stands) {
                watched::arrived(watcher.key.as_str(), last, stands)?;
            }
        }
        Ok(())
    }
}
