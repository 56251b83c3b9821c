//! Reads of metrics: asked of the products shards that hold the rows, joined into one answer.

use std::sync::Arc;

use souk_model::journal::{Journal, ShardId};
use souk_model::series::{self, Answer, Query, QueryError};

use super::ReadOptions;
use super::wait::{before, ready};
use crate::error::Undeclared;
use crate::shard::{Cell, NotServing, World};
use crate::watch::shards_of_query;
use crate::{Error, Position};

pub(crate) async fn query(world: &Arc<World>, query: &Query, options: &ReadOptions) -> Result<Answer, Error> {
    let mut parts = Vec::new();
    // Sources must be at the position before series can be: their tallies leave at once while somebody waits.
    let _interest = (!options.min_position.is_empty()).then(|| world.interest());
    for partition in shards_of_query(world.partitions.products, query) {
        let Some(cell) = world.cells(Journal::Products).get(usize::from(partition)) else { continue };
        let answer = loop {
            ready(world, cell, options).await?;
            heard(cell, &options.min_position, options).await?;
            let answer = cell.read(|shard| shard.as_products().map(|shard| shard.series().query(query)));
            match answer {
                Ok(Some(answer)) => break answer.map_err(|error| query_error(world, query, error))?,
                Ok(None) | Err(NotServing) => {}
            }
        };
        parts.push((partition, answer));
    }
    Ok(series::gather(query, parts))
}

/// Waits until the series hold what the sources had folded at a position.
async fn heard(cell: &Cell, position: &Position, options: &ReadOptions) -> Result<(), Error> {
    let wanted = |shard: &ShardId| (shard.journal == Journal::Users).then_some(usize::from(shard.partition));
    let wanted: Vec<(usize, u64)> =
        position.0.iter().filter_map(|(shard, offset)| Some((wanted(shard)?, *offset))).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let lacking = || {
        let lacking = cell.read(|shard| {
            let sources = shard.as_products().map(|shard| shard.series().sources()).unwrap_or_default();
            wanted.iter().copied().find_map(|(source, offset)| {
                let at = sources.get(source).map_or(0, |source| source.position());
                (at < offset).then_some((source, at, offset))
            })
        });
        lacking.ok().flatten()
    };
    let mut turned = cell.turned.subscribe();
    let reached = async {
        while lacking().is_some() {
            if turned.changed().await.is_err() {
                return;
            }
        }
    };
    if before(options.deadline, reached).await.is_some() {
        return Ok(());
    }
    match lacking() {
        None => Ok(()),
        Some((source, at, wanted)) => {
            Err(Error::PositionNotReached { shard: ShardId::users(source as u16), at, wanted })
        }
    }
}

fn query_error(world: &World, query: &Query, error: QueryError) -> Error {
    let settings = world.settings.load();
    let metric = settings.metric(&query.metric);
    let declared = |what, declared| Error::NotDeclared { metric: query.metric.clone(), what, declared };
    match error {
        QueryError::MetricUnknown(name) => {
            Error::MetricUnknown { near: settings.nearest_metric(&name).map(str::to_owned).into_iter().collect(), name }
        }
        QueryError::WindowUnknown => declared(
            Undeclared::Window,
            metric.map(|metric| metric.windows.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        ),
        QueryError::KeyUnknown => declared(
            Undeclared::KeySet,
            metric
                .map(|metric| {
                    let names = |set: &Vec<souk_model::metric::Dimension>| {
                        set.iter().map(souk_model::metric::Dimension::name).collect::<Vec<_>>().join(" + ")
                    };
                    metric.key_sets.iter().map(names).collect()
                })
                .unwrap_or_default(),
        ),
        QueryError::Damaged(error) => Error::State(error),
    }
}
