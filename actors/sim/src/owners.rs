//! What happens to owners: they are started, fed, paused, woken, crashed; any number of one shard may be alive.

use std::panic::{AssertUnwindSafe, catch_unwind};

use souk_model::journal::ShardId;
use souk_model::key::ActorKey;
use souk_model::owner::{Effect, Input, Tag};
use souk_model::time::{Millis, SECOND};

use crate::faults::Fault;
use crate::invariants::Violation;
use crate::net::Delivery;
use crate::node::{Incarnation, OwnerId, Wakeup, Work};
use crate::panics;
use crate::subject;
use crate::world::{Happening, World};

/// Owners of one shard alive at once.
const ALIVE: usize = 3;
/// Steps an owner under memory pressure takes at most: enough to let go of all it may.
const SHRINKS: u64 = 80;
/// A woken owner whose clock stands still or stepped back is woken again after this long.
const CLOCK_BEHIND: Millis = 200;

impl World {
    /// Starts an owner on this node, whoever else holds the shard.
    pub fn start_owner(&mut self, shard: ShardId, node: usize) {
        let alive: Vec<OwnerId> = self.owners_of(shard).collect();
        if alive.len() >= ALIVE {
            self.crash(alive[0]);
        }
        self.owners_started += 1;
        let id = OwnerId(self.owners_started);
        let build = self.nodes[node].build;
        let owner = self.opening.owner(shard, build, format!("node-{node}/{}", id.0));
        self.owners.insert(id, Incarnation::new(shard, node, build, owner));
        self.current.insert(shard, id);
        let now = self.node_time(node);
        self.schedule.after(0, Happening::Input { owner: id, input: Input::Start { now } });
    }

