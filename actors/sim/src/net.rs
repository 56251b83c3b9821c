//! SimNet: messages between owners get lost, repeated, reordered, delayed, cut off one way, or come back from an old epoch.

use std::collections::{BTreeMap, VecDeque};

use souk_model::journal::ShardId;
use souk_model::owner::PeerMessage;
use souk_model::time::{Millis, SECOND};

use crate::faults::{Chaos, Fault};

/// Old messages kept to be delivered again much later.
const REMEMBERED: usize = 32;

/// One delivery to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub after: Millis,
    pub from: ShardId,
    pub to: ShardId,
    pub message: PeerMessage,
}

#[derive(Debug, Default)]
pub struct SimNet {
    /// One-way cuts between nodes, and until when.
    cuts: BTreeMap<(usize, usize), Millis>,
    remembered: VecDeque<(ShardId, ShardId, PeerMessage)>,
}

impl SimNet {
    /// What comes of one message sent from a node to the node that holds `to`.
    pub fn send(
        &mut self,
        now: Millis,
        nodes: (usize, usize),
        (from, to): (ShardId, ShardId),
        message: PeerMessage,
        chaos: &mut Chaos,
    ) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(1);
        let mut deliver = |after, message| deliveries.push(Delivery { after, from, to, message });
        if chaos.is_on(Fault::PeerFromOldEpoch) {
            if self.remembered.len() == REMEMBERED {
                self.remembered.pop_front();
            }
            self.remembered.push_back((from, to, message.clone()));
        }
        if self.cuts.get(&nodes).is_some_and(|until| now < *until) {
            chaos.done(Fault::OneWayCut);
            return deliveries;
        }
        if chaos.strikes(Fault::PeerLost, 8) {
            return deliveries;
        }
        if chaos.strikes(Fault::PeerRepeated, 10) {
            deliver(chaos.rng.between(1, 2 * SECOND), message.clone());
        }
        let mut after = chaos.rng.between(1, 5);
        if chaos.strikes(Fault::PeerReordered, 6) {
            after += chaos.rng.between(0, 1_500);
        }
        if chaos.strikes(Fault::PeerDelayed, 15) {
            after += chaos.rng.between(2, 30) * SECOND;
        }
        deliver(after, message);
        if chaos.strikes(Fault::PeerFromOldEpoch, 10)
            && let Some((from, to, message)) = self.remembered.pop_front()
        {
            deliveries.push(Delivery { after: chaos.rng.between(1, 60) * SECOND, from, to, message });
        }
        deliveries
    }

    /// Cuts one direction between two nodes for a while.
    pub fn cut(&mut self, now: Millis, nodes: usize, chaos: &mut Chaos) {
        let pair = (chaos.rng.index(nodes), chaos.rng.index(nodes));
        self.cuts.insert(pair, now + chaos.rng.between(1, 30) * SECOND);
    }

    pub fn calm(&mut self) {
        self.cuts.clear();
        self.remembered.clear();
    }
}
