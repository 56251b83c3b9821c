//! The tally book of a users shard: takes facts, keeps rows, says what changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::cells::TOTAL;
use super::count::{Read, RowCounter};
use super::counter::{Counter, Keys};
use super::late::{self, Ledger};
use super::plan::{MetricPlan, Plan};
use super::presence::Presence;
use super::row::{NOT_ADMITTED, Row};
use super::stream::{Outboxes, Standing};
use super::{CountedMetric, TallyAck, TallyBatch, TallyRequest, split_head};
use crate::actor::{Actor, StateError};
use crate::bucket::{Actors, KeyRef};
use crate::cut::segment::ROWS;
use crate::fact::Fact;
use crate::key::{BUCKETS, BucketId};
use crate::limits::{TALLY_BATCH, TALLY_SWEEP_EVERY, TALLY_SWEEP_ROWS};
use crate::planted::Planted;
use crate::settings::Settings;
use crate::time::{Millis, Now};

/// What one users shard has counted.
#[derive(Debug)]
pub struct TallyBook {
    rows: Actors<Row>,
    plan: Plan,
    /// By metric and key set of the plan; an index of the rows, made when it is first needed after a load.
    keys: Option<Vec<Vec<Keys>>>,
    ledgers: BTreeMap<String, Ledger>,
    /// By metric of the plan: what is not in `ledgers` yet. Adding by name would search per fact.
    counted: Vec<Ledger>,
    /// High water up to which a window waits to be closed.
    open_until: Millis,
    outboxes: Outboxes,
    /// Goes with every batch.
    metrics: Arc<BTreeMap<String, CountedMetric>>,
    /// Where the sweep for cells closed for good goes on.
    sweep: Option<u64>,
    /// Text of the key being counted, reused.
    text: String,
}

impl TallyBook {
    pub fn new(settings: &Settings, products_partitions: u16) -> Self {
        let plan = Plan::of(settings);
        let mut book = Self {
            rows: Actors::new(ROWS, Planted::default()),
            counted: vec![Ledger::default(); plan.metrics.len()],
            plan,
            keys: None,
            ledgers: BTreeMap::new(),
            open_until: Millis::MIN,
            outboxes: Outboxes::new(products_partitions),
            metrics: Arc::default(),
            sweep: None,
            text: String::new(),
        };
        book.begin_metrics();
        book
    }

    /// The rows: sections `ROWS .. ROWS + BUCKETS` of a cut.
    pub fn rows_mut(&mut self) -> &mut Actors<Row> {
        &mut self.rows
    }

    pub fn rows(&self) -> &Actors<Row> {
        &self.rows
    }

    /// Counts one fact. `presence` is the actor's; a keyless fact has none and counts as nobody's.
    pub fn count(
        &mut self,
        settings: &Settings,
        now: &Now,
        fact: &Fact<'_>,
        presence: Option<&mut Presence>,
    ) {
        debug_assert_eq!(settings.hash, self.plan.settings_hash, "settings change through change_settings");
        if self.keys.is_none() {
            self.keys = Some(self.known_keys());
        }
        let Self { rows, plan, keys, counted, open_until, outboxes, text, .. } = self;
        let Some(keys) = keys else { return };
        let mut counter = Counter::new(rows, text, RowCounter { outboxes, now, fact, presence });
        for reading in &plan.readings[fact.detail.kind() as usize] {
            let taken = reading.taken(fact);
            if taken == 0 {
                continue;
            }
            let plan = &mut plan.metrics[reading.metric];
            let ledger = &mut counted[reading.metric];
            let dead = plan.closed_for_good(now.high_water);
            if fact.time < dead {
                ledger.late += 1;
                continue;
            }
            plan.go_to(fact.time);
            ledger.counted += 1;
            ledger.corrections += u64::from(plan.here.first_close <= now.high_water);
            *open_until = plan.here.last_close.max(*open_until);
            counter.count(&Read { plan, reading, taken, dead }, &mut keys[reading.metric]);
        }
    }

