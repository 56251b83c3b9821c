//! A shard of the products journal: its products, the catalogue over them, alerts, and beside the fold the series it serves.

use souk_proto::journal::v1::command::Action;

use crate::actor::{Context, StateError, TimerClock};
use crate::bucket::{Actors, KeyRef};
use crate::catalogue::Catalogue;
use crate::fact::{Fact, FactSink};
use crate::key::ActorKey;
use crate::limits::{TIMERS_GATHERED_PER_SLICE, TIMERS_PER_SLICE};
use crate::output::{Outcome, Output, Outputs};
use crate::product::Product;
use crate::record::{Command, Event, Record, Step, is_for_product, is_of_product};
use crate::ring::Ring;
use crate::series::SeriesBook;
use crate::settings::SettingsErrors;
use crate::shard::alerts::Alert;
use crate::shard::bridge::Bridges;
use crate::shard::core::{At, Core, ShardConfig, not_at_home};
use crate::shard::step::Steps;
use crate::tally::Presence;
use crate::time::Now;
use crate::verdict::{Reason, Refusal, Verdict};

/// First section of the products' buckets.
const PRODUCTS: u16 = 0;

#[derive(Debug)]
pub struct ProductsShard {
    pub(super) core: Core,
    pub(super) products: Actors<Product>,
    /// Over loaded products: an index of state, not state.
    pub(super) catalogue: Catalogue,
    pub(super) alerts: Ring<Alert>,
    /// A join beside the fold: no decision reads it, no digest holds it.
    pub(super) series: SeriesBook,
    pub(super) bridges: Bridges,
}

/// Products make no facts.
struct NoFacts;

impl FactSink for NoFacts {
    fn fact(&mut self, _: &Fact<'_>, _: Option<&mut Presence>) {}
}

impl ProductsShard {
    pub fn new(config: ShardConfig) -> Result<Self, SettingsErrors> {
        let core = Core::new(config)?;
        Ok(Self {
            products: Actors::new(PRODUCTS, core.planted),
            catalogue: Catalogue::default(),
            alerts: Ring::default(),
            series: SeriesBook::new(&core.settings, core.partitions.users, core.planted),
            bridges: Bridges::default(),
            core,
        })
    }

    /// Folds one product at one moment; the catalogue and the alerts follow.
    fn with_product<R>(
        &mut self,
        key: &ActorKey,
        now: Now,
        out: &mut Outputs,
        f: impl FnOnce(&mut Product, &mut Context<'_>) -> R,
    ) -> Result<R, StateError> {
        let Self { core, products, catalogue, .. } = self;
        let settings = &*core.settings;
        let planted = core.planted;
        let mark = out.items.len();
        let result = products.fold(KeyRef::from(key), |product| {
            let mut context = Context { now, settings, facts: &mut NoFacts, out, planted };
            let result = f(product, &mut context);
            catalogue.upsert(key, product);
            result
        });
        self.take_alerts(now.offset, &out.items[mark..]);
        result
    }
}

impl Steps for ProductsShard {
    fn core(&mut self) -> &mut Core {
        &mut self.core
    }

    fn fire_due(&mut self, at: At, out: &mut Outputs) -> Result<bool, StateError> {
        let mut to_gather = TIMERS_GATHERED_PER_SLICE;
        for _ in 0..TIMERS_PER_SLICE {
            if !self.products.gather_within(TimerClock::LogTime, self.core.log_time, &mut to_gather) {
                return Ok(false);
            }
            let Some((deadline, key)) = self.products.next_due(TimerClock::LogTime, self.core.log_time)?
            else {
                return Ok(true);
            };
            let now = self.core.now(at.offset);
            self.with_product(&key, now, out, |p, context| {
                p.fire(context, &key, TimerClock::LogTime, deadline)
            })?;
        }
        Ok(false)
    }

    fn apply(&mut self, at: At, bytes: &[u8], record: &Record, out: &mut Outputs) -> Result<(), StateError> {
        match record {
            Record::Event(event) => self.event(at, event, out)?,
            Record::Command(command) => self.command(at, command, out)?,
            Record::Step(step) if !self.core.is_home(&step.key) => {
                let refusal = not_at_home(&step.key, self.core.id);
                self.core.refuse(at, bytes, &refusal, false, out);
            }
            Record::Step(step) => self.saga_step(at, step, out)?,
            Record::Settings(settings) => match self.core.change_settings(settings) {
                Ok(Some(settings)) => self.series.change_settings(&settings),
                Ok(None) => {}
                Err(refusal) => self.core.refuse(at, bytes, &refusal, false, out),
            },
            Record::Tick => {}
            Record::VersionBarrier(version) => self.core.fold_version = self.core.fold_version.max(*version),
        }
        Ok(())
    }

    fn settle(&mut self, _: At) {}
}

impl ProductsShard {
    /// A saga's step for one of this shard's products.
    fn saga_step(&mut self, at: At, step: &Step, out: &mut Outputs) -> Result<(), StateError> {
        let now = self.core.now(at.offset);
        self.with_product(&step.key, now, out, |product, context| product.step(context, &step.key, step))
    }

    fn event(&mut self, at: At, event: &Event, out: &mut Outputs) -> Result<(), StateError> {
        let verdict = self.judge(at, event, out)?;
        self.core.judged(at, verdict, out);
        Ok(())
    }

    fn judge(&mut self, at: At, event: &Event, out: &mut Outputs) -> Result<Verdict, StateError> {
        if let Some(verdict) = self.bridges.judge(event.bridge.as_ref(), self.core.planted) {
            return Ok(verdict);
        }
        if !event.event.kind.as_ref().is_some_and(is_of_product) {
            let message = "only product and stock steps belong to the products journal";
            return Ok(Verdict::Rejected(Refusal::new(Reason::KeyPartitionMismatch, "kind", message)));
        }
        let now = self.core.now(at.offset);
        self.with_product(&event.key, now, out, |product, context| product.event(context, event))
    }

    fn command(&mut self, at: At, command: &Command, out: &mut Outputs) -> Result<(), StateError> {
        let now = self.core.now(at.offset);
        let outcome = match &command.command.action {
            Some(Action::AcknowledgeAlert(acknowledge)) => self.acknowledge(&acknowledge.alert_id),
            Some(action) if !is_for_product(action) => Outcome::Refused(Refusal::new(
                Reason::KeyPartitionMismatch,
                "action",
                "this is asked of a user",
            )),
            _ if !self.core.is_home(&command.key) => {
                Outcome::Refused(not_at_home(&command.key, self.core.id))
            }
            _ => self.with_product(&command.key, now, out, |product, context| {
                product.command(context, &command.key, command)
            })?,
        };
        let request_id = command.command.request_id.clone();
        out.push(Output::Decided { offset: at.offset, actor: command.key.clone(), request_id, outcome });
        Ok(())
    }
}