    pub fn owners_of(&self, shard: ShardId) -> impl Iterator<Item = OwnerId> + '_ {
        self.owners.iter().filter(move |(_, owner)| owner.shard == shard).map(|(id, _)| *id)
    }

    pub fn node_time(&mut self, node: usize) -> Millis {
        let now = self.now();
        self.nodes[node].clock.read(now)
    }

    /// The process is gone with everything it held; what it had sent may still arrive.
    pub fn crash(&mut self, id: OwnerId) {
        let now = self.now();
        if let Some(incarnation) = self.owners.remove(&id) {
            self.trace.note(now, format_args!("crash {} {id:?}", incarnation.shard));
            if self.current.get(&incarnation.shard) == Some(&id) {
                self.current.remove(&incarnation.shard);
                self.vacant_since.insert(incarnation.shard, now);
            }
        }
    }

    /// Stops the owner's world for a while; then it goes on as if nothing had been.
    pub fn pause(&mut self, id: OwnerId) {
        let pause = self.chaos.rng.between(1, 120) * SECOND;
        let until = self.now() + pause;
        if let Some(incarnation) = self.owners.get_mut(&id) {
            incarnation.paused_until = until;
            self.schedule.after(pause, Happening::Resume { owner: id });
        }
    }

    pub fn resume(&mut self, id: OwnerId) {
        let now = self.now();
        loop {
            let Some(incarnation) = self.owners.get_mut(&id).filter(|owner| !owner.is_paused(now)) else {
                return;
            };
            match incarnation.backlog.pop_front() {
                None => return,
                Some(Work::Input(input)) => self.feed(id, input),
                Some(Work::Effect(effect)) => self.carry_out(id, vec![effect]),
            }
        }
    }

    /// Gives an owner an input, and carries out what it wants.
    pub fn feed(&mut self, id: OwnerId, input: Input) {
        let now = self.now();
        let Some(incarnation) = self.owners.get_mut(&id) else { return };
        if incarnation.is_paused(now) {
            incarnation.backlog.push_back(Work::Input(input));
            return;
        }
        if is_reply(&input) {
            incarnation.in_flight = incarnation.in_flight.saturating_sub(1);
        }
        if let Input::Ends { result: Ok(ends), .. } = &input {
            incarnation.replay_end.get_or_insert(ends.end);
        }
        if self.chaos.strikes(Fault::MemoryPressure, 20) {
            let steps = self.chaos.rng.below(SHRINKS);
            let _taken = (0..steps).take_while(|_| incarnation.owner.shrink(0)).count();
        }
        let node_now = self.nodes[incarnation.node].clock.read(now);
        subject::see_clock(incarnation.owner.fold_mut(), node_now);
        let mut effects = Vec::new();
        let handled = catch_unwind(AssertUnwindSafe(|| incarnation.owner.handle(input, &mut effects)));
        if handled.is_err() {
            let message = panics::last();
            self.object(Violation::new("panic", format!("{id:?}: {message}")));
            return;
        }
        self.observe(id);
        self.carry_out(id, effects);
    }

    /// Whether a reader finds the actor at this owner; else the owner is asked to load it.
    pub fn finds(&mut self, id: OwnerId, key: &ActorKey) -> bool {
        let Some(incarnation) = self.owners.get(&id) else { return false };
        let fold = incarnation.owner.fold();
        let is_loaded = fold.is_loaded(key);
        if !is_loaded {
            let sections = vec![fold.section_of(key)];
            self.feed(id, Input::Load { sections });
        }
        is_loaded
    }

    /// Plans a wake-up by the node's own clock.
    pub fn wake_at(&mut self, id: OwnerId, at: Millis) {
        let Some(node) = self.owners.get(&id).map(|incarnation| incarnation.node) else { return };
        let delay = (at - self.node_time(node)).clamp(0, SECOND);
        let due = self.now() + delay;
        if let Some(incarnation) = self.owners.get_mut(&id)
            && incarnation.wake.is_none_or(|planned| due < planned.due)
        {
            incarnation.wake = Some(Wakeup { due, at });
            self.schedule.after(delay, Happening::Wake { owner: id });
        }
    }

    pub fn wake(&mut self, id: OwnerId) {
        let now = self.now();
        let Some(incarnation) = self.owners.get_mut(&id) else { return };
        // Another wake-up was planned before this one, and has come.
        let Some(wakeup) = incarnation.wake.filter(|wakeup| wakeup.due == now) else { return };
        let node_now = self.nodes[incarnation.node].clock.read(now);
        if node_now < wakeup.at {
            incarnation.wake = Some(Wakeup { due: now + CLOCK_BEHIND, ..wakeup });
            return self.schedule.after(CLOCK_BEHIND, Happening::Wake { owner: id });
        }
        incarnation.wake = None;
        self.feed(id, Input::Woken { now: node_now });
    }

    pub fn poll_timeout(&mut self, id: OwnerId, tag: Tag) {
        if let Some(incarnation) = self.owners.get_mut(&id)
            && incarnation.parked.is_some_and(|parked| parked.tag == tag)
        {
            self.answer_parked(id);
        }
    }

    /// A peer's message reaches whoever is thought to own the shard: now and then a zombie.
    pub fn deliver(&mut self, delivery: Delivery) {
        let owners: Vec<OwnerId> = self.owners_of(delivery.to).collect();
        let Some(newest) = owners.last().copied() else { return };
        let to = if self.chaos.is_calm() || self.rng.percent(90) {
            newest
        } else {
            owners[self.rng.index(owners.len())]
        };
        self.feed(to, Input::Peer { from: delivery.from, message: delivery.message });
    }

    /// What every oracle wants to see after every step of an owner.
    fn observe(&mut self, id: OwnerId) {
        let Some(incarnation) = self.owners.get_mut(&id) else { return };
        let found = self.ledger.observe(incarnation);
        self.check(found);
    }

    /// Rolls on a zombie or a rival, as the seed says.
    pub fn rival(&mut self, shard: ShardId, fault: Fault, one_in: u64) {
        if self.chaos.strikes(fault, one_in) {
            let node = self.chaos.rng.index(self.nodes.len());
            self.start_owner(shard, node);
        }
    }
}

/// Requests of the owner itself are counted, so that none of them can pile up.
pub fn is_request(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::ReadManifest { .. }
            | Effect::WriteManifest { .. }
            | Effect::WriteSegments { .. }
            | Effect::LoadSections { .. }
            | Effect::ReadEnds { .. }
            | Effect::ReadEntries { .. }
            | Effect::Append { .. }
    )
}

fn is_reply(input: &Input) -> bool {
    !matches!(
        input,
        Input::Start { .. }
            | Input::Peer { .. }
            | Input::Load { .. }
            | Input::Woken { .. }
            | Input::HandOver { .. }
    )
}
