//! The other side: what another node asks of shards here. Whoever asks has looked up who carries them; where that is wrong it is told so at
//! once and looks again.

use std::sync::Arc;

use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::product::Product;
use souk_model::series::{Moment, Query, QueryError};
use souk_model::shard::Shard;
use souk_model::user::User;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use souk_proto::internal::v1::refusal::Reason;
use tokio::time::{Instant, sleep_until};

use super::{Parts, deadline_of, node, words};
use crate::limits::{DESK_LEASE, MOST_SHARDS};
use crate::read::group::part_of;
use crate::read::{Freshness, Kept, ReadOptions, Standing, heard, here, ready, said_here};
use crate::shard::{Cell, World};
use crate::{Error, Position};

/// Answers one question, or says why not.
pub(crate) async fn answer(world: &Arc<World>, request: internal::AskRequest) -> internal::AskResponse {
    let deadline = deadline_of(&request);
    let answered = match request.question {
        Some(Question::Actor(asked)) => actor(world, asked, deadline).await.map(Answer::Actor),
        Some(Question::Shard(asked)) => shard(world, asked, deadline).await.map(Answer::Shard),
        Some(Question::Series(asked)) => series(world, asked, deadline).await.map(Answer::Series),
        Some(Question::Desks(asked)) => desks(world, &asked).map(Answer::Desks),
        Some(Question::Words(asked)) => said(world, asked, deadline).await.map(Answer::Words),
        Some(Question::Node(_)) => Ok(Answer::Node(node::own(world))),
        None => Err(refusal(Reason::UnknownQuestion, "")),
    };
    internal::AskResponse { answer: Some(answered.unwrap_or_else(Answer::Refusal)) }
}

fn refusal(reason: Reason, message: impl Into<String>) -> internal::Refusal {
    internal::Refusal { reason: reason.into(), message: message.into(), ..internal::Refusal::default() }
}

fn of_shard(shard: ShardId, reason: Reason) -> internal::Refusal {
    internal::Refusal { shard: shard.to_string(), ..refusal(reason, "") }
}

/// Why the runtime could not do it, for the node that asked.
fn failed(shard: ShardId, error: Error) -> internal::Refusal {
    match error {
        Error::PositionNotReached { shard, at, wanted } => {
            internal::Refusal { at, wanted, ..of_shard(shard, Reason::NotReached) }
        }
        Error::JournalUnavailable => of_shard(shard, Reason::JournalUnavailable),
        Error::StoreUnavailable => of_shard(shard, Reason::StoreUnavailable),
        Error::State(error) => {
            internal::Refusal { message: error.to_string(), ..of_shard(shard, Reason::Damaged) }
        }
        _ => of_shard(shard, Reason::NotServing),
    }
}

/// The shard, if it is here.
fn cell<'a>(world: &'a World, name: &str) -> Result<&'a Arc<Cell>, internal::Refusal> {
    let shard: ShardId =
        name.parse().map_err(|_| refusal(Reason::UnknownQuestion, format!("{name} is no shard")))?;
    let cell = world.cell(shard).filter(|cell| cell.is_here());
    cell.ok_or_else(|| of_shard(shard, Reason::NotServing))
}

fn options(min_position: Position, latest: bool, deadline: Instant) -> ReadOptions {
    let freshness = if latest { Freshness::Latest } else { Freshness::Owner };
    ReadOptions { min_position, freshness, deadline: Some(deadline) }
}

async fn actor(
    world: &World,
    asked: internal::ReadActor,
    deadline: Instant,
) -> Result<internal::ActorState, internal::Refusal> {
    let cell = cell(world, &asked.shard)?;
    let key = ActorKey::parse(&asked.key).ok_or_else(|| refusal(Reason::UnknownQuestion, "no actor"))?;
    let options = options(Position::at(cell.id, asked.min_position), asked.latest, deadline);
    match cell.id.journal {
        Journal::Users => encoded::<User>(world, cell, &key, &options).await,
        Journal::Products => encoded::<Product>(world, cell, &key, &options).await,
    }
}

