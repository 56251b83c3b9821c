//! Reads of users, products and whole shards: of the owner here, of the owner elsewhere, or of the last cut while there is none.

use std::sync::Arc;

use souk_model::actor::{Actor, StateError};
use souk_model::journal::{Journal, ShardId};
use souk_model::key::ActorKey;
use souk_model::origin::Origin;
use souk_model::owner::Fold as _;
use souk_model::product::Product;
use souk_model::shard::Shard;
use souk_model::user::User;

use super::hunt::Hunt;
use super::wait::{before, ready};
use super::{Freshness, Read, ReadOptions, Standing, cut};
use crate::Error;
use crate::far::{self, Failed};
use crate::shard::{Cell, Message, NotServing, World};

/// An actor as its shard keeps it.
pub(crate) trait Kept: Actor {
    const JOURNAL: Journal;

    /// Reads one whose bucket is loaded.
    fn look<R>(shard: &Shard, key: &ActorKey, read: impl FnOnce(&Self) -> R)
    -> Result<Option<R>, StateError>;
}

impl Kept for User {
    const JOURNAL: Journal = Journal::Users;

    fn look<R>(
        shard: &Shard,
        key: &ActorKey,
        read: impl FnOnce(&Self) -> R,
    ) -> Result<Option<R>, StateError> {
        shard.as_users().map_or(Ok(None), |users| users.user(key, read))
    }
}

impl Kept for Product {
    const JOURNAL: Journal = Journal::Products;

    fn look<R>(
        shard: &Shard,
        key: &ActorKey,
        read: impl FnOnce(&Self) -> R,
    ) -> Result<Option<R>, StateError> {
        shard.as_products().map_or(Ok(None), |products| products.product(key, read))
    }
}

