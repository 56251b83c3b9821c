//! Grows the journals of a seed: records drawn one by one, and the saga steps that folding them calls for, each into the
//! journal it is for: delayed, reordered, lost or twice. At the end ticks and re-sends, until nobody waits for anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message as _;
use souk_model::journal::{Entry, ShardId};
use souk_model::output::{Output, Outputs};
use souk_model::owner::fold::Fold;
use souk_model::settings;
use souk_model::shard::{SettingsLibrary, Shard};
use souk_model::time::{HOUR, MINUTE, Millis};
use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::{Record, Settings, Tick};
use souk_sim::rng::Rng;

use crate::author::Author;
use crate::case::{Case, Placed, SHARDS, elsewhere, fold, fresh, home};
use crate::settings::Catalogue;
use crate::shape::Shape;

/// 2026-03-28 22:00 UTC: hours before Berlin's clocks change.
const START: Millis = 1_774_735_200_000;
/// Rounds of ticks and re-sends after which everything is settled.
const ROUNDS: usize = 400;
/// Steps re-sent in one round.
const BUDGET: usize = 256;

/// The journals of a seed, and who still waited at their end.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) case: Case,
    pub(crate) unsettled: Vec<String>,
}

pub(crate) fn grow(seed: u64, library: &Arc<SettingsLibrary>) -> Grown {
    let mut grower = Grower::new(seed, library);
    let change_at = grower.author.shape.records / 2;
    for at in 0..grower.author.shape.records {
        let pause = grower.author.shape.pause(&mut grower.rng);
        grower.now += pause;
        grower.deliver();
        if grower.author.shape.settings_change && at >= change_at && grower.rng.one_in(30) {
            grower.change_settings();
        }
        grower.author.now = grower.now;
        let (shard, bytes) = grower.author.draw();
        grower.append(shard, bytes);
    }
    grower.settle();
    let unsettled = grower.unsettled();
    Grown { case: grower.case, unsettled }
}

struct Grower {
    case: Case,
    shards: BTreeMap<ShardId, Shard>,
    offsets: BTreeMap<ShardId, u64>,
    author: Author,
    catalogue: Catalogue,
    /// Of the newest settings proposed.
    revision: u64,
    rng: Rng,
    now: Millis,
    /// Append time of the newest record of each shard.
    appended: BTreeMap<ShardId, Millis>,
    /// Steps on their way, by when they arrive.
    steps: BTreeMap<(Millis, u64), (ShardId, Vec<u8>)>,
    sent: u64,
}

impl Grower {
    fn new(seed: u64, library: &Arc<SettingsLibrary>) -> Self {
        let shape = Shape::of(seed);
        let mut rng = Rng::of(seed, "journals");
        let catalogue = Catalogue::draw(&shape, &mut rng);
        let settings = catalogue.text();
        let shards = SHARDS.into_iter().map(|id| (id, fresh(id, &settings, library))).collect();
        Self {
            case: Case { settings, records: Vec::new() },
            shards,
            offsets: BTreeMap::new(),
            author: Author::new(seed, shape, START),
            catalogue,
            revision: 0,
            rng,
            now: START,
            appended: BTreeMap::new(),
            steps: BTreeMap::new(),
            sent: 0,
        }
    }

    /// Appends a record, now and then one that is to be skipped.
    fn append(&mut self, id: ShardId, bytes: Vec<u8>) {
        let skipped = self.author.shape.malformed > 0 && self.rng.one_in(80);
        self.place(id, bytes, skipped);
    }

    /// Puts a record into a journal and folds it; the steps it calls for go on their way.
    fn place(&mut self, id: ShardId, bytes: Vec<u8>, skipped: bool) {
        let before = self.appended.get(&id).copied().unwrap_or(self.now);
        let append_time = match self.rng.below(40) {
            0 => before,
            1 => self.now - self.rng.between(0, 3 * MINUTE),
            2 => self.now + self.rng.between(0, 2_000),
            _ => self.now,
        };
        self.appended.insert(id, append_time);
        let offset = self.offsets.entry(id).or_insert(0);
        *offset += 1;
        let entry = Entry::new(*offset, append_time, bytes.clone().into());
        self.case.records.push(Placed { shard: id, append_time, bytes, skipped });
        let mut out = Outputs::default();
        if let Some(shard) = self.shards.get_mut(&id) {
            fold(shard, &entry, skipped, &mut out);
        }
        self.take(id, entry.offset, out);
    }

