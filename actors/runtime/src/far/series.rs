//! Rows of a metric that products shards on one other node hold.

use std::sync::Arc;

use souk_model::journal::Journal;
use souk_model::series::{Answer as Rows, Moment, Query};
use souk_model::time::Millis;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use souk_proto::internal::v1::read_series::Step;

use super::{Failed, ask, damaged, mixed_up};
use crate::read::{Freshness, ReadOptions};
use crate::shard::{Cell, Place, World};

/// What shards found in one step.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Whether any was asked how far it has come.
    measured: bool,
    /// How far all have come; none while one never heard of a source.
    pub least: Option<Millis>,
    /// The newest pane of all.
    pub greatest: Option<Millis>,
    pub answers: Vec<Rows>,
}

impl Parts {
    pub(crate) fn add_least(&mut self, time: Option<Millis>) {
        self.least = if self.measured { self.least.min(time) } else { time };
        self.measured = true;
    }

    pub(crate) fn add(&mut self, other: Self) {
        if other.measured {
            self.add_least(other.least);
        }
        self.greatest = self.greatest.max(other.greatest);
        self.answers.extend(other.answers);
    }

    pub(super) fn to_peer(&self, step: Step) -> internal::SeriesParts {
        let time_ms = if step == Step::HighWater { self.least } else { self.greatest };
        internal::SeriesParts { time_ms, parts: self.answers.iter().map(Rows::to_peer).collect() }
    }

    fn from_peer(step: Step, parts: internal::SeriesParts) -> Result<Self, Failed> {
        let mut found = Self::default();
        match step {
            Step::HighWater => found.add_least(parts.time_ms),
            _ => found.greatest = parts.time_ms,
        }
        let answers = parts.parts.into_iter().map(Rows::from_peer).collect::<Result<_, _>>();
        found.answers = answers.map_err(|error| damaged(&error.to_string()))?;
        Ok(found)
    }
}

/// One step of a query, of all shards of a node at once.
pub(crate) async fn series(
    world: &World,
    shards: &[(&Arc<Cell>, Place)],
    query: &Query,
    options: &ReadOptions,
    step: Step,
    moment: Moment,
) -> Result<Parts, Failed> {
    let of = |journal| {
        let wanted = options.min_position.0.iter().filter(move |(shard, _)| shard.journal == journal);
        wanted.map(|(shard, offset)| (u32::from(shard.partition), *offset)).collect()
    };
    let question = Question::Series(internal::ReadSeries {
        shards: shards.iter().map(|(cell, _)| cell.id.to_string()).collect(),
        query: Some(query.to_peer()),
        step: step.into(),
        moment: Some(moment.to_peer()),
        sources: of(Journal::Users),
        positions: of(Journal::Products),
        latest: options.freshness == Freshness::Latest,
    });
    let shards: Vec<(&Arc<Cell>, &Place)> = shards.iter().map(|(cell, place)| (*cell, place)).collect();
    match ask(world, &shards, question, options.deadline).await? {
        Answer::Series(parts) => Parts::from_peer(step, parts),
        _ => Err(mixed_up()),
    }
}
