//! One products shard from its first record to its last (sections 2, 8 and 12).

use std::collections::BTreeMap;

use souk_proto::journal::v1::command::Action;
use souk_proto::journal::v1::record::Body;
use souk_proto::journal::v1::step::Action as StepAction;
use souk_proto::journal::v1::{Command, EventRecord, Step, adjust_stock};
use souk_proto::v1::event::Kind;
use souk_proto::v1::{ErrorReason, stock_step};

use super::dedup::{Bridges, EventIds, Requests};
use super::home::Home;
use super::input::{JournalRecord, Partition, ShardName};
use super::product::{AlertKind, Product, Restock, Sale};
use super::request::is_for_product;
use super::settings::{Fault, Settings};
use super::time::{Clock, Ms};
use super::validate::{event_time, positive, read};
use super::verdict::Verdict;

const ALERTS: usize = 1_024;

/// One alert of a shard's ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertView {
    /// Position of the record that caused it.
    pub offset: u64,
    /// What happened.
    pub kind: AlertKind,
    /// `shop/product`.
    pub product: String,
}

/// A products shard.
#[derive(Debug)]
pub(super) struct ProductShard {
    name: ShardName,
    home: Home,
    pub(super) clock: Clock,
    settings: Settings,
    pub(super) products: BTreeMap<String, Product>,
    /// What was answered for products that did not exist; a product created later starts from it.
    answered: BTreeMap<String, Product>,
    ids: BTreeMap<String, EventIds>,
    requests: BTreeMap<String, Requests>,
    bridges: Bridges,
    pub(super) alerts: Vec<AlertView>,
    pub(super) verdicts: BTreeMap<u64, Verdict>,
}

impl ProductShard {
    pub(super) fn fold(partition: &Partition, settings: &str, home: Home) -> Result<Self, Fault> {
        let mut shard = Self {
            name: partition.shard,
            home,
            clock: Clock::new(),
            settings: Settings::parse(settings)?,
            products: BTreeMap::new(),
            answered: BTreeMap::new(),
            ids: BTreeMap::new(),
            requests: BTreeMap::new(),
            bridges: Bridges::default(),
            alerts: Vec::new(),
            verdicts: BTreeMap::new(),
        };
        for record in &partition.records {
            shard.record(record, partition.skipped.contains(&record.offset));
        }
        Ok(shard)
    }

    fn record(&mut self, record: &JournalRecord, skipped: bool) {
        self.clock.append(record.append_ms);
        for product in self.products.values_mut() {
            product.drop_marks(self.clock.log);
        }
        let mut body = read(record, skipped);
        if let Ok(Body::Event(reported)) = &body {
            let time = reported.event.as_ref().and_then(event_time).unwrap_or(self.clock.log);
            if !self.settings.history && !self.clock.in_range(time) {
                body = Err(Some(Verdict::Rejected(ErrorReason::TimeOutOfRange)));
            }
        }
        self.fire_timers(record.offset);
        let verdict = match body {
            Err(verdict) => verdict,
            Ok(Body::Event(reported)) => Some(self.event(&reported, record.offset)),
            Ok(Body::Command(command)) => Some(self.command(&command, record.offset)),
            Ok(Body::Step(step)) if !self.home.is_of(&step.shop, &step.actor_id) => None,
            Ok(Body::Step(step)) => {
                self.step(&step, record.offset);
                None
            }
            Ok(Body::Settings(next)) => {
                if let Ok(settings) = self.settings.followed_by(&next) {
                    self.settings = settings;
                }
                None
            }
            Ok(Body::Tick(_) | Body::VersionBarrier(_)) => None,
        };
        if let Some(verdict) = verdict {
            self.verdicts.insert(record.offset, verdict);
        }
    }

    /// Stale stock and starting sales, in (deadline, product) order.
    fn fire_timers(&mut self, offset: u64) {
        let log = self.clock.log;
        loop {
            let stale = self
                .products
                .iter()
                .filter_map(|(key, p)| Some((p.stale_at?, key.clone(), AlertKind::StaleStock)));
            let sale = |(key, p): (&String, &Product)| {
                Some((p.sale.as_ref()?.deadline()?, key.clone(), AlertKind::SaleStarted))
            };
            let sales = self.products.iter().filter_map(sale);
            let due = stale.chain(sales).filter(|(deadline, ..)| *deadline <= log);
            let Some((_, key, kind)) = due.min_by_key(|(deadline, key, _)| (*deadline, key.clone())) else {
                return;
            };
            let Some(product) = self.products.get_mut(&key) else { return };
            if kind == AlertKind::StaleStock {
                product.stale_at = None;
            } else {
                product.version += 1;
                match &mut product.sale {
                    Some(sale) if !sale.running => sale.running = true,
                    sale => {
                        *sale = None;
                        continue;
                    }
                }
            }
            self.alert(offset, kind, &key);
        }
    }

