//! A user or a product that another node carries: its encoded state comes over and is read here, as it would be there.

use std::sync::Arc;

use souk_model::actor::Actor;
use souk_model::key::ActorKey;
use souk_model::origin::Origin;
use souk_model::time::Now;
use souk_proto::internal::v1 as internal;
use souk_proto::internal::v1::ask_request::Question;
use souk_proto::internal::v1::ask_response::Answer;
use tokio::time::Instant;

use super::{Failed, ask, copy, mixed_up};
use crate::Error;
use crate::read::{Freshness, Read, ReadOptions, Standing};
use crate::shard::{Cell, Place, World};

/// Reads an actor where it is; nobody has heard of it: none.
pub(crate) async fn actor<A: Actor, R>(
    world: &World,
    cell: &Arc<Cell>,
    place: &Place,
    key: &ActorKey,
    options: &ReadOptions,
    deadline: Option<Instant>,
    read: &mut Option<impl FnOnce(&A, Standing<'_>) -> R>,
) -> Result<Read<Option<R>>, Failed> {
    let question = Question::Actor(internal::ReadActor {
        shard: cell.id.to_string(),
        key: key.as_str().to_owned(),
        min_position: options.position_of(cell.id),
        latest: options.freshness == Freshness::Latest,
    });
    let Answer::Actor(found) = ask(world, &[(cell, place)], question, deadline).await? else {
        return Err(mixed_up());
    };
    let now = Now::from_peer(&found.standing.unwrap_or_default());
    let value = match found.state {
        None => None,
        Some(state) => {
            let actor = A::decode(&state).map_err(Error::State)?;
            let settings = match world.settings_of(found.settings_hash) {
                Some(settings) => settings,
                None => {
                    let shard = copy(world, cell, place, &ReadOptions::default(), deadline).await?;
                    world.learn(shard.settings());
                    Arc::clone(shard.settings())
                }
            };
            read.take().map(|read| read(&actor, Standing { settings: &settings, now }))
        }
    };
    Ok(Read { value, shard: cell.id, now, origin: Origin::Owner })
}