    /// After every record: now and then forgets, a few rows at a time, cells that are closed for good and safe elsewhere.
    pub fn settle(&mut self, settings: &Settings, now: &Now) {
        debug_assert_eq!(settings.hash, self.plan.settings_hash, "settings change through change_settings");
        if !now.offset.is_multiple_of(TALLY_SWEEP_EVERY) {
            return;
        }
        let mut done: Vec<String> = Vec::new();
        let Self { rows, plan, outboxes, .. } = self;
        let closed = plan.metrics.iter().map(|metric| metric.closed_for_good(now.high_water)).max();
        let next = rows.scan(self.sweep, TALLY_SWEEP_ROWS, |key, row| {
            // Most rows have nothing old in them, whatever their metric.
            if row.cells.oldest().is_none_or(|oldest| Some(oldest) >= closed) {
                return;
            }
            let Some(metric) = plan_of(plan, key.text) else { return };
            let durable = outboxes.durable(outboxes.target_of(key.text.as_bytes()));
            let oldest = row.cells.oldest().and_then(|oldest| row.cells.get(oldest));
            if oldest
                .is_some_and(|cell| is_closed(metric, cell.start, now.high_water) && cell.offset <= durable)
            {
                done.push(key.text.to_owned());
            }
        });
        // A row that cannot be read stops the shard when it is next counted in; until then it only stays.
        self.sweep = next.unwrap_or(None);
        for text in done {
            let Some(metric) = plan_of(plan, &text) else { continue };
            let durable = outboxes.durable(outboxes.target_of(text.as_bytes()));
            let key = KeyRef::of(&text);
            let gone = |start, offset| is_closed(metric, start, now.high_water) && offset <= durable;
            rows.fold(key, |row| row.cells.drop_where(gone))
                .unwrap_or_else(|error| panic!("a row of the tally book cannot be read: {error}"));
        }
    }

    /// Metrics that stayed keep what they counted; those that went or mean something else are forgotten, and counted from `offset` on.
    pub fn change_settings(&mut self, settings: &Settings, offset: u64) {
        self.write_ledgers();
        let before = std::mem::replace(&mut self.plan, Plan::of(settings)).metrics;
        self.counted = vec![Ledger::default(); self.plan.metrics.len()];
        let stayed = |plan: &MetricPlan| {
            let named = before.iter().find(|before| before.metric.name == plan.metric.name);
            named.is_some_and(|before| before.metric.meaning == plan.metric.meaning)
        };
        let (stayed, new): (Vec<_>, Vec<_>) = self.plan.metrics.iter().partition(|plan| stayed(plan));
        let known = |name: &str| stayed.iter().any(|plan| plan.metric.name == name);
        self.ledgers.retain(|name, _| known(name));
        for plan in new {
            self.ledgers.insert(plan.metric.name.clone(), Ledger { since: offset, ..Ledger::default() });
        }
        let gone = |text: &str| !split_head(text).is_some_and(|(_, metric, _)| known(metric));
        let mut forgotten: Vec<String> = Vec::new();
        self.each_row(|key, _| {
            if gone(key.text) {
                forgotten.push(key.text.to_owned());
            }
        });
        for text in forgotten {
            let key = KeyRef::of(&text);
            self.rows
                .remove(key)
                .unwrap_or_else(|error| panic!("a row of the tally book cannot be read: {error}"));
        }
        self.keys = None;
        self.begin_metrics();
    }

    /// Whether a window that was counted in still waits for the watermark.
    pub fn has_open_windows(&self, now: &Now) -> bool {
        now.high_water < self.open_until
    }

    /// What became of a metric's facts.
    pub fn ledger(&self, metric: &str) -> Ledger {
        let mut ledger = self.ledgers.get(metric).copied().unwrap_or_default();
        let place = self.plan.metrics.iter().position(|plan| plan.metric.name == metric);
        if let Some(recent) = place.map(|place| self.counted[place]) {
            add(&mut ledger, recent);
        }
        ledger
    }

    /// Batches for all products shards that are due, about `budget` of them.
    pub fn outgoing(
        &mut self,
        epoch: u64,
        position: u64,
        high_water: Millis,
        settings_hash: u64,
        budget: usize,
    ) -> Vec<(u16, TallyBatch)> {
        let metrics = Arc::clone(&self.metrics);
        let standing = Standing { epoch, position, high_water, settings_hash, metrics };
        let mut batches = Vec::new();
        for target in 0..self.outboxes.targets() {
            if batches.len() >= budget {
                break;
            }
            match self.outboxes.batch(target, TALLY_BATCH, &standing, &self.rows) {
                Ok(batch) => batches.extend(batch.map(|batch| (target, batch))),
                Err(error) => panic!("a row of the tally book cannot be read: {error}"),
            }
        }
        batches
    }

    /// Whether [`TallyBook::outgoing`] would give any.
    pub fn owes(&self, now: &Now) -> bool {
        self.outboxes.owes(now)
    }

    /// Whether [`TallyBook::outgoing`] just left changes behind: more of them than a batch holds.
    pub fn has_more(&self) -> bool {
        self.outboxes.has_more()
    }

    /// A products shard lacks what came after an offset; this one stands at `position`.
    pub fn asked(&mut self, target: u16, request: TallyRequest, position: u64) {
        self.outboxes
            .rewind(target, request.since, position, &self.rows, TALLY_BATCH)
            .unwrap_or_else(|error| panic!("a row of the tally book cannot be read: {error}"));
    }