/// Reads an actor, wherever its shard is; nobody has heard of it: none.
pub(crate) async fn actor<A: Kept, R>(
    world: &World,
    key: &ActorKey,
    options: &ReadOptions,
    read: impl FnOnce(&A, Standing<'_>) -> R,
) -> Result<Read<Option<R>>, Error> {
    let cell = world.home(A::JOURNAL, key);
    let mut read = Some(read);
    // Most reads find what they look for here and now.
    if !options.waits()
        && let Look::Found(answer) = at_once(cell, key, &mut read)?
    {
        return Ok(answer);
    }
    let for_owner = options.for_owner(std::slice::from_ref(cell));
    let mut hunt = Hunt::new(world, cell, for_owner.deadline);
    let moving = loop {
        let failed = match hunt.place().await {
            Err(error) => break error,
            Ok(None) => match here(world, cell, key, options, &for_owner, &mut read).await {
                Err(Error::ShardMoving { .. }) => Failed::Elsewhere,
                answer => return answer,
            },
            Ok(Some(place)) => {
                match far::actor(world, cell, &place, key, options, for_owner.deadline, &mut read).await {
                    Err(failed) => failed,
                    Ok(answer) => return Ok(answer),
                }
            }
        };
        if let Some(error) = failed.error(cell.id) {
            return Err(error);
        }
        if let Err(moving) = hunt.missed().await {
            break moving;
        }
    };
    match read.filter(|_| options.may_be_stale()) {
        Some(read) => of_cut(world, cell, key, read).await.map_err(|_| moving),
        None => Err(moving),
    }
}

/// Reads an actor of a shard that this node carries. `for_owner` says how long an owner is waited for, `options` how long its answer.
pub(crate) async fn here<A: Kept, R>(
    world: &World,
    cell: &Arc<Cell>,
    key: &ActorKey,
    options: &ReadOptions,
    for_owner: &ReadOptions,
    read: &mut Option<impl FnOnce(&A, Standing<'_>) -> R>,
) -> Result<Read<Option<R>>, Error> {
    let mut waits = options.waits();
    loop {
        if waits {
            ready(world, cell, for_owner).await?;
        }
        // Before the look: a load that ends in between is not missed. Most looks find what they look for.
        let turned = waits.then(|| cell.turned.subscribe());
        match at_once(cell, key, read)? {
            Look::Found(read) => return Ok(read),
            Look::Unloaded(section) => {
                if let Some(mut turned) = turned {
                    cell.send(Message::Load(vec![section]));
                    let loaded = before(options.deadline, turned.changed()).await;
                    loaded.ok_or(Error::StoreUnavailable)?.map_err(|_| Error::Draining)?;
                }
                waits = true;
            }
            Look::NotServing => waits = true,
        }
    }
}

/// What the owner here has to say of an actor at once.
enum Look<R> {
    Found(Read<Option<R>>),
    /// The section to be loaded.
    Unloaded(u16),
    NotServing,
}

fn at_once<A: Kept, R>(
    cell: &Cell,
    key: &ActorKey,
    read: &mut Option<impl FnOnce(&A, Standing<'_>) -> R>,
) -> Result<Look<R>, StateError> {
    let looked = cell.read(|shard| {
        if !shard.is_loaded(key) {
            return Ok(Look::Unloaded(shard.section_of(key)));
        }
        let value = read.take().map_or(Ok(None), |read| look(shard, key, read))?;
        Ok(Look::Found(Read { value, shard: cell.id, now: shard.now(), origin: Origin::Owner }))
    });
    looked.unwrap_or(Ok(Look::NotServing))
}

fn look<A: Kept, R>(
    shard: &Shard,
    key: &ActorKey,
    read: impl FnOnce(&A, Standing<'_>) -> R,
) -> Result<Option<R>, StateError> {
    let standing = Standing { settings: shard.settings(), now: shard.now() };
    A::look(shard, key, |actor| read(actor, standing))
}

async fn of_cut<A: Kept, R>(
    world: &World,
    cell: &Arc<Cell>,
    key: &ActorKey,
    read: impl FnOnce(&A, Standing<'_>) -> R,
) -> Result<Read<Option<R>>, Error> {
    let sections = |shard: &Shard| vec![shard.section_of(key)];
    let look = |shard: &Shard| (look(shard, key, read), shard.now());
    let ((value, now), taken) = cut::read(world, cell, sections, look).await?;
    Ok(Read { value: value?, shard: cell.id, now, origin: taken.origin })
}

/// Something of every shard of a journal. Shards nobody answers for are left out and named.
pub(crate) async fn shards<R>(
    world: &World,
    journal: Journal,
    options: &ReadOptions,
    mut read: impl FnMut(&Shard) -> R,
) -> Result<(Vec<Read<R>>, Vec<ShardId>), Error> {
    let mut reads = Vec::new();
    let mut unreachable = Vec::new();
    for cell in world.cells(journal) {
        match shard(world, cell, options, &mut read).await {
            Ok(read) => reads.push(read),
            Err(Error::ShardMoving { shard }) if options.freshness == Freshness::Any => {
                unreachable.push(shard);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((reads, unreachable))
}

/// Something of one shard, which on another node or of a cut is without its actors.
pub(crate) async fn shard<R>(
    world: &World,
    cell: &Arc<Cell>,
    options: &ReadOptions,
    read: &mut impl FnMut(&Shard) -> R,
) -> Result<Read<R>, Error> {
    let for_owner = options.for_owner(std::slice::from_ref(cell));
    let mut hunt = Hunt::new(world, cell, for_owner.deadline);
    let of = |value, shard: &Shard, origin| Read { value, shard: shard.id(), now: shard.now(), origin };
    let moving = loop {
        let failed = match hunt.place().await {
            Err(error) => break error,
            Ok(None) => match ready(world, cell, &for_owner).await {
                Err(Error::ShardMoving { .. }) => Failed::Elsewhere,
                Err(error) => return Err(error),
                Ok(()) => match cell.read(|shard| of(read(shard), shard, Origin::Owner)) {
                    Ok(read) => return Ok(read),
                    Err(NotServing) => Failed::Elsewhere,
                },
            },
            Ok(Some(place)) => match far::copy(world, cell, &place, options, for_owner.deadline).await {
                Ok(shard) => return Ok(of(read(&shard), &shard, Origin::Owner)),
                Err(failed) => failed,
            },
        };
        if let Some(error) = failed.error(cell.id) {
            return Err(error);
        }
        if let Err(moving) = hunt.missed().await {
            break moving;
        }
    };
    if !options.may_be_stale() {
        return Err(moving);
    }
    let look = |shard: &Shard| of(read(shard), shard, Origin::Owner);
    let (value, taken) = cut::read(world, cell, |_| Vec::new(), look).await.map_err(|_| moving)?;
    Ok(Read { origin: taken.origin, ..value })
}
