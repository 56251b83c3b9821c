//! The same fold with one ractor actor per user, beside the shard's: the reason for virtual actors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

use crate::clock::Watch;
use crate::random::Keys;
use crate::world::{Feed, Mix, settings_text};

const USERS: u64 = 100_000;
const EVENTS: usize = 500_000;

/// What all user actors of a shard share: the settings and, behind a lock, the tallies.
struct Shared {
    settings: Settings,
    book: Mutex<TallyBook>,
    folded: AtomicU64,
}

struct UserActor;

/// A record on its way to its user.
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
        shared.folded.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

pub(crate) fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let shard = crate::fold::measure(USERS, Keys::Uniform, Mix::PageViews)?.0;
    let figures = runtime.block_on(measure())?;
    let Figures { cpu, wall, bytes } = figures;
    println!(
        "one ractor actor per user, {USERS} users, page views, uniform, 2 threads; the tally book behind a lock"
    );
    println!(
        "  {cpu:.0} ns of CPU time of all threads per event, {wall:.0} ns of wall time, {bytes:.0} bytes per live user"
    );
    println!(
        "  the shard: {shard:.0} ns of CPU time per event; the actors take {:.1} times as much",
        cpu / shard
    );
    Ok(())
}

/// Per event, and per actor that has folded one.
struct Figures {
    cpu: f64,
    wall: f64,
    bytes: f64,
}

async fn measure() -> anyhow::Result<Figures> {
    let mut feed = Feed::new(settings_text("")?)?;
    let settings = Settings::parse(&settings_text("")?).map_err(|errors| anyhow::anyhow!("{errors}"))?;
    let mut book = TallyBook::new(&settings, 8);
    book.rows_mut().set_empty_store();
    let shared = Arc::new(Shared { settings, book: Mutex::new(book), folded: AtomicU64::new(0) });
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
    all_folded(&shared, USERS).await;
    let bytes = (crate::memory::resident()?.saturating_sub(before)) as f64 / USERS as f64;
    let events: Vec<_> = (0..EVENTS)
        .map(|_| {
            let user = Keys::Uniform.pick(&mut feed.random, USERS);
            (user as usize, feed.decoded(Mix::PageViews, user))
        })
        .collect();
    let (cpu, wall) = (Watch::process(), Instant::now());
    for (user, (at, decoded)) in events {
        actors[user].cast(Fold { at, decoded })?;
    }
    all_folded(&shared, USERS + EVENTS as u64).await;
    let per_event = |time: Duration| time.as_nanos() as f64 / EVENTS as f64;
    let figures = Figures { cpu: per_event(cpu.elapsed()), wall: per_event(wall.elapsed()), bytes };
    for actor in &actors {
        actor.stop(None);
    }
    for handle in handles {
        handle.await?;
    }
    Ok(figures)
}

async fn all_folded(shared: &Shared, events: u64) {
    while shared.folded.load(Ordering::Acquire) < events {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
