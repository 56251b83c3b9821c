//! Lists of first rows: ranked over all products shards, so one node writes each, the one that has the shard its metric's name falls to.
//!
//! They are looked at rather than heard of: a row that changed in another node's shard may move up here. What is equal to what was written
//! last is not written again, but now and then, and whenever a cache was emptied, everything is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use souk_model::journal::Journal;
use souk_model::key::partition_of;
use souk_model::record::DEFAULT_SHOP;
use souk_model::series::{Answer, AnswerRow, Query, Span};
use souk_model::time::Millis;
use souk_model::view::{Catalogue, Entry, Shape};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::budget::Budget;
use super::side::Sink;
use crate::limits::{
    EVALUATION_SHARE, TOP_ALL_EVERY, TOP_EVERY, TOP_LATEST, TOP_NEWEST, TOP_WAIT, TOP_WINDOWS,
};
use crate::ports::{Held, TableWrite};
use crate::read::{self, Freshness, ReadOptions};
use crate::shard::World;

/// What was written last, by view and start of the window: of those looked at since everything was written.
type Written = BTreeMap<(usize, Millis), Vec<AnswerRow>>;

pub(super) async fn publish(
    node: Weak<World>,
    (sinks, budget): (Vec<Sink>, Arc<Budget>),
    emptied: Arc<AtomicBool>,
    mut anew: watch::Receiver<()>,
) {
    let mut written = Written::new();
    let mut catalogue = (None, Arc::<Catalogue>::default());
    let mut all_due = Instant::now();
    loop {
        let began = Instant::now();
        let Some(world) = node.upgrade() else { return };
        let settings = world.settings.load_full();
        if catalogue.0 != Some(settings.hash) {
            catalogue = (Some(settings.hash), Arc::new(Catalogue::of(&settings)));
        }
        let all = began >= all_due || anew.has_changed().unwrap_or_default();
        if all {
            anew.mark_unchanged();
            all_due = began + TOP_ALL_EVERY;
            written.clear();
        }
        for (place, entry) in catalogue.1.entries().iter().enumerate() {
            let Some(answer) = look(&world, entry, all).await else { continue };
            if write(&world, (&sinks, &budget), (place, entry), answer, &mut written).await == Held::Nothing {
                emptied.store(true, Relaxed);
            }
        }
        drop(world);
        sleep((began.elapsed() * EVALUATION_SHARE).clamp(TOP_EVERY, TOP_LATEST)).await;
    }
}

/// The newest windows of a list this node writes. None unless they are whole.
async fn look(world: &Arc<World>, entry: &Entry, all: bool) -> Option<Answer> {
    let top = entry.top?;
    let cells = world.cells(Journal::Products);
    let home = partition_of(entry.metric.name.as_bytes(), cells.len() as u16);
    if !cells[usize::from(home)].is_live() {
        return None;
    }
    let query = Query {
        shop: DEFAULT_SHOP.to_owned(),
        metric: entry.metric.name.clone(),
        key_set: entry.key_set,
        window: Some(entry.window),
        key: None,
        given: Vec::new(),
        span: Span::Last(if all { TOP_WINDOWS } else { TOP_NEWEST }),
        closed_only: false,
        top: Some(top),
    };
    let deadline = Some(Instant::now() + TOP_WAIT);
    let options = ReadOptions { freshness: Freshness::Owner, deadline, ..ReadOptions::default() };
    read::query(world, &query, &options).await.ok().filter(|answer| answer.info.is_complete())
}

async fn write(
    world: &World,
    (sinks, budget): (&[Sink], &Budget),
    (place, entry): (usize, &Entry),
    answer: Answer,
    written: &mut Written,
) -> Held {
    let mut held = Held::All;
    let revision = answer.info.revision;
    for rows in answer.rows.chunk_by(|a, b| a.range == b.range) {
        let name = (place, rows[0].range.start);
        if written.get(&name).is_some_and(|known| known == rows) {
            continue;
        }
        for sink in sinks {
            let done = match (sink, &entry.shape) {
                (Sink::Tables(tables), Shape::Table(shape)) => {
                    let made = rows.iter().flat_map(|row| shape.rows_of(&entry.metric, row, revision));
                    let list: Vec<_> = made.collect();
                    budget.spend(list.len());
                    let count = [(shape.table.name.clone(), list.len() as u64)];
                    let done = tables.write(vec![TableWrite::List(list)]).await;
                    done.map(|()| world.published.wrote(count.into()))
                }
                (Sink::Cache(cache), Shape::Cache(shape)) => {
                    let command = shape.replaced(&entry.metric, rows, revision);
                    let done = cache.write(command.into_iter().collect()).await;
                    done.map(|now| held = if now == Held::Nothing { now } else { held })
                }
                _ => continue,
            };
            // It is looked at again soon.
            if done.is_err() {
                return held;
            }
            written.insert(name, rows.to_vec());
        }
    }
    held
}
