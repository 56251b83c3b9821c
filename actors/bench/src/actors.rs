//! The same fold with one ractor actor per user, beside the shard's: the reason for virtual actors.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use souk_model::actor::Context;
use souk_model::fact::{Fact, FactSink};
use souk_model::output::Outputs;
use souk_model::planted::Planted;
use souk_model::record::Record;
use souk_model::settings::Settings;
use souk_model::shard::{At, Decoded};
use souk_model::tally::{Presence, TallyBook};
use souk_model::time::Now;
use souk_model::user::User;

use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 100_000;
const EVENTS: usize = 500_000;

/// What all user actors of a shard share: the settings and, behind a lock, the tallies.
struct Shared {
    settings: Settings,
    book: Mutex<TallyBook>,
}

struct UserActor;

/// A record on its way to its user; the last one of a run answers.
struct Fold {
    at: At,
    decoded: Decoded,
}

struct Sink<'a>(&'a Shared, Now);

impl FactSink for Sink<'_> {
    fn fact(&mut self, fact: &Fact<'_>, presence: Option<&mut Presence>) {
        let mut book = self.0.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.count(&self.0.settings, &self.1, fact, presence);
    }
}

impl Actor for UserActor {
    type Msg = Fold;
    type State = (User, Outputs, Arc<Shared>);
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        _: ActorRef<Fold>,
        shared: Arc<Shared>,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok((User::default(), Outputs::default(), shared))
    }

    async fn handle(
        &self,
        _: ActorRef<Fold>,
        message: Fold,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (user, out, shared) = state;
        let now = Now {
            offset: message.at.offset,
            log_time: message.at.append_time,
            high_water: message.at.append_time,
            watermark: message.at.append_time - shared.settings.fold.lateness,
            out_of_reach: 0,
        };
        if let Ok(Record::Event(event)) = &message.decoded.record {
            let mut facts = Sink(shared, now);
            let mut context = Context {
                now,
                settings: &shared.settings,
                facts: &mut facts,
                out,
                planted: Planted::default(),
            };
            user.event(&mut context, event);
            out.items.clear();
        }
        Ok(())
    }
}

pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let (per_event, per_actor) = runtime.block_on(measure())?;
    println!("the same fold with one ractor actor per user, {USERS} users, uniform, 2 threads");
    println!("  {per_event:.0} ns of wall time per event on both cores, {per_actor:.0} bytes per live user");
    Ok(())
}

async fn measure() -> anyhow::Result<(f64, f64)> {
    let mut feed = Feed::new(settings_text("")?)?;
    let settings = Settings::parse(&settings_text("")?).map_err(|errors| anyhow::anyhow!("{errors}"))?;
    let book = Mutex::new(TallyBook::new(&settings, 8));
    let shared = Arc::new(Shared { settings, book });
    let before = crate::memory::resident()?;
    let mut actors = Vec::new();
    let mut handles = Vec::new();
    for _ in 0..USERS {
        let (actor, handle) = Actor::spawn(None, UserActor, Arc::clone(&shared)).await?;
        actors.push(actor);
        handles.push(handle);
    }
    for (user, actor) in actors.iter().enumerate() {
        let (at, decoded) = feed.decoded(Mix::PageViews, user as u64);
        actor.cast(Fold { at, decoded })?;
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let per_actor = (crate::memory::resident()? - before) as f64 / USERS as f64;
    let events: Vec<_> = (0..EVENTS)
        .map(|_| {
            let user = Keys::Uniform.pick(&mut feed.random, USERS);
            (user as usize, feed.decoded(Mix::PageViews, user))
        })
        .collect();
    let start = Instant::now();
    for (user, (at, decoded)) in events {
        actors[user].cast(Fold { at, decoded })?;
    }
    // Draining answers every message before an actor ends, so the clock stops when all are folded.
    for actor in &actors {
        actor.drain()?;
    }
    for handle in handles {
        handle.await?;
    }
    Ok((start.elapsed().as_nanos() as f64 / EVENTS as f64, per_actor))
}
