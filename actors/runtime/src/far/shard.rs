//! What a shard knows beside its actors, copied from the node that carries it.

use std::sync::Arc;

use souk_model::shard::Shard;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use tokio::time::Instant;

use super::{Failed, ask, mixed_up};
use crate::Error;
use crate::read::{Freshness, ReadOptions};
use crate::shard::{Cell, Place, World};

/// A copy to read from: rings, counts, settings; no actors and no rows.
pub(crate) async fn copy(
    world: &World,
    cell: &Arc<Cell>,
    place: &Place,
    options: &ReadOptions,
    deadline: Option<Instant>,
) -> Result<Shard, Failed> {
    let question = Question::Shard(internal::ReadShard {
        shard: cell.id.to_string(),
        min_position: options.position_of(cell.id),
        latest: options.freshness == Freshness::Latest,
    });
    let Answer::Shard(state) = ask(world, &[(cell, place)], question, deadline).await? else {
        return Err(mixed_up());
    };
    let mut shard = world.empty_shard(cell.id)?;
    shard.take_header(&state.header).map_err(Error::State)?;
    Ok(shard)
}