async fn encoded<A: Kept>(
    world: &World,
    cell: &Arc<Cell>,
    key: &ActorKey,
    options: &ReadOptions,
) -> Result<internal::ActorState, internal::Refusal> {
    let encode = |actor: &A, _: Standing<'_>| {
        let mut state = Vec::new();
        actor.encode(&mut state);
        state
    };
    let read = here(world, cell, key, options, options, &mut Some(encode)).await;
    let read = read.map_err(|error| failed(cell.id, error))?;
    let settings = cell.read(|shard: &Shard| shard.settings().hash);
    Ok(internal::ActorState {
        standing: Some(read.now.to_peer()),
        state: read.value,
        settings_hash: settings.map_err(|_| of_shard(cell.id, Reason::NotServing))?,
    })
}

async fn shard(
    world: &World,
    asked: internal::ReadShard,
    deadline: Instant,
) -> Result<internal::ShardState, internal::Refusal> {
    let cell = cell(world, &asked.shard)?;
    let options = options(Position::at(cell.id, asked.min_position), asked.latest, deadline);
    ready(world, cell, &options).await.map_err(|error| failed(cell.id, error))?;
    let header = cell.read(Shard::header).map_err(|_| of_shard(cell.id, Reason::NotServing))?;
    Ok(internal::ShardState { header })
}

async fn series(
    world: &World,
    asked: internal::ReadSeries,
    deadline: Instant,
) -> Result<internal::SeriesParts, internal::Refusal> {
    let step = asked.step();
    let unreadable =
        |error: souk_model::peer::Unreadable| refusal(Reason::UnknownQuestion, error.to_string());
    let query = Query::from_peer(asked.query.unwrap_or_default()).map_err(unreadable)?;
    let moment = Moment::from_peer(&asked.moment.unwrap_or_default());
    let mut position = Position::default();
    let partition = |partition: u32| u16::try_from(partition).unwrap_or(u16::MAX);
    for (source, offset) in asked.sources {
        position.reach(ShardId::users(partition(source)), offset);
    }
    for (shard, offset) in asked.positions {
        position.reach(ShardId::products(partition(shard)), offset);
    }
    let options = options(position, asked.latest, deadline);
    let mut parts = Parts::default();
    for name in asked.shards.iter().take(MOST_SHARDS) {
        let cell = cell(world, name)?;
        ready(world, cell, &options).await.map_err(|error| failed(cell.id, error))?;
        heard(cell, &options.min_position, &options).await.map_err(|error| failed(cell.id, error))?;
        let part =
            cell.read(|shard| shard.as_products().map(|shard| part_of(shard.series(), &query, step, moment)));
        let part = part.ok().flatten().ok_or_else(|| of_shard(cell.id, Reason::NotServing))?;
        parts.add(part.map_err(|error| of_query(cell.id, error))?);
    }
    Ok(parts.to_peer(step))
}

fn of_query(shard: ShardId, error: QueryError) -> internal::Refusal {
    let (reason, message) = match error {
        QueryError::MetricUnknown(name) => (Reason::MetricUnknown, name),
        QueryError::WindowUnknown => (Reason::WindowUnknown, String::new()),
        QueryError::KeyUnknown => (Reason::KeyUnknown, String::new()),
        QueryError::Damaged(error) => (Reason::Damaged, error.to_string()),
    };
    internal::Refusal { message, ..of_shard(shard, reason) }
}

/// Keeps words for a while, whether they are asked for or not.
fn desks(world: &World, asked: &internal::ManDesks) -> Result<internal::DesksManned, internal::Refusal> {
    let cells: Vec<Arc<Cell>> = asked
        .shards
        .iter()
        .take(MOST_SHARDS)
        .map(|name| cell(world, name).cloned())
        .collect::<Result<_, _>>()?;
    let until = Instant::now() + DESK_LEASE;
    tokio::spawn(async move {
        let _manned: Vec<_> = cells.iter().map(|cell| cell.desk.wait()).collect();
        sleep_until(until).await;
    });
    Ok(internal::DesksManned { lease_ms: DESK_LEASE.as_millis() as u32 })
}

async fn said(
    world: &World,
    asked: internal::ReadWords,
    deadline: Instant,
) -> Result<internal::Words, internal::Refusal> {
    let cell = cell(world, &asked.shard)?;
    let waiting = cell.desk.wait();
    let last = asked.offsets.iter().copied().max().unwrap_or_default();
    if !said_here(cell, &waiting, last, Some(deadline)).await.map_err(|error| failed(cell.id, error))? {
        return Err(of_shard(cell.id, Reason::NotServing));
    }
    let words = asked.offsets.iter().map(|offset| words::to_peer(waiting.word(*offset))).collect();
    Ok(internal::Words { words })
}
