//! Watchers of metric rows: they ask whichever products owner answers at their token or beyond it, across takeovers, and keep what came last.

use std::collections::BTreeMap;

use souk_model::journal::ShardId;
use souk_model::series::{Answer, Query, Span};
use souk_model::shard::Shard;
use xxhash_rust::xxh3::xxh3_64;

use crate::faults::Fault;
use crate::invariants::Violation;
use crate::node::OwnerId;
use crate::rng::Rng;
use crate::workload::SHOP;
use crate::world::{Happening, PARTITIONS, World};

const WATCHERS: usize = 2;
/// Tokens a watcher may resume from.
const TOKENS: usize = 4;
/// Windows asked for: the newest ones.
const WINDOWS: usize = 3;
/// Metrics of every version of the settings, with as many key sets.
const METRICS: [(&str, u64); 5] =
    [("events", 2), ("products", 3), ("sales", 2), ("visits", 2), ("active_users", 1)];

/// What a watcher was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Its token: the sum of the positions the answer includes.
    revision: u64,
    positions: Vec<(u16, u64)>,
    digest: u64,
}

#[derive(Debug)]
pub struct RowWatcher {
    shard: ShardId,
    query: Query,
    shown: Option<Rows>,
    /// Who showed it.
    by: Option<OwnerId>,
    tokens: Vec<Rows>,
}

#[derive(Debug)]
pub struct RowWatchers {
    all: Vec<RowWatcher>,
}

impl RowWatchers {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::of(seed, "row watchers");
        let all = (0..WATCHERS).map(|_| {
            let (metric, key_sets) = METRICS[rng.index(METRICS.len())];
            let query = Query {
                shop: SHOP.to_owned(),
                metric: metric.to_owned(),
                key_set: rng.below(key_sets) as u16,
                window: None,
                key: None,
                given: Vec::new(),
                span: Span::Last(WINDOWS),
                closed_only: false,
                top: None,
            };
            let shard = ShardId::products(rng.below(u64::from(PARTITIONS.products)) as u16);
            RowWatcher { shard, query, shown: None, by: None, tokens: Vec::new() }
        });
        Self { all: all.collect() }
    }
}

impl World {
    pub fn open_row_watchers(&mut self) {
        for watcher in 0..self.row_watchers.all.len() {
            let after = self.rng.between(100, 3_000);
            self.schedule.after(after, Happening::WatchRows { watcher });
        }
    }

    /// A watcher looks again: an answer older than its token is none, the owner must catch up first.
    pub fn watch_rows(&mut self, at: usize) {
        let after = self.rng.between(500, 3_000);
        self.schedule.after(after, Happening::WatchRows { watcher: at });
        let tokens = self.row_watchers.all[at].tokens.len();
        if tokens > 0 && self.chaos.strikes(Fault::WatcherResumes, 10) {
            let token = self.chaos.rng.index(tokens);
            let watcher = &mut self.row_watchers.all[at];
            watcher.shown = Some(watcher.tokens[token].clone());
            watcher.by = None;
        }
        let Some(id) = self.answering(self.row_watchers.all[at].shard, 0) else { return };
        let watcher = &mut self.row_watchers.all[at];
        let found =
            rows(self.owners[&id].owner.fold(), &watcher.query).and_then(|(next, _)| watcher.take(id, next));
        self.check(found);
    }

    /// In the end every watcher was shown what stands, and what stands includes every source.
    pub fn judge_row_watchers(&self) -> Result<(), Violation> {
        for watcher in &self.row_watchers.all {
            let owner = self.current.get(&watcher.shard).and_then(|id| self.owners.get(id));
            let (Some(owner), Some(last)) = (owner, &watcher.shown) else { continue };
            let (stands, held_by) = rows(owner.owner.fold(), &watcher.query)?;
            if !held_by.is_empty() {
                return Err(watcher.objects(format!("held back by {held_by:?} in the end")));
            }
            if last.revision > stands.revision || last.digest != stands.digest {
                return Err(watcher.objects(format!("ended with {last:?}, but {stands:?} stands")));
            }
        }
        Ok(())
    }
}

impl RowWatcher {
    fn take(&mut self, id: OwnerId, next: Rows) -> Result<(), Violation> {
        if let Some(shown) = &self.shown {
            // One owner only ever learns more.
            let now: BTreeMap<u16, u64> = next.positions.iter().copied().collect();
            let forgot =
                shown.positions.iter().any(|(source, held)| now.get(source).is_none_or(|now| now < held));
            if self.by == Some(id) && forgot {
                return Err(self.objects(format!("after {shown:?} the same owner came with {next:?}")));
            }
            if next.revision < shown.revision {
                return Ok(());
            }
        }
        if self.tokens.len() == TOKENS {
            self.tokens.remove(0);
        }
        self.tokens.push(next.clone());
        (self.shown, self.by) = (Some(next), Some(id));
        Ok(())
    }

    fn objects(&self, what: String) -> Violation {
        Violation::new(
            "I5",
            format!("watcher of {} {} at {}: {what}", self.query.metric, self.query.key_set, self.shard),
        )
    }
}

/// What a products shard answers, and which sources hold it back.
fn rows(fold: &Shard, query: &Query) -> Result<(Rows, Vec<u16>), Violation> {
    let answer = fold.as_products().map(|shard| shard.series().query(query));
    match answer {
        Some(Ok(Answer { rows, info })) => {
            let digest = xxh3_64(format!("{rows:?}").as_bytes());
            Ok((Rows { revision: info.revision, positions: info.positions, digest }, info.held_by))
        }
        Some(Err(error)) => Err(Violation::new("I5", format!("{}: {error}", query.metric))),
        None => Err(Violation::new("I5", "rows are asked of a products shard")),
    }
}
