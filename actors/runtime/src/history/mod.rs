//! History: records of the users shards this node carries, written as rows under their ids. Off unless it is asked for.
//!
//! Each shard's partition is read again behind the fold, by a way to the journal of its own, and how far it has come is kept beside the
//! rows. So the fold neither waits for it nor knows of it; a new owner goes on where the last one had come, and writes some rows twice,
//! to the same. A history that is away is asked again, less and less often: what waits for it is in the journal.
//!
//! What is kept is what was reported: events that are in bounds, whatever the fold made of them.

mod rows;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use souk_model::journal::Journal;
use souk_model::owner::Unavailable;
use souk_model::settings::Settings;
use souk_model::view::Table;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::limits::{HISTORY_BYTES, HISTORY_EVERY, HISTORY_PAUSE, HISTORY_READS, HISTORY_SHARDS, READ_WAIT};
use crate::ports::{HistoryAt, HistoryPlace};
use crate::shard::{Cell, World};
use rows::Kept;

/// Starts to keep records, if there is a history to keep them in. Ends with the node.
pub(crate) fn start(world: &Arc<World>) {
    let Some(at) = world.ports.views.history.clone() else { return };
    let shards = world.cells(Journal::Users).iter().map(|_| Places::default()).collect();
    let keeper = Keeper { at, hash: None, tables: Arc::default(), declared: false, shards };
    tokio::spawn(keeper.run(Arc::downgrade(world)));
}

/// The tables of these entries of the settings, as they have to be there.
pub fn tables(settings: &Settings, names: &[String]) -> Vec<Arc<Table>> {
    rows::tables(settings, names).into_iter().map(|kept| kept.table).collect()
}

/// How far a shard is kept, by table. Empty: not asked yet.
type Places = BTreeMap<HistoryPlace, u64>;

struct Keeper {
    at: HistoryAt,
    /// Of the settings the tables are of.
    hash: Option<u64>,
    tables: Arc<Vec<Kept>>,
    declared: bool,
    /// By shard.
    shards: Vec<Places>,
}

impl Keeper {
    async fn run(mut self, node: Weak<World>) {
        let mut rounds = interval(HISTORY_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pause = Duration::ZERO;
        loop {
            rounds.tick().await;
            let Some(world) = node.upgrade() else { return };
            if self.round(&world).await.is_ok() {
                pause = Duration::ZERO;
                continue;
            }
            drop(world);
            pause = (pause * 2).clamp(*HISTORY_PAUSE.start(), *HISTORY_PAUSE.end());
            sleep(pause).await;
        }
    }

    /// Goes on with every shard that is carried here.
    async fn round(&mut self, world: &Arc<World>) -> Result<(), Unavailable> {
        self.look(world);
        if !self.declared && !self.tables.is_empty() {
            let wanted = self.tables.iter().map(|kept| Arc::clone(&kept.table)).collect();
            let may = self.at.history.declare(wanted).await.inspect_err(|_| failed(world))?;
            let tables = self.tables.iter().filter(|kept| may.contains(&kept.table.name));
            self.tables = Arc::new(tables.cloned().collect());
            self.declared = true;
        }
        if self.tables.is_empty() {
            return Ok(());
        }
        let (at, tables) = (&self.at, &self.tables);
        let shards = world.cells(Journal::Users).iter().zip(&mut self.shards);
        let work: Vec<_> = shards.map(|(cell, places)| go_on(world, cell, places, at, tables)).collect();
        let done: Vec<_> = stream::iter(work).buffer_unordered(HISTORY_SHARDS).collect().await;
        world.kept.behind.store(done.iter().flatten().sum(), Relaxed);
        done.into_iter().collect::<Result<Vec<u64>, _>>().map(drop)
    }

    fn look(&mut self, world: &World) {
        let settings = world.settings.load_full();
        if self.hash == Some(settings.hash) {
            return;
        }
        self.hash = Some(settings.hash);
        self.tables = Arc::new(rows::tables(&settings, &self.at.tables));
        self.declared = false;
        self.shards.iter_mut().for_each(Places::clear);
    }
}

fn failed(world: &World) {
    world.kept.failures.fetch_add(1, Relaxed);
}

/// Keeps what a shard has folded since the last time, up to a bound. Answers how many records are still to be looked at.
async fn go_on(
    world: &World,
    cell: &Cell,
    places: &mut Places,
    at: &HistoryAt,
    tables: &Arc<Vec<Kept>>,
) -> Result<u64, Unavailable> {
    if !cell.is_live() {
        places.clear();
        return Ok(0);
    }
    if places.is_empty() && find(cell, places, at, tables).await.inspect_err(|_| failed(world))? == Found::Not
    {
        return Ok(0);
    }
    let folded = || *cell.position.borrow();
    let after = |places: &Places| places.values().copied().min().unwrap_or_default();
    for _ in 0..HISTORY_READS {
        let (from, upto) = (after(places), folded());
        if from >= upto {
            break;
        }
        // A journal that is away holds up the fold as well: it is not the history's to say so.
        let Ok(read) = at.journal.read(cell.id, from + 1, HISTORY_BYTES, READ_WAIT).await else { break };
        let mut entries = read.entries;
        entries.retain(|entry| entry.offset <= upto);
        let Some(last) = entries.last().map(|entry| entry.offset) else { break };
        let made = Arc::clone(tables);
        // Decoding and writing JSON takes its time: not that of a thread that folds.
        let Ok(made) = tokio::task::spawn_blocking(move || rows::of(&made, &entries)).await else { break };
        keep(world, places, at, made, last).await.inspect_err(|_| failed(world))?;
    }
    Ok(folded().saturating_sub(after(places)))
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    All,
    /// The journal does not answer.
    Not,
}

/// Asks how far a shard is kept.
async fn find(
    cell: &Cell,
    places: &mut Places,
    at: &HistoryAt,
    tables: &[Kept],
) -> Result<Found, Unavailable> {
    let Ok(ends) = at.journal.ends(cell.id).await else { return Ok(Found::Not) };
    let mut found = Places::new();
    for kept in tables {
        let table = kept.table.name.clone();
        let place = HistoryPlace { table, shard: cell.id, topic_id: ends.topic_id };
        let upto = at.history.kept(&place).await?;
        found.insert(place, upto);
    }
    *places = found;
    Ok(Found::All)
}

/// Writes rows, then notes that all up to `last` is written.
async fn keep(
    world: &World,
    places: &mut Places,
    at: &HistoryAt,
    mut rows: Vec<crate::ports::HistoryRow>,
    last: u64,
) -> Result<(), Unavailable> {
    let upto = |places: &Places, table: &str| {
        places.iter().find(|(place, _)| place.table == table).map_or(0, |(_, upto)| *upto)
    };
    // A table that was added later is behind the others.
    rows.retain(|row| row.offset > upto(places, &row.table.name));
    let mut wrote = BTreeMap::<String, u64>::new();
    for row in &rows {
        *wrote.entry(row.table.name.clone()).or_default() += 1;
    }
    if !rows.is_empty() {
        at.history.write(rows).await?;
        world.kept.wrote(wrote);
    }
    for (place, upto) in places.iter_mut().filter(|(_, upto)| **upto < last) {
        at.history.keep(place, last).await?;
        *upto = last;
    }
    Ok(())
}