    fn take(&mut self, id: ShardId, offset: u64, out: Outputs) {
        let mut alerts = 0;
        for output in out.items {
            match output {
                Output::Step { journal, to, step } => {
                    let bytes = Record { body: Some(Body::Step(*step)) }.encode_to_vec();
                    self.send(home(journal, &to), &bytes);
                    if self.author.shape.lossy > 0 && self.rng.one_in(40) {
                        self.append(elsewhere(home(journal, &to)), bytes); // whoever sent it took the wrong partition
                    }
                }
                Output::Abandoned(news) => self.author.tokens.push(news.deadline.to_string()),
                Output::Alert { .. } => {
                    self.author.alerts.push(format!("{id}.{offset}.{alerts}"));
                    alerts += 1;
                }
                _ => {}
            }
        }
    }

    fn send(&mut self, to: ShardId, bytes: &[u8]) {
        let lossy = self.author.shape.lossy;
        let copies = if self.rng.percent(lossy) { [0, 0, 2, 3][self.rng.index(4)] } else { 1 };
        for _ in 0..copies {
            let most = if self.rng.one_in(30) { 70 * MINUTE } else { 10 * self.author.shape.beat };
            self.sent += 1;
            self.steps.insert((self.now + self.rng.between(0, most), self.sent), (to, bytes.to_vec()));
        }
    }

    fn deliver(&mut self) {
        while let Some(first) = self.steps.first_entry().filter(|first| first.key().0 <= self.now) {
            let (to, bytes) = first.remove();
            self.append(to, bytes);
        }
    }

    /// Every shard gets the new settings, at a place of its own in its journal.
    fn change_settings(&mut self) {
        let shape = self.author.shape.clone();
        self.catalogue.change(&shape, &mut self.rng);
        let body = self.catalogue.text();
        let hash = settings::hash_of(&body);
        self.revision += u64::from(!self.rng.one_in(6));
        let revision = self.revision;
        let bytes = Record { body: Some(Body::Settings(Settings { hash, body, revision })) }.encode_to_vec();
        for id in SHARDS {
            self.place(id, bytes.clone(), false);
        }
        if self.rng.one_in(3) {
            let body = "no settings at all".to_owned();
            let wrong = Settings { hash: settings::hash_of(&body), body, revision: revision + 1 };
            let shard = SHARDS[self.rng.index(4)];
            self.append(shard, Record { body: Some(Body::Settings(wrong)) }.encode_to_vec());
        }
    }

    fn tick(&mut self) {
        let bytes = Record { body: Some(Body::Tick(Tick {})) }.encode_to_vec();
        for id in SHARDS {
            self.append(id, bytes.clone());
        }
    }

    /// Ticks and re-sends until nobody waits; then time enough for the last timers.
    fn settle(&mut self) {
        self.author.shape.lossy = 0;
        for round in 0..ROUNDS {
            self.now += 10 * self.author.shape.beat;
            self.deliver();
            if round % 4 == 0 {
                self.tick();
                self.resend();
            }
            if self.steps.is_empty() && self.unsettled().is_empty() {
                break;
            }
        }
        for _ in 0..self.rng.below(3) {
            self.now += self.rng.between(0, 200) * self.author.shape.beat + self.rng.between(0, 1) * 2 * HOUR;
            self.tick();
        }
    }

    fn resend(&mut self) {
        for id in SHARDS {
            let mut out = Outputs::default();
            if let Some(shard) = self.shards.get_mut(&id) {
                shard.resend(None, BUDGET, &mut out);
            }
            self.take(id, 0, out);
        }
    }

    /// Users that wait for an answer, and products that still hold pieces.
    fn unsettled(&self) -> Vec<String> {
        let mut open = Vec::new();
        for shard in self.shards.values() {
            match shard {
                Shard::Users(users) => users.each_user(|key, user| {
                    if user.has_open_saga() {
                        open.push(key.to_owned());
                    }
                }),
                Shard::Products(products) => products.each_product(|key, product| {
                    if product.stock().reserved > 0 {
                        open.push(key.to_owned());
                    }
                }),
            }
            .expect("a loaded actor can be read");
        }
        open
    }
}
