//! The shard actor: one input of the owner at a time, in order, folding in short slices so that readers get their turn.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use parking_lot::MutexGuard;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use souk_model::owner::{Effect, Fold as _, Input, Owner, OwnerConfig};
use souk_model::planted::Planted;
use souk_model::shard::{FOLD_VERSION, Shard};
use souk_model::time::Millis;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::effects::carry_out;
use super::{Cell, Mail, Message, World};
use crate::limits::{SLICES_PER_LOCK, TURN, TURNS_PER_MESSAGE};

#[derive(Debug)]
pub(crate) struct ShardActor;

#[derive(Debug)]
pub(crate) struct Arguments {
    pub world: Arc<World>,
    pub cell: Arc<Cell>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub world: Arc<World>,
    pub cell: Arc<Cell>,
    pub mail: Mail,
    /// The wake-up asked for.
    wake: Option<JoinHandle<()>>,
    /// Room for the cut under way.
    room: Option<OwnedSemaphorePermit>,
    effects: Vec<Effect>,
    /// After the turn before.
    stands: Stands,
    /// Hash of the settings in force then.
    settings: u64,
}

/// Where a shard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stands {
    position: u64,
    live: bool,
}

impl Actor for ShardActor {
    type Msg = Message;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        args: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments { world, cell } = args;
        let fold = world.empty_shard(cell.id)?;
        let config = OwnerConfig {
            owner: world.owner_name(),
            address: world.ports.peers.address().to_owned(),
            newest_fold_version: FOLD_VERSION,
            slices_per_handle: SLICES_PER_LOCK,
            planted: Planted::default(),
        };
        *cell.lock() = Some(Owner::new(config, fold));
        let mail = Mail::new(myself);
        cell.set_mail(Some(mail.clone()));
        Ok(State {
            world,
            cell,
            mail,
            wake: None,
            room: None,
            effects: Vec::new(),
            stands: Stands::default(),
            settings: 0,
        })
    }

    async fn post_start(&self, _: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        let now = state.world.ports.clock.now();
        state.turn(Input::Start { now });
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.mail.taken();
        let now = state.world.ports.clock.now();
        let (input, turns) = match message {
            Message::Reply(input) => {
                let loaded = matches!(input, Input::Sections { .. });
                (input, loaded)
            }
            Message::Entries { input, decoded } => {
                if let Some(owner) = &mut *state.cell.lock() {
                    owner.fold_mut().decoded_ahead(decoded);
                }
                (input, false)
            }
            Message::Peer { from, message } => {
                state.cell.peer_taken();
                (Input::Peer { from, message }, true)
            }
            Message::Wake => {
                state.wake = None;
                (Input::Woken { now }, false)
            }
            Message::Load(sections) => (Input::Load { sections }, true),
            Message::HandOver => (Input::HandOver { now }, false),
        };
        let more = state.turn(input);
        if turns {
            state.cell.turn();
        }
        if more {
            // A mailbox that is never empty is no reason to leave the thread, as the scheduler sees it, for a hundred messages.
            pass().await;
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Message>, state: &mut State) -> Result<(), ActorProcessingErr> {
        if let Some(wake) = state.wake.take() {
            wake.abort();
        }
        state.cell.vacate();
        state.world.hub.markers.shard_moved(state.cell.id.journal);
        Ok(())
    }
}

/// Lets whatever else is ready go first. Unlike tokio's `yield_now` the task stands in the queue meanwhile, where a thread with nothing to do
/// finds it.
async fn pass() {
    let mut passed = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut passed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl State {
    /// Gives the owner one input, then its turns of folding while it asks to be woken at once. Whether its time ran out before it was done.
    fn turn(&mut self, input: Input) -> bool {
        let mut input = Some(input);
        let began = Instant::now();
        for _ in 0..TURNS_PER_MESSAGE {
            let now = self.world.ports.clock.now();
            let mut effects = std::mem::take(&mut self.effects);
            let stands;
            {
                let cell = Arc::clone(&self.cell);
                let mut guard = cell.lock();
                let Some(owner) = &mut *guard else { return false };
                owner.set_watched(self.world.is_watched());
                owner.see(now);
                self.room(owner);
                owner.handle(input.take().unwrap_or(Input::Woken { now }), &mut effects);
                if !owner.is_cutting() {
                    self.room = None;
                }
                stands = self.look(owner);
                MutexGuard::unlock_fair(guard);
            }
            let wake = carry_out(self, &mut effects);
            self.effects = effects;
            // After the fold's words are on the desk: who sees the position looks for them there.
            self.tell(stands);
            match wake {
                Some(at) if at <= now && began.elapsed() < TURN => {}
                Some(at) if at <= now => break,
                Some(at) => {
                    self.wake_at(at, now);
                    return false;
                }
                None => return false,
            }
        }
        // Others' messages come first; folding goes on behind them.
        self.mail.send(Message::Wake);
        true
    }

    /// Takes room for a cut that is due, if there is any.
    fn room(&mut self, owner: &mut Owner<Shard>) {
        // One that is to go elsewhere leaves the cut to its next owner, who fences whoever writes the manifest.
        let stays = self.cell.assigned.load(Ordering::Acquire);
        if self.room.is_none() && stays && owner.wants_to_cut() {
            self.room = Arc::clone(&self.world.cuts).try_acquire_owned().ok();
        }
        owner.set_room_to_cut(self.room.is_some());
    }

    /// Where the shard stands after a turn. Hands changed series to those who watch.
    fn look(&mut self, owner: &mut Owner<Shard>) -> Stands {
        let live = owner.is_live();
        let shard = owner.fold();
        let settings = shard.settings();
        if live && settings.hash != self.settings {
            self.settings = settings.hash;
            self.world.settings.store(Arc::clone(settings));
        }
        let position = shard.position();
        if let Some(series) = owner.fold_mut().series_mut() {
            self.world.hub.markers.look(series);
        }
        Stands { position, live }
    }

    /// Tells those who wait where the shard stands now.
    fn tell(&mut self, now: Stands) {
        if now == self.stands {
            return;
        }
        let moved = now.position.saturating_sub(self.stands.position);
        self.world.tallies.folded.fetch_add(moved, Ordering::Relaxed);
        let came_live = now.live && !self.stands.live;
        self.stands = now;
        if now.live {
            self.cell.position.send_replace(now.position);
            self.world.visible(&self.cell, now.position);
        }
        if came_live {
            self.cell.set_serving(true);
            self.cell.turn();
            self.world.hub.markers.shard_moved(self.cell.id.journal);
        }
    }

    fn wake_at(&mut self, at: Millis, now: Millis) {
        // The owner knows of one wake-up alone, the one it asked for last: an earlier one it has had already, in a turn of before.
        if let Some(timer) = self.wake.take() {
            timer.abort();
        }
        let wait = Duration::from_millis(u64::try_from(at - now).unwrap_or_default());
        let mail = self.mail.clone();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            mail.send(Message::Wake);
        });
        self.wake = Some(timer);
    }
}