    fn alert(&mut self, offset: u64, kind: AlertKind, product: &str) {
        self.alerts.push(AlertView { offset, kind, product: product.to_owned() });
        if self.alerts.len() > ALERTS {
            self.alerts.remove(0);
        }
    }

    /// Changes one product and raises the alerts between before and after.
    fn change(
        &mut self,
        key: &str,
        offset: u64,
        change: impl FnOnce(&mut Product, Ms, &Settings) -> Result<(), ErrorReason>,
    ) -> Result<(), ErrorReason> {
        let before = self.products.get(key).or_else(|| self.answered.get(key)).cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after, self.clock.log, &self.settings)?;
        if after.differs(&before) || !self.products.contains_key(key) {
            after.version += 1;
        }
        let mut alerts = after.alerts_since(&before, &self.settings);
        let running =
            |product: &Product| product.sale.as_ref().filter(|sale| sale.running).map(|sale| sale.offset);
        if running(&after).is_some() && running(&after) != running(&before) {
            alerts.push(AlertKind::SaleStarted);
        }
        self.products.insert(key.to_owned(), after);
        for kind in alerts {
            self.alert(offset, kind, key);
        }
        Ok(())
    }

    fn event(&mut self, record: &EventRecord, offset: u64) -> Verdict {
        if record.bridge.as_ref().is_some_and(|stamp| !self.bridges.admit(stamp)) {
            return Verdict::Duplicate;
        }
        let Some(event) = &record.event else { return Verdict::Rejected(ErrorReason::FieldMissing) };
        let product = match &event.kind {
            Some(Kind::ProductStep(step)) => {
                step.product.as_ref().map_or("", |product| product.name.trim_start_matches("products/"))
            }
            Some(Kind::StockStep(step)) => step.product_id.as_str(),
            _ => return Verdict::Rejected(ErrorReason::KeyPartitionMismatch),
        };
        let shop = if event.shop.is_empty() { "main" } else { &event.shop };
        let key = format!("{shop}/{product}");
        let log = self.clock.log;
        if self.ids.entry(key.clone()).or_default().knows(&event.event_id, log) {
            return Verdict::Duplicate;
        }
        let changed = self.change(&key, offset, |product, log, settings| match &event.kind {
            Some(Kind::ProductStep(step)) => {
                let mask = step.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
                product.update(step.product.as_ref().ok_or(ErrorReason::FieldMissing)?, mask, log, settings)
            }
            Some(Kind::StockStep(step)) => match step.change.ok_or(ErrorReason::FieldMissing)? {
                stock_step::Change::Delta(delta) => product.restock(Restock::Delta(delta), log, settings),
                stock_step::Change::Level(level) => product.restock(Restock::Level(level), log, settings),
            },
            _ => Ok(()),
        });
        match changed {
            Ok(()) => {
                self.ids.entry(key).or_default().remember(&event.event_id, log);
                Verdict::Counted
            }
            Err(reason) => Verdict::Rejected(reason),
        }
    }

    fn command(&mut self, command: &Command, offset: u64) -> Verdict {
        let key = format!("{}/{}", command.shop, command.actor_id);
        let log = self.clock.log;
        match &command.action {
            Some(Action::AcknowledgeAlert(acknowledge)) => return self.acknowledge(&acknowledge.alert_id),
            Some(action) if !is_for_product(action) || !self.home.is_of(&command.shop, &command.actor_id) => {
                return Verdict::Refused(ErrorReason::KeyPartitionMismatch);
            }
            _ => {}
        }
        if let Some((hash, verdict)) =
            self.requests.entry(key.clone()).or_default().get(&command.request_id, log)
        {
            let same = hash == command.body_hash;
            return if same { verdict } else { Verdict::Refused(ErrorReason::RequestIdReused) };
        }
        let verdict = match self.decide(command, &key, offset) {
            Ok(()) => Verdict::Done,
            Err(reason) => Verdict::Refused(reason),
        };
        self.requests.entry(key).or_default().remember(&command.request_id, command.body_hash, log, verdict);
        verdict
    }

    /// Alerts are called after their shard, the position they came of, and their place there.
    fn acknowledge(&self, id: &str) -> Verdict {
        let at = id.strip_prefix(&format!("{}.", self.name)).and_then(|rest| rest.split_once('.'));
        let number = |text: &str| text.parse::<u64>().ok();
        let known =
            at.and_then(|(offset, n)| Some((number(offset)?, number(n)?))).is_some_and(|(offset, n)| {
                let here = self.alerts.iter().filter(|alert| alert.offset == offset).count();
                n < here as u64
            });
        if known { Verdict::Done } else { Verdict::Refused(ErrorReason::ResourceUnknown) }
    }

    fn decide(&mut self, command: &Command, key: &str, offset: u64) -> Result<(), ErrorReason> {
        let version = self.products.get(key).map(|product| product.version);
        if command.if_version.is_some_and(|wanted| wanted != version.unwrap_or(0)) {
            return Err(ErrorReason::VersionMismatch);
        }
        let action = command.action.as_ref().ok_or(ErrorReason::FieldMissing)?;
        if version.is_none() && !matches!(action, Action::UpsertProduct(_)) {
            return Err(ErrorReason::ProductUnknown);
        }
        match action {
            Action::UpsertProduct(upsert) => {
                let new = upsert.product.as_ref().ok_or(ErrorReason::FieldMissing)?;
                new.price.as_ref().map_or(Ok(()), positive)?;
                let mask = upsert.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
                self.change(key, offset, |product, log, settings| product.update(new, mask, log, settings))
            }
            Action::SetPrice(set) => {
                let price = set.price.as_ref().ok_or(ErrorReason::FieldMissing)?;
                positive(price)?;
                self.change(key, offset, |product, _, _| {
                    product.price = super::person::amount(price);
                    product.check_sale()
                })
            }
            Action::AdjustStock(adjust) => {
                let change = match adjust.change.ok_or(ErrorReason::FieldMissing)? {
                    adjust_stock::Change::Delta(delta) => Restock::Delta(delta),
                    adjust_stock::Change::Level(level) => Restock::Level(level),
                };
                self.change(key, offset, |product, log, settings| product.restock(change, log, settings))
            }
            Action::StartSale(start) => {
                let price = start.price.as_ref().ok_or(ErrorReason::FieldMissing)?;
                let end = start.end_time.as_ref().map(millis);
                let limits = start;
                self.change(key, offset, |product, log, _| {
                    let start = start.start_time.as_ref().map_or(log, millis);
                    if end.is_some_and(|end| end <= start.max(log)) {
                        return Err(ErrorReason::ValueOutOfRange);
                    }
                    let (currency, running) = (price.currency_code.clone(), start <= log);
                    let (quantity, per_user) = (limits.quantity, limits.per_user.map(i64::from));
                    product.sale = Some(Sale { currency, start, end, running, quantity, per_user, offset });
                    product.check_sale()
                })
            }
            Action::EndSale(_) => self.change(key, offset, |product, _, _| {
                product.sale.take().map(|_| ()).ok_or(ErrorReason::SaleNotRunning)
            }),
            _ => Err(ErrorReason::KeyPartitionMismatch),
        }
    }

    fn step(&mut self, step: &Step, offset: u64) {
        let key = format!("{}/{}", step.shop, step.actor_id);
        let created = step.created_ms;
        let order = |user: &str, order: &str| (format!("{}/{user}", step.shop), order.to_owned());
        if !self.products.contains_key(&key) {
            let answered = self.answered.entry(key).or_default();
            match &step.action {
                Some(StepAction::Reserve(ask)) => {
                    answered.refuse(order(&ask.user_id, &ask.order_id), created)
                }
                Some(StepAction::Release(free)) => {
                    answered.refuse(order(&free.user_id, &free.order_id), created)
                }
                _ => {}
            }
            return;
        }
        // A step never fails: what it cannot do it answers.
        let _answered = self.change(&key, offset, |product, log, _| {
            match &step.action {
                Some(StepAction::Reserve(ask)) => {
                    product.reserve(order(&ask.user_id, &ask.order_id), ask.quantity, created, log);
                }
                Some(StepAction::Commit(sold)) => product.commit(&order(&sold.user_id, &sold.order_id)),
                Some(StepAction::Release(free)) => {
                    product.release(order(&free.user_id, &free.order_id), created)
                }
                _ => {}
            }
            Ok(())
        });
    }
}

fn millis(time: &prost_types::Timestamp) -> Ms {
    time.seconds.saturating_mul(1_000).saturating_add(i64::from(time.nanos).div_euclid(1_000_000))
}
