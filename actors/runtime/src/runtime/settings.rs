//! Settings: configuration only proposes a Settings record; what counts is in the log. DESIGN section 1.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::owner::{Fold as _, Unavailable};
use souk_model::settings::Settings;
use souk_proto::journal::v1 as journal;
use tokio::time::Instant;

use crate::limits::{LOOK_AGAIN, PROPOSALS};
use crate::ports::{Appended, NewRecord};
use crate::read::{self, Freshness, ReadOptions};
use crate::shard::World;
use crate::{Error, Position};

/// The first record of every partition of a new journal says by which settings it is folded, whatever later builds bring along. In a topic
/// that was adopted it comes after what others wrote before, which is folded by the built-in ones.
pub(super) async fn found(world: &World) -> Result<(), Error> {
    let settings = world.settings.load_full();
    let mut unsaid = Vec::new();
    for cell in world.every_cell() {
        let ends = world.ports.journal.ends(cell.id).await;
        let ends = ends.map_err(|Unavailable| Error::JournalUnavailable)?;
        if ends.end == 0 || (ends.origin.is_some() && is_new(world, cell.id).await?) {
            unsaid.push(cell.id);
        }
    }
    append(world, &settings, 1, &unsaid).await.map(drop)
}

/// Whether nobody ever folded the shard: of an adopted topic its end does not tell. Said twice, settings change nothing.
async fn is_new(world: &World, shard: ShardId) -> Result<bool, Error> {
    let manifest = world.ports.store.manifest(shard).await;
    manifest.map(|found| found.is_none()).map_err(|Unavailable| Error::ShardMoving { shard })
}

/// Proposes the configured settings once all shards serve, if others are in force.
pub(super) async fn propose_at_start(world: Arc<World>) {
    let wanted = world.config.settings.clone();
    // Shards are taken over, here and elsewhere; what stands in their way is told by them.
    while let Err(error) = apply(&world, &wanted, false, None).await {
        if *world.hub.draining.borrow() {
            return;
        }
        if let Error::Settings(error) = error {
            tracing::error!(%error, "the configured settings were not taken; those in force stay");
            return;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

pub(super) async fn apply(
    world: &Arc<World>,
    toml: &str,
    dry_run: bool,
    deadline: Option<Instant>,
) -> Result<(Vec<String>, u64, Position), Error> {
    let settings = Settings::layered(toml).map_err(Error::Settings)?;
    let mut position = Position::default();
    let mut changes = Vec::new();
    // A record that reached some partitions only is proposed again to those that lack it.
    for _ in 0..PROPOSALS {
        let standing = standing(world, deadline).await?;
        let others: Vec<&InForce> =
            standing.iter().filter(|now| now.settings.hash != settings.hash).collect();
        if others.is_empty() {
            return Ok((changes, settings.hash, position));
        }
        if changes.is_empty() {
            changes = settings.changes_from(&others[0].settings).map_err(Error::Settings)?;
        }
        if dry_run {
            return Ok((changes, settings.hash, position));
        }
        let newest = standing.iter().map(|now| now.revision).max().unwrap_or_default();
        let same =
            standing.iter().filter(|now| now.settings.hash == settings.hash).map(|now| now.revision).max();
        let revision = same.filter(|same| *same == newest).unwrap_or(newest + 1);
        let shards: Vec<ShardId> = others.iter().map(|now| now.shard).collect();
        for (shard, offset) in append(world, &settings, revision, &shards).await?.0 {
            position.reach(shard, offset);
            reached(world, shard, offset, deadline).await?;
        }
    }
    Err(Error::OutcomeUnknown)
}

/// Settings as one shard has them.
struct InForce {
    shard: ShardId,
    settings: Arc<Settings>,
    revision: u64,
}

async fn standing(world: &World, deadline: Option<Instant>) -> Result<Vec<InForce>, Error> {
    let options = ReadOptions { freshness: Freshness::Owner, deadline, ..ReadOptions::default() };
    let mut standing = Vec::new();
    for journal in [Journal::Users, Journal::Products] {
        let (reads, _) = read::shards(world, journal, &options, |shard| InForce {
            shard: shard.id(),
            settings: Arc::clone(shard.settings()),
            revision: shard.settings_revision(),
        })
        .await?;
        standing.extend(reads.into_iter().map(|read| read.value));
    }
    Ok(standing)
}

/// Waits until a shard has taken its record, wherever it is.
async fn reached(world: &World, shard: ShardId, offset: u64, deadline: Option<Instant>) -> Result<(), Error> {
    let min_position = Position::at(shard, offset);
    let options = ReadOptions { min_position, freshness: Freshness::Owner, deadline };
    let Some(cell) = world.cell(shard) else { return Ok(()) };
    read::shard(world, cell, &options, &mut |_| ()).await.map(drop)
}

async fn append(
    world: &World,
    settings: &Settings,
    revision: u64,
    shards: &[ShardId],
) -> Result<Position, Error> {
    let body = Some(journal::record::Body::Settings(settings.record(revision)));
    let bytes: Bytes = journal::Record { body }.encode_to_vec().into();
    let records = shards.iter().map(|shard| NewRecord { shard: *shard, bytes: bytes.clone() }).collect();
    let became = world.ports.journal.append(records).await;
    let mut position = Position::default();
    for (became, shard) in became.into_iter().zip(shards) {
        match became {
            Appended::At { offset, .. } => position.reach(*shard, offset),
            Appended::Refused(refused) => return Err(refused.into()),
            Appended::Unknown => return Err(Error::OutcomeUnknown),
        }
    }
    Ok(position)
}
