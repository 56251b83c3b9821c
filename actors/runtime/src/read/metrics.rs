//! Reads of metrics: asked of the products shards that hold the rows, joined into one answer.

use std::sync::Arc;

use souk_model::journal::{Journal, ShardId};
use souk_model::key::partition_of;
use souk_model::series::{self, Answer, Moment, Query, QueryError, SeriesBook};
use souk_model::time::Millis;

use super::ReadOptions;
use super::group::Group;
use super::wait::before;
use crate::error::Undeclared;
use crate::far::Failed;
use crate::limits::HUNT_PAUSE;
use crate::shard::{Cell, NotServing, World};
use crate::{Error, Position};

pub(crate) async fn query(world: &Arc<World>, query: &Query, options: &ReadOptions) -> Result<Answer, Error> {
    let cells = cells_of(world, query);
    // Sources must be at the position before series can be: their tallies leave at once while somebody waits.
    let _interest = (!options.min_position.is_empty()).then(|| world.interest());
    // Most questions can be answered at once: whether they can is asked with them.
    if !options.waits() {
        match ask(cells, query) {
            Ok(answer) => return Ok(answer),
            Err(Asked::Failed(error)) => return Err(query_error(world, query, error)),
            Err(Asked::NotServing) => {}
        }
    }
    let for_owner = options.for_owner(cells);
    let moving = loop {
        let failed = match Group::of_owners(world, cells, &for_owner).await {
            Ok(group) => match group.ask(world, query, &for_owner).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            },
            Err(error) => Failed::Error(error),
        };
        match failed {
            Failed::Query(error) => return Err(query_error(world, query, error)),
            Failed::Error(moving @ Error::ShardMoving { .. }) => break moving,
            Failed::Error(error) => return Err(error),
            Failed::Elsewhere => tokio::time::sleep(HUNT_PAUSE).await,
        }
    };
    if !options.may_be_stale() {
        return Err(moving);
    }
    Group::of_whoever_answers(world, cells).ask(world, query, &for_owner).await.map_err(|_| moving)
}

/// Products shards that hold rows of a query; one is enough where it names a key.
pub(crate) fn cells_of<'a>(world: &'a World, query: &Query) -> &'a [Arc<Cell>] {
    let cells = world.cells(Journal::Products);
    match &query.key {
        Some(values) => {
            let text = query.text_of(values);
            std::slice::from_ref(&cells[usize::from(partition_of(text.as_bytes(), cells.len() as u16))])
        }
        None => cells,
    }
}

/// Why shards did not answer together.
#[derive(Debug)]
pub(crate) enum Asked {
    NotServing,
    Failed(QueryError),
}

impl From<NotServing> for Asked {
    fn from(NotServing: NotServing) -> Self {
        Self::NotServing
    }
}

/// Asks several shards as one: they agree on a moment first. See [`series::gather()`]. One alone needs no agreement.
pub(crate) fn ask(cells: &[Arc<Cell>], query: &Query) -> Result<Answer, Asked> {
    if let [cell] = cells {
        return with_series(cell, |series| series.query(query));
    }
    let mut high_water = Some(Millis::MAX);
    for cell in cells {
        high_water = high_water.min(with_series(cell, |series| Ok(series.high_water()))?);
    }
    let mut newest = None;
    for cell in cells {
        newest = newest.max(with_series(cell, |series| series.newest(query, high_water))?);
    }
    let moment = Moment { high_water, newest };
    let parts = cells.iter().map(|cell| with_series(cell, |series| series.query_at(query, &moment)));
    Ok(series::gather(query, parts.collect::<Result<_, _>>()?))
}

pub(super) fn with_series<R>(
    cell: &Cell,
    read: impl FnOnce(&SeriesBook) -> Result<R, QueryError>,
) -> Result<R, Asked> {
    let read = cell.read(|shard| shard.as_products().map(|shard| read(shard.series())))?;
    read.ok_or(Asked::NotServing)?.map_err(Asked::Failed)
}

/// Waits until the series hold what the sources had folded at a position.
pub(crate) async fn heard(cell: &Cell, position: &Position, options: &ReadOptions) -> Result<(), Error> {
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
                let at = sources.get(source).map_or(0, |source| source.upto);
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
        QueryError::MetricUnknown(name) => Error::MetricUnknown {
            near: settings.nearest_metric(&name).map(str::to_owned).into_iter().collect(),
            name,
        },
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
