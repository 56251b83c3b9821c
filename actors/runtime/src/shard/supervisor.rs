//! The supervisor: starts the shard actors this node is given, and another one with an empty fold when one ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use souk_model::journal::ShardId;
use souk_model::owner::StopReason;

use super::World;
use super::actor::{Arguments, ShardActor};
use crate::limits::{FENCED_REST, RESTART_AFTER};

#[derive(Debug)]
pub(crate) struct Supervisor;

/// Start a shard, if it is still this node's.
#[derive(Debug)]
pub(crate) struct Start(pub ShardId);

#[derive(Debug)]
pub(crate) struct State {
    world: Arc<World>,
    shards: BTreeMap<ActorId, ShardId>,
}

impl Actor for Supervisor {
    type Msg = Start;
    type State = State;
    type Arguments = Arc<World>;

    async fn pre_start(&self, _: ActorRef<Start>, world: Arc<World>) -> Result<State, ActorProcessingErr> {
        Ok(State { world, shards: BTreeMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Start>,
        Start(shard): Start,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.start(&myself, shard).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Start>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(who, _, _) => state.ended(&myself, who.get_id(), None),
            SupervisionEvent::ActorFailed(who, why) => {
                state.ended(&myself, who.get_id(), Some(why.to_string()));
            }
            _ => {}
        }
        Ok(())
    }
}

impl State {
    async fn start(&mut self, myself: &ActorRef<Start>, shard: ShardId) -> Result<(), ActorProcessingErr> {
        let Some(cell) = self.world.cell(shard).filter(|cell| cell.assigned.load(Ordering::Acquire)) else {
            return Ok(());
        };
        // It was taken away and given back before its owner came to an end: whose end starts another one.
        if self.shards.values().any(|carried| *carried == shard) {
            return Ok(());
        }
        *cell.problem.lock() = None;
        let args = Arguments { world: Arc::clone(&self.world), cell: Arc::clone(cell) };
        let (actor, _) = ShardActor::spawn_linked(None, ShardActor, args, myself.get_cell()).await?;
        self.shards.insert(actor.get_id(), shard);
        Ok(())
    }

    /// A shard actor is gone. Most reasons pass with a fresh owner; one needs a person, and one was asked for.
    fn ended(&mut self, myself: &ActorRef<Start>, who: ActorId, failure: Option<String>) {
        let Some(shard) = self.shards.remove(&who) else { return };
        let Some(cell) = self.world.cell(shard) else { return };
        cell.vacate();
        let reason = cell.ended.lock().take();
        let rest = match (&reason, &failure) {
            // Given back meanwhile; if not, this starts nothing.
            (Some(StopReason::HandedOver), _) => return self.start_later(myself, shard, Duration::ZERO),
            (Some(StopReason::Refused(why)), _) => {
                tracing::error!(%shard, %why, "the shard cannot be served");
                *cell.problem.lock() = Some(why.clone());
                return;
            }
            (Some(StopReason::FoldPanicked { .. }), _) => Duration::ZERO,
            // Stopped for it was taken away; it may have been given back.
            (None, None) => Duration::ZERO,
            (Some(StopReason::Fenced { .. }), _) if self.world.has_peers() => FENCED_REST,
            _ => RESTART_AFTER,
        };
        if !cell.assigned.load(Ordering::Acquire) {
            return;
        }
        let why = reason.map(|reason| reason.to_string()).or(failure).unwrap_or_default();
        tracing::warn!(%shard, %why, "the shard's owner ended; another one starts");
        cell.restarts.fetch_add(1, Ordering::Relaxed);
        self.world.tallies.restarts.fetch_add(1, Ordering::Relaxed);
        self.start_later(myself, shard, rest);
    }

    fn start_later(&self, myself: &ActorRef<Start>, shard: ShardId, rest: Duration) {
        myself.send_after(rest, move || Start(shard));
    }
}
