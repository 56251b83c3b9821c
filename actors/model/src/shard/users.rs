//! A shard of the users journal: its users, their tallies, and what it remembers beside them.

use std::collections::{BTreeMap, BTreeSet};

use crate::actor::{Context, StateError, TimerClock};
use crate::bucket::{Actors, KeyRef};
use crate::fact::{Fact, FactSink};
use crate::key::ActorKey;
use crate::limits::{TIMERS_GATHERED_PER_SLICE, TIMERS_PER_SLICE};
use crate::output::{Output, Outputs};
use crate::record::{Record, Step};
use crate::ring::Ring;
use crate::settings::{Settings, SettingsErrors};
use crate::shard::bridge::Bridges;
use crate::shard::core::{At, Core, ShardConfig, not_at_home};
use crate::shard::news::{AbandonedCart, OpenOrder};
use crate::shard::step::Steps;
use crate::shard::tombstone::{self, Tombstone};
use crate::tally::{Presence, TallyBook};
use crate::time::Now;
use crate::user::User;

/// First section of the users' buckets.
const USERS: u16 = 0;

#[derive(Debug)]
pub struct UsersShard {
    pub(super) core: Core,
    pub(super) users: Actors<User>,
    pub(super) tombstones: Actors<Tombstone>,
    pub(super) book: TallyBook,
    pub(super) bridges: Bridges,
    /// Salt of the tombstones, from the shard's first erase; empty before.
    pub(super) salt: Vec<u8>,
    /// The salt of the first erase among records looked at but not folded: what follows it needs its tombstones loaded.
    pub(super) salt_ahead: Vec<u8>,
    pub(super) abandoned: Ring<AbandonedCart>,
    pub(super) open_orders: Ring<OpenOrder>,
    /// Users with a saga under way.
    pub(super) open_sagas: OpenSagas,
}

/// Lets a user's facts reach the tally book.
pub(super) struct BookSink<'a> {
    pub book: &'a mut TallyBook,
    pub settings: &'a Settings,
    pub now: Now,
}

impl FactSink for BookSink<'_> {
    fn fact(&mut self, fact: &Fact<'_>, presence: Option<&mut Presence>) {
        self.book.count(self.settings, &self.now, fact, presence);
    }
}

impl UsersShard {
    pub fn new(config: ShardConfig) -> Result<Self, SettingsErrors> {
        let core = Core::new(config)?;
        let book = TallyBook::new(&core.settings, core.partitions.products);
        Ok(Self {
            users: Actors::new(USERS, core.planted),
            tombstones: Actors::new(tombstone::SECTION, core.planted),
            book,
            bridges: Bridges::default(),
            salt: Vec::new(),
            salt_ahead: Vec::new(),
            abandoned: Ring::default(),
            open_orders: Ring::default(),
            open_sagas: OpenSagas::new(),
            core,
        })
    }

    /// Folds one user at one moment: `f` is given the user and the context, the book takes its facts, the rings its news.
    pub(super) fn with_user<R>(
        &mut self,
        key: &ActorKey,
        now: Now,
        out: &mut Outputs,
        f: impl FnOnce(&mut User, &mut Context<'_>) -> R,
    ) -> Result<R, StateError> {
        let Self { core, users, book, open_sagas, .. } = self;
        let settings = &*core.settings;
        let planted = core.planted;
        let mark = out.items.len();
        let result = users.fold(KeyRef::from(key), |user| {
            let mut sink = BookSink { book, settings, now };
            let mut context = Context { now, settings, facts: &mut sink, out, planted };
            let result = f(user, &mut context);
            keep_open_saga(open_sagas, key.into(), user.has_open_saga());
            result
        });
        if out.items.len() > mark {
            self.take_news(now.offset, &out.items[mark..]);
        }
        result
    }
}

impl Steps for UsersShard {
    fn core(&mut self) -> &mut Core {
        &mut self.core
    }

    fn fire_due(&mut self, at: At, out: &mut Outputs) -> Result<bool, StateError> {
        let mut to_gather = TIMERS_GATHERED_PER_SLICE;
        for _ in 0..TIMERS_PER_SLICE {
            let due =
                [(TimerClock::Watermark, self.core.watermark()), (TimerClock::LogTime, self.core.log_time)];
            let Some((clock, upto)) = due.into_iter().find(|(clock, upto)| self.users.is_due(*clock, *upto))
            else {
                return Ok(true);
            };
            if !self.users.gather_within(clock, upto, &mut to_gather) {
                return Ok(false);
            }
            let Some((deadline, key)) = self.users.next_due(clock, upto)? else { continue };
            let now = match clock {
                TimerClock::Watermark => self.core.now_at_timer(deadline),
                TimerClock::LogTime => self.core.now(at.offset),
            };
            self.with_user(&key, now, out, |user, context| user.fire(context, &key, clock, deadline))?;
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
                Ok(Some(settings)) => self.book.change_settings(&settings, at.offset),
                Ok(None) => {}
                Err(refusal) => self.core.refuse(at, bytes, &refusal, false, out),
            },
            Record::Tick => {}
            Record::VersionBarrier(version) => self.core.fold_version = self.core.fold_version.max(*version),
        }
        Ok(())
    }

    fn settle(&mut self, at: At) {
        self.book.settle(&self.core.settings, &self.core.now(at.offset));
    }
}

impl UsersShard {
    /// A saga's step for one of this shard's users.
    fn saga_step(&mut self, at: At, step: &Step, out: &mut Outputs) -> Result<(), StateError> {
        let now = self.core.now(at.offset);
        self.with_user(&step.key, now, out, |user, context| user.step(context, &step.key, step))?;
        out.push(Output::Changed { actor: step.key.clone() });
        Ok(())
    }
}

/// Keys of users with a saga under way, by their hash: the order re-sending goes in. A key is missing while its bucket is not loaded.
pub(super) type OpenSagas = BTreeMap<u64, BTreeSet<String>>;

pub(super) fn keep_open_saga(open: &mut OpenSagas, key: KeyRef<'_>, is_open: bool) {
    if is_open {
        open.entry(key.hash).or_default().insert(key.text.to_owned());
    } else if let Some(keys) = open.get_mut(&key.hash) {
        keys.remove(key.text);
        if keys.is_empty() {
            open.remove(&key.hash);
        }
    }
}
