//! Shards that other nodes carry: what this node asks of them, and what it answers when others ask.
//!
//! A question goes to where the shard's manifest says its owner is. An owner that has moved is looked for again until the caller's deadline;
//! what it answers is what a caller of its own node would have been told. `answer` is the other side.

mod actor;
mod answer;
mod follow;
mod link;
mod node;
mod scout;
mod series;
mod shard;
mod words;

use std::sync::Arc;
use std::time::Duration;

use souk_model::journal::ShardId;
use souk_model::series::QueryError;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use souk_proto::internal::v1::refusal::Reason;
use tokio::time::Instant;

use crate::Error;
use crate::limits::{ASK_WAIT, LEAST_ASK_WAIT};
use crate::ports::Unreachable;
use crate::shard::{Cell, Place, World};

pub(crate) use actor::actor;
pub(crate) use answer::answer;
pub(crate) use follow::{attend, follow};
pub(crate) use link::{Link, send};
pub(crate) use node::{everywhere, serves};
pub(crate) use scout::scout;
pub(crate) use series::{Parts, series};
pub(crate) use shard::copy;
pub(crate) use words::{man, words};

/// Why a node did not answer for a shard.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Not it: its owner is looked for anew.
    Elsewhere,
    /// The question cannot be answered.
    Query(QueryError),
    /// It did not, for this reason.
    Error(Error),
}

impl Failed {
    /// What to tell the caller; none: the owner is to be looked for anew.
    pub(crate) fn error(self, shard: ShardId) -> Option<Error> {
        match self {
            Self::Elsewhere => None,
            Self::Error(error) => Some(error),
            // Nothing was asked of series: the node is of another release.
            Self::Query(_) => Some(Error::ShardMoving { shard }),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Asks the node at a place about the shards that are there.
async fn ask(
    world: &World,
    shards: &[(&Arc<Cell>, &Place)],
    question: Question,
    deadline: Option<Instant>,
) -> Result<Answer, Failed> {
    let most = Instant::now() + ASK_WAIT;
    let least = Instant::now() + LEAST_ASK_WAIT;
    let deadline = deadline.map_or(most, |deadline| deadline.clamp(least, most));
    let Some((_, Place { address, .. })) = shards.first() else { return Err(Failed::Elsewhere) };
    let answer = match world.ports.peers.ask(address, question, deadline).await {
        Ok(answer) => answer.answer,
        Err(Unreachable) => {
            world.silent.put(address);
            shards.iter().for_each(|(cell, place)| cell.whereabouts.lost(place));
            return Err(Failed::Elsewhere);
        }
    };
    match answer {
        Some(Answer::Refusal(refusal)) => Err(refused(shards, refusal)),
        Some(answer) => {
            shards.iter().for_each(|(cell, _)| cell.whereabouts.answered());
            Ok(answer)
        }
        None => Err(damaged("an empty answer")),
    }
}

fn refused(shards: &[(&Arc<Cell>, &Place)], refusal: internal::Refusal) -> Failed {
    let Ok(shard) = refusal.shard.parse::<ShardId>() else { return damaged("a refusal of no shard") };
    Failed::Error(match refusal.reason() {
        Reason::NotServing => {
            let of_it = shards.iter().filter(|(cell, _)| cell.id == shard);
            of_it.for_each(|(cell, place)| cell.whereabouts.lost(place));
            return Failed::Elsewhere;
        }
        Reason::MetricUnknown => return Failed::Query(QueryError::MetricUnknown(refusal.message)),
        Reason::WindowUnknown => return Failed::Query(QueryError::WindowUnknown),
        Reason::KeyUnknown => return Failed::Query(QueryError::KeyUnknown),
        Reason::NotReached => Error::PositionNotReached { shard, at: refusal.at, wanted: refusal.wanted },
        Reason::JournalUnavailable => Error::JournalUnavailable,
        Reason::StoreUnavailable => Error::StoreUnavailable,
        // A node of another release, or settings that reached some shards only: the next moment decides.
        Reason::Unspecified | Reason::UnknownQuestion => Error::ShardMoving { shard },
        Reason::Damaged => return damaged(&refusal.message),
    })
}

fn damaged(what: &str) -> Failed {
    Failed::Error(Error::State(souk_model::actor::StateError::Damaged(what.to_owned())))
}

/// An answer of another kind than its question.
fn mixed_up() -> Failed {
    damaged("a peer answered another question")
}

/// The moment a question's patience ends.
fn deadline_of(question: &internal::AskRequest) -> Instant {
    Instant::now() + Duration::from_millis(u64::from(question.patience_ms)).min(ASK_WAIT)
}
