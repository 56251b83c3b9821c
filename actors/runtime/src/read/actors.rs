//! Reads of users, products and whole shards.

use souk_model::actor::StateError;
use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::product::Product;
use souk_model::shard::Shard;
use souk_model::user::User;

use super::wait::{before, ready};
use super::{Read, ReadOptions, Standing};
use crate::Error;
use crate::shard::{Message, NotServing, World};

pub(crate) async fn user<R>(
    world: &World,
    key: &ActorKey,
    options: &ReadOptions,
    read: impl FnOnce(&User, Standing<'_>) -> R,
) -> Result<Read<Option<R>>, Error> {
    actor(world, Journal::Users, key, options, |shard| {
        let standing = Standing { settings: shard.settings(), now: shard.now() };
        shard.as_users().map_or(Ok(None), |users| users.user(key, |user| read(user, standing)))
    })
    .await
}

pub(crate) async fn product<R>(
    world: &World,
    key: &ActorKey,
    options: &ReadOptions,
    read: impl FnOnce(&Product, Standing<'_>) -> R,
) -> Result<Read<Option<R>>, Error> {
    actor(world, Journal::Products, key, options, |shard| {
        let standing = Standing { settings: shard.settings(), now: shard.now() };
        shard
            .as_products()
            .map_or(Ok(None), |products| products.product(key, |product| read(product, standing)))
    })
    .await
}

async fn actor<R>(
    world: &World,
    journal: Journal,
    key: &ActorKey,
    options: &ReadOptions,
    read: impl FnOnce(&Shard) -> Result<Option<R>, StateError>,
) -> Result<Read<Option<R>>, Error> {
    let cell = world.home(journal, key);
    let mut read = Some(read);
    let mut waits = options.waits();
    loop {
        if waits {
            ready(world, cell, options).await?;
        }
        // Before the look: a load that ends in between is not missed. Most looks find what they look for.
        let turned = waits.then(|| cell.turned.subscribe());
        let answer = cell.read(|shard| {
            if !shard.is_loaded(key) {
                return Err(shard.section_of(key));
            }
            let value = read.take().map_or(Ok(None), |read| read(shard));
            Ok(value.map(|value| Read { value, shard: cell.id, now: shard.now() }))
        });
        match answer {
            Ok(Ok(read)) => return Ok(read?),
            Ok(Err(section)) => {
                if let Some(mut turned) = turned {
                    cell.send(Message::Load(vec![section]));
                    let loaded = before(options.deadline, turned.changed()).await;
                    loaded.ok_or(Error::StoreUnavailable)?.map_err(|_| Error::Draining)?;
                }
                waits = true;
            }
            Err(NotServing) => waits = true,
        }
    }
}

/// Something of every shard of a journal. Shards nobody serves are left out and named.
pub(crate) async fn shards<R>(
    world: &World,
    journal: Journal,
    options: &ReadOptions,
    mut read: impl FnMut(&Shard) -> R,
) -> Result<(Vec<Read<R>>, Vec<ShardId>), Error> {
    let mut reads = Vec::new();
    let mut unreachable = Vec::new();
    for cell in world.cells(journal) {
        match ready(world, cell, options).await {
            Ok(()) => {}
            Err(Error::ShardMoving { shard }) if options.freshness == super::Freshness::Any => {
                unreachable.push(shard);
                continue;
            }
            Err(error) => return Err(error),
        }
        match cell.read(|shard| Read { value: read(shard), shard: cell.id, now: shard.now() }) {
            Ok(read) => reads.push(read),
            Err(NotServing) => unreachable.push(cell.id),
        }
    }
    Ok((reads, unreachable))
}
