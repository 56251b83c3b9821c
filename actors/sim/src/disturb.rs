//! What the seed does to the world each second, and what placement does about it.

use souk_model::journal::ShardId;
use souk_model::owner::Input;
use souk_model::time::Millis;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;

use crate::faults::Fault;
use crate::node::{NODES, OwnerId};
use crate::world::{Happening, World};

/// How long a shard stays without an owner before somebody notices.
const NOTICED_AFTER: Millis = 600;

impl World {
    pub fn disturb(&mut self) {
        if self.chaos.is_calm() {
            return;
        }
        let now = self.now();
        for node in &mut self.nodes {
            node.clock.disturb(now, &mut self.chaos);
        }
        self.store.disturb(now, &mut self.chaos);
        if self.chaos.is_on(Fault::OneWayCut) && self.chaos.rng.one_in(12) {
            self.net.cut(now, NODES, &mut self.chaos);
        }
        if self.chaos.strikes(Fault::ViewFlushed, 20) {
            self.view.flush();
        }
        let shards: Vec<ShardId> = self.journal.shards().collect();
        let shard = shards[self.chaos.rng.index(shards.len())];
        if self.chaos.strikes(Fault::PartitionUnavailable, 30) {
            self.journal.cut_off(shard, now, &mut self.chaos.rng);
        }
        self.retain(shard);
        self.disturb_membership(shard);
        self.upgrade();
    }

    fn disturb_membership(&mut self, shard: ShardId) {
        let node = self.chaos.rng.index(NODES);
        let current = self.current.get(&shard).copied();
        if self.chaos.strikes(Fault::MembershipFlaps, 15) {
            if let Some(current) = current {
                self.crash(current);
            }
            self.start_owner(shard, node);
        }
        self.rival(shard, Fault::TwoOwners, 20);
        if self.chaos.strikes(Fault::ThreeOwners, 30) {
            self.start_owner(shard, node);
            self.start_owner(shard, (node + 1) % NODES);
        }
        if let Some(current) = current
            && self.chaos.strikes(Fault::HandOver, 25)
        {
            let carrier = self.owners.get(&current).map_or(node, |owner| owner.node);
            let now = self.node_time(carrier);
            self.feed(current, Input::HandOver { now });
        }
        if self.chaos.strikes(Fault::NodeRestarts, 40) {
            self.restart_node(node);
        }
    }

    fn restart_node(&mut self, node: usize) {
        let dead: Vec<OwnerId> =
            self.owners.iter().filter(|(_, owner)| owner.node == node).map(|(id, _)| *id).collect();
        for id in dead {
            self.crash(id);
        }
    }

    /// Retention takes the head of a log, never above the committed position.
    fn retain(&mut self, shard: ShardId) {
        let Some(position) =
            self.store.manifest(shard).map(|manifest| manifest.position).filter(|at| *at > 1)
        else {
            return;
        };
        if self.chaos.strikes(Fault::RetentionCutsHead, 10) {
            let upto = self.chaos.rng.below(position);
            self.journal.retain_after(shard, upto);
        }
    }

    /// Node by node to the next build; only when all run it, the barrier.
    fn upgrade(&mut self) {
        let Some(node) = self.nodes.iter().position(|node| node.build == 1) else {
            if !self.barrier {
                self.barrier = true;
                let barrier = Body::VersionBarrier(journal::VersionBarrier { fold_version: 2 });
                self.submit_to_all(&journal::Record { body: Some(barrier) });
            }
            return;
        };
        if self.chaos.strikes(Fault::RollingUpgrade, 8) {
            self.nodes[node].build = 2;
            self.restart_node(node);
        }
    }

    /// Gives every shard without a working owner another one.
    pub fn place(&mut self) {
        let now = self.now();
        let shards: Vec<ShardId> = self.journal.shards().collect();
        for shard in shards {
            let works = match self.current.get(&shard).and_then(|id| self.owners.get(id)) {
                Some(current) => !current.is_paused(now),
                None => self
                    .vacant_since
                    .get(&shard)
                    .is_some_and(|since| now < since.saturating_add(NOTICED_AFTER)),
            };
            if !works {
                let node = self.rng.index(NODES);
                self.start_owner(shard, node);
            }
        }
    }

    /// The fault-free tail begins: one healthy owner per shard, everything reachable.
    pub fn calm(&mut self) {
        self.chaos.calm();
        let now = self.now();
        self.journal.calm(now);
        self.store.calm();
        self.net.calm();
        for node in &mut self.nodes {
            node.clock.calm(now);
        }
        let current: Vec<OwnerId> = self.current.values().copied().collect();
        let gone: Vec<OwnerId> = self
            .owners
            .iter()
            .filter(|(id, owner)| !current.contains(id) || owner.is_paused(now))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.crash(id);
        }
    }

    /// An owner that answers questions about this shard: any that is caught up this far, zombies included.
    pub fn answering(&mut self, shard: ShardId, position: u64) -> Option<OwnerId> {
        let now = self.now();
        let able: Vec<OwnerId> = self
            .owners
            .iter()
            .filter(|(_, owner)| owner.shard == shard && owner.answers(now) && owner.position() >= position)
            .map(|(id, _)| *id)
            .collect();
        self.rng.pick(&able).copied()
    }

    /// Whether nothing is left to be done: every owner has folded all there is and is nobody's predecessor, no order is open, every foreign record arrived, and
    /// nothing the dead have sent is still under way.
    pub fn is_quiet(&self) -> bool {
        let now = self.now();
        let serving = self.journal.shards().all(|shard| {
            let current = self.current.get(&shard).and_then(|id| self.owners.get(id));
            let epoch = self.store.manifest(shard).map(|manifest| manifest.epoch);
            current.is_some_and(|owner| {
                let is_caught_up = owner.position() == self.journal.whole(shard).len() as u64;
                owner.answers(now) && is_caught_up && owner.owner.epoch() == epoch
            })
        });
        serving
            && self.bridges.is_done()
            && self.owners.values().all(|owner| crate::subject::is_settled(owner.owner.fold()))
            && !self.schedule.awaits(Happening::leaves_a_trace)
    }
}
