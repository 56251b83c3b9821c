//! What folding a record produces for the world: collected in a reused buffer, acted on by the owner after the batch, never during replay.

use souk_proto::journal::v1 as journal;
use souk_proto::v1;

use crate::journal::Journal;
use crate::key::ActorKey;
use crate::time::Millis;
use crate::verdict::{Refusal, Verdict};

/// The outputs of one slice of folding.
#[derive(Debug, Default)]
pub struct Outputs {
    pub items: Vec<Output>,
}

impl Outputs {
    pub fn push(&mut self, output: Output) {
        self.items.push(output);
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// The fold's word on the event at `offset`.
    Verdict { offset: u64, verdict: Verdict },
    /// What became of the command at `offset`. The reply itself is rendered from state.
    Decided { offset: u64, actor: ActorKey, request_id: String, outcome: Outcome },
    /// A saga step for another actor: append it to that journal, keyed by `to`.
    Step { journal: Journal, to: ActorKey, step: Box<journal::Step> },
    /// An alert for the ring of its shard, which gives it its id.
    Alert {
        actor: ActorKey,
        kind: v1::alert::Kind,
        severity: v1::alert::Severity,
        message: String,
        time: Millis,
    },
    /// News of an abandoned cart, for the ring of its shard.
    Abandoned(AbandonedNews),
    /// An order was opened or reached its final state, for the ring of open orders.
    Order { actor: ActorKey, order_id: String, open: bool },
    /// The actor changed: its watchers want to know.
    Changed { actor: ActorKey },
}

/// News of an abandoned cart. `deadline` names it within its actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedNews {
    pub actor: ActorKey,
    pub deadline: Millis,
    pub change: AbandonedChange,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbandonedChange {
    Opened { stage: &'static str, currency: &'static str, minor: i64 },
    Retracted,
    Recovered { order_id: String },
}

/// Outcome of a command: kept in the request memory, so that a repeat gets the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Refused(Refusal),
}