    /// A products shard says what it holds.
    pub fn acked(&mut self, target: u16, ack: TallyAck) {
        self.outboxes.acked(target, ack);
    }

    /// What is kept beside the rows.
    pub fn encode_header(&self) -> Vec<u8> {
        let names = self.plan.metrics.iter().map(|plan| plan.metric.name.as_str());
        let ledgers = names.map(|name| (name.to_owned(), self.ledger(name))).collect();
        late::encode(&ledgers, self.open_until)
    }

    /// Takes the header of a cut; its rows are loaded beside it, before anything is counted.
    pub fn decode_header(&mut self, settings: &Settings, bytes: &[u8]) -> Result<(), StateError> {
        let (ledgers, open_until) = late::decode(bytes)?;
        *self = Self {
            rows: std::mem::replace(&mut self.rows, Actors::new(ROWS, Planted::default())),
            ledgers,
            open_until,
            ..Self::new(settings, self.outboxes.targets())
        };
        self.begin_metrics();
        Ok(())
    }

    /// Digest of what is open to correction, and of the ledgers: what two folds of the same prefix must agree on. Cells closed for good
    /// are left out: how long they stay depends on who has them.
    pub fn digest(&self, settings: &Settings, now: &Now) -> Result<u64, StateError> {
        debug_assert_eq!(settings.hash, self.plan.settings_hash, "settings change through change_settings");
        let mut sum = xxh3_64(&self.encode_header());
        let mut bytes = Vec::new();
        for bucket in 0..BUCKETS {
            self.rows.peek(BucketId(bucket), |key, row| {
                let Some(metric) = plan_of(&self.plan, key.text) else { return };
                let dead = metric.closed_for_good(now.high_water);
                let mut open = row.clone();
                open.cells.drop_where(|start, _| is_closed(metric, start, now.high_water));
                if row.newest_end <= dead {
                    open.newest_end = NOT_ADMITTED;
                }
                if !open.is_empty() {
                    bytes.clear();
                    bytes.extend_from_slice(key.text.as_bytes());
                    bytes.push(0);
                    open.encode(&mut bytes);
                    sum = sum.wrapping_add(xxh3_64(&bytes));
                }
            })?;
        }
        Ok(sum)
    }

    /// Tells the plan and whoever takes batches from where on each metric is counted.
    fn begin_metrics(&mut self) {
        let metrics = self.plan.metrics.iter_mut().map(|plan| {
            let name = &plan.metric.name;
            plan.since = self.ledgers.get(name).map_or(0, |ledger| ledger.since);
            (name.clone(), CountedMetric { meaning: plan.metric.meaning, since: plan.since })
        });
        self.metrics = Arc::new(metrics.collect());
    }

    fn write_ledgers(&mut self) {
        for (plan, recent) in self.plan.metrics.iter().zip(&mut self.counted) {
            add(self.ledgers.entry(plan.metric.name.clone()).or_default(), std::mem::take(recent));
        }
    }

    fn known_keys(&self) -> Vec<Vec<Keys>> {
        let keys =
            self.plan.metrics.iter().map(|plan| plan.key_sets.iter().map(|_| Keys::default()).collect());
        let mut keys: Vec<Vec<Keys>> = keys.collect();
        self.each_row(|key, row| {
            let Some((_, name, key_set)) = split_head(key.text) else { return };
            let metric = self.plan.metrics.iter().position(|plan| plan.metric.name == name);
            let keys = metric.and_then(|metric| keys[metric].get_mut(usize::from(key_set)));
            if let Some(keys) = keys.filter(|_| row.is_admitted()) {
                keys.admission.enter(row.newest_end);
            }
        });
        keys
    }

    fn each_row(&self, mut visit: impl FnMut(KeyRef<'_>, &Row)) {
        for bucket in 0..BUCKETS {
            self.rows
                .peek(BucketId(bucket), &mut visit)
                .unwrap_or_else(|error| panic!("a row of the tally book cannot be read: {error}"));
        }
    }
}

fn is_closed(plan: &MetricPlan, start: Millis, high_water: Millis) -> bool {
    let end = || plan.metric.pane.end_of(&plan.metric.time_zone, start);
    start != TOTAL && start < plan.closed_for_good(high_water) && end() <= plan.closed_for_good(high_water)
}

fn plan_of<'a>(plan: &'a Plan, text: &str) -> Option<&'a MetricPlan> {
    let (_, name, _) = split_head(text)?;
    plan.metrics.iter().find(|plan| plan.metric.name == name)
}

fn add(ledger: &mut Ledger, more: Ledger) {
    ledger.counted += more.counted;
    ledger.late += more.late;
    ledger.corrections += more.corrections;
}
