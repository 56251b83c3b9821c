//! Watchers of carts and products: they ask whichever owner answers, resume from tokens, and read the view beside it.

use souk_model::journal::ShardId;
use souk_model::key::ActorKey;
use souk_model::output::Output;
use souk_model::owner::Fold;

use crate::faults::Fault;
use crate::invariants::Violation;
use crate::invariants::watched::{self, Shown};
use crate::node::OwnerId;
use crate::rng::Rng;
use crate::subject::{self, Shard};
use crate::view::Published;
use crate::workload::{PRODUCTS, SHOP, USERS};
use crate::world::{Happening, PARTITIONS, World};

const WATCHERS: usize = 6;
/// Tokens a watcher may resume from.
const TOKENS: usize = 4;

#[derive(Debug)]
pub struct Watcher {
    pub key: ActorKey,
    pub shard: ShardId,
    /// What it was shown last, which is its token.
    pub shown: Option<Shown>,
    tokens: Vec<Shown>,
}

#[derive(Debug)]
pub struct Watchers {
    pub all: Vec<Watcher>,
    /// Whom passers-by ask for: anybody, known or not.
    passers_by: Rng,
}

impl Watchers {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::of(seed, "watchers");
        let all = (0..WATCHERS).map(|at| {
            let (key, shard) =
                if at % 2 == 0 { user(rng.below(USERS as u64)) } else { product(rng.below(PRODUCTS as u64)) };
            Watcher { key, shard, shown: None, tokens: Vec::new() }
        });
        Self { all: all.collect(), passers_by: Rng::of(seed, "passers-by") }
    }
}

fn user(number: u64) -> (ActorKey, ShardId) {
    let key = ActorKey::new(SHOP, &format!("u-{number}"));
    let shard = ShardId::users(key.partition(PARTITIONS.users));
    (key, shard)
}

fn product(number: u64) -> (ActorKey, ShardId) {
    let key = ActorKey::new(SHOP, &format!("p-{number}"));
    let shard = ShardId::products(key.partition(PARTITIONS.products));
    (key, shard)
}

impl World {
    pub fn open_watchers(&mut self) {
        for watcher in 0..self.watchers.all.len() {
            let after = self.rng.between(100, 3_000);
            self.schedule.after(after, Happening::Watch { watcher });
        }
    }

    /// A watcher looks again, with its token: an owner that stands before the token must wait.
    pub fn watch(&mut self, at: usize) {
        let after = self.rng.between(200, 2_500);
        self.schedule.after(after, Happening::Watch { watcher: at });
        self.pass_by();
        if self.chaos.is_on(Fault::WatcherResumes) && !self.watchers.all[at].tokens.is_empty() {
            self.resume_watcher(at);
        }
        let watcher = &self.watchers.all[at];
        let (shard, token) = (watcher.shard, watcher.shown.map_or(0, |shown| shown.position));
        match self.answering(shard, token) {
            Some(id) => self.show(at, id),
            None => self.read_view(at),
        }
    }

    /// Somebody looks for an actor that may be out of memory, or may not exist.
    fn pass_by(&mut self) {
        let rng = &mut self.watchers.passers_by;
        let (key, shard) = match rng.percent(80) {
            true => user(rng.below(2 * USERS as u64)),
            false => product(rng.below(2 * PRODUCTS as u64)),
        };
        if let Some(newest) = self.owners_of(shard).last() {
            self.finds(newest, &key);
        }
    }

    fn resume_watcher(&mut self, at: usize) {
        if self.chaos.strikes(Fault::WatcherResumes, 10) {
            let tokens = self.watchers.all[at].tokens.len();
            let token = self.chaos.rng.index(tokens);
            let watcher = &mut self.watchers.all[at];
            watcher.shown = Some(watcher.tokens[token]);
        }
    }

    fn show(&mut self, at: usize, id: OwnerId) {
        let key = self.watchers.all[at].key.clone();
        if !self.finds(id, &key) {
            return;
        }
        let watcher = &self.watchers.all[at];
        let fold = self.owners[&id].owner.fold();
        let Some(next) = shown(fold, &watcher.key) else { return };
        // A person erased starts anew: so does who watches.
        let before = watcher.shown.filter(|_| !self.clients.erased.contains(watcher.key.as_str()));
        let found = before.map_or(Ok(()), |before| watched::goes_on(watcher.key.as_str(), before, next));
        let watcher = &mut self.watchers.all[at];
        watcher.shown = Some(next);
        if watcher.tokens.len() == TOKENS {
            watcher.tokens.remove(0);
        }
        watcher.tokens.push(next);
        self.check(found);
    }

    /// No owner answers: the view may, marked stale, if it holds this key.
    fn read_view(&mut self, at: usize) {
        let key = self.watchers.all[at].key.as_str().to_owned();
        if let Some(answer) = self.view.read(&key, &mut self.chaos).filter(|answer| answer.key == key) {
            let found = self.ledger.views.answered(&key, &answer);
            self.check(found);
        }
    }

    /// Outputs of an owner: verdicts and decisions for the ledger, changes for the view.
    pub fn publish(&mut self, id: OwnerId, outputs: Vec<Output>) {
        let Some(incarnation) = self.owners.get(&id) else { return };
        let shard = incarnation.shard;
        if self.damage.as_ref().is_some_and(|damage| damage.is_done_to(shard)) {
            return self.object(Violation::new("refusal", format!("{shard} {id:?} answers over damage")));
        }
        let replay_end = incarnation.replay_end.unwrap_or(0);
        let early = outputs.iter().find_map(|output| match output {
            Output::Verdict { offset, .. } | Output::Decided { offset, .. } if *offset <= replay_end => {
                Some(*offset)
            }
            _ => None,
        });
        if let Some(offset) = early {
            return self.object(Violation::new(
                "I6",
                format!("{shard} {id:?} told of {offset} while it replayed up to {replay_end}"),
            ));
        }
        let found = self.ledger.verdicts.take(shard, &outputs);
        self.check(found);
        for output in &outputs {
            if let Output::Changed { actor } = output {
                self.publish_to_view(id, actor);
            }
        }
    }

    fn publish_to_view(&mut self, id: OwnerId, actor: &ActorKey) {
        let Some(incarnation) = self.owners.get(&id) else { return };
        let fold = incarnation.owner.fold();
        if let Some(shown) = shown(fold, actor) {
            // Values are as of the fold's position: that is their revision.
            let published =
                Published { key: actor.as_str().to_owned(), revision: shown.position, value: shown.digest };
            let found = self.ledger.views.publish(&published);
            self.view.publish(published);
            self.check(found);
        }
    }
}

/// What a fold shows of a cart or a product.
pub fn shown(fold: &Shard, key: &ActorKey) -> Option<Shown> {
    let (version, digest) = subject::resource(fold, key)?;
    Some(Shown { position: fold.position(), version, digest })
}
