//! Products shards that answer one query together, wherever they are: here, on other nodes, and, where no owner answers, in their last
//! cuts. They agree on a moment first, see [`series::gather()`].

use std::sync::Arc;

use futures_util::future::try_join_all;
use souk_model::owner::Fold as _;
use souk_model::series::{self, Answer, Moment, Query, QueryError, SeriesBook};
use souk_model::shard::Shard;
use souk_proto::internal::v1::read_series::Step;

use super::hunt::Hunt;
use super::metrics::{Asked, heard, with_series};
use super::wait::ready;
use super::{ReadOptions, cut, kept};
use crate::Error;
use crate::far::{self, Failed, Parts};
use crate::shard::{Cell, Place, World};

#[derive(Debug, Default)]
pub(crate) struct Group<'a> {
    here: Vec<&'a Arc<Cell>>,
    /// By node.
    there: Vec<Vec<(&'a Arc<Cell>, Place)>>,
    cuts: Vec<&'a Arc<Cell>>,
}

impl<'a> Group<'a> {
    /// Owners of all of them, once all serve.
    pub(super) async fn of_owners(
        world: &World,
        cells: &'a [Arc<Cell>],
        options: &ReadOptions,
    ) -> Result<Self, Error> {
        let places = cells.iter().map(|cell| async move {
            let mut hunt = Hunt::new(world, cell, options.deadline);
            let place = hunt.place().await?;
            if place.is_none() {
                ready(world, cell, options).await?;
                heard(cell, &options.min_position, options).await?;
            }
            Ok::<_, Error>((cell, place))
        });
        let mut group = Self::default();
        for (cell, place) in try_join_all(places).await? {
            match place {
                None => group.here.push(cell),
                Some(place) => group.put(cell, place),
            }
        }
        Ok(group)
    }

    /// The owners that are known to answer, and the last cuts of the rest.
    pub(super) fn of_whoever_answers(world: &World, cells: &'a [Arc<Cell>]) -> Self {
        let mut group = Self::default();
        for cell in cells {
            match cell.whereabouts.known().filter(|place| !world.is_silent(&place.address)) {
                _ if cell.is_live() => group.here.push(cell),
                Some(place) => group.put(cell, place),
                None => group.cuts.push(cell),
            }
        }
        group
    }

    fn put(&mut self, cell: &'a Arc<Cell>, place: Place) {
        let same =
            |node: &&mut Vec<(_, Place)>| node.first().is_some_and(|(_, at)| at.address == place.address);
        match self.there.iter_mut().find(same) {
            Some(node) => node.push((cell, place)),
            None => self.there.push(vec![(cell, place)]),
        }
    }

    pub(super) async fn ask(
        &self,
        world: &World,
        query: &Query,
        options: &ReadOptions,
    ) -> Result<Answer, Failed> {
        let count = self.here.len() + self.there.iter().map(Vec::len).sum::<usize>() + self.cuts.len();
        if count == 1 {
            let alone = self.step(world, query, options, Step::Alone, Moment::default()).await?;
            return alone.answers.into_iter().next().ok_or(Failed::Elsewhere);
        }
        let high_water = self.step(world, query, options, Step::HighWater, Moment::default()).await?;
        let moment = Moment { high_water: high_water.least, newest: None };
        let newest = self.step(world, query, options, Step::Newest, moment).await?.greatest;
        let moment = Moment { newest, ..moment };
        let rows = self.step(world, query, options, Step::Rows, moment).await?;
        Ok(series::gather(query, rows.answers))
    }

    /// One step, of all of them at once.
    async fn step(
        &self,
        world: &World,
        query: &Query,
        options: &ReadOptions,
        step: Step,
        moment: Moment,
    ) -> Result<Parts, Failed> {
        let there = self.there.iter().map(|node| far::series(world, node, query, options, step, moment));
        let cuts = self.cuts.iter().map(|cell| of_cut(world, cell, query, step, moment));
        let (there, cuts) = tokio::try_join!(try_join_all(there), try_join_all(cuts))?;
        let mut parts = Parts::default();
        for cell in &self.here {
            let part = with_series(cell, |series| part_of(series, query, step, moment));
            parts.add(part.map_err(|asked| match asked {
                Asked::NotServing => Failed::Elsewhere,
                Asked::Failed(error) => Failed::Query(error),
            })?);
        }
        there.into_iter().chain(cuts).for_each(|part| parts.add(part));
        Ok(parts)
    }
}

/// What one book answers in one step.
pub(crate) fn part_of(
    series: &SeriesBook,
    query: &Query,
    step: Step,
    moment: Moment,
) -> Result<Parts, QueryError> {
    let mut parts = Parts::default();
    match step {
        Step::HighWater => parts.add_least(series.high_water()),
        Step::Newest => parts.greatest = series.newest(query, moment.high_water)?,
        Step::Rows => parts.answers.push(series.query_at(query, &moment)?),
        Step::Alone | Step::Unspecified => parts.answers.push(series.query(query)?),
    }
    Ok(parts)
}

async fn of_cut(
    world: &World,
    cell: &Arc<Cell>,
    query: &Query,
    step: Step,
    moment: Moment,
) -> Result<Parts, Failed> {
    let sections = |shard: &Shard| shard.needed_at_start();
    let look = |shard: &Shard| {
        let part = shard.as_products().map(|shard| part_of(shard.series(), query, step, moment));
        (part, Arc::clone(shard.settings()))
    };
    let ((part, settings), taken) = cut::read(world, cell, sections, look).await.map_err(Failed::Error)?;
    let mut part = part.ok_or(Failed::Elsewhere)?.map_err(Failed::Query)?;
    part.answers.iter_mut().for_each(|answer| answer.info.origin = taken.origin);
    if let (Step::Alone, [answer]) = (step, part.answers.as_mut_slice())
        && let Some(place) = kept::Place::of(query, &settings, taken.topic_id)
        && let Some(fresher) = place.fresher(world, answer).await
    {
        *answer = fresher;
    }
    Ok(part)
}
