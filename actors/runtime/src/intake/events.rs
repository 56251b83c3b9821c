//! A batch's way in: each event decoded once, judged by itself, keyed, stamped, put on the wire; then one append for the whole batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::record::{self, KIND_NAMES, Record};
use souk_model::shard::Decoded;
use souk_model::verdict::{Reason, Refusal, Verdict};
use souk_proto::v1;
use tokio::time::Instant;

use super::order::Turn;
use super::record::Given;
use super::stamps::{self, Stamps};
use super::{Fate, Level, Outcome, Publication, Published};
use crate::far;
use crate::limits::{EVENTS_PER_BATCH, RETRY_AFTER, UNFOLDED_RECORDS};
use crate::ports::{Appended, NewRecord, Refused};
use crate::read::said_here;
use crate::runtime::Runtime;
use crate::shard::{Batch, Waiting, Word};
use crate::{Error, Position};

/// Appends a batch, and answers as its level asks.
pub(crate) async fn publish(
    runtime: &Runtime,
    batch: Publication,
    deadline: Option<Instant>,
) -> Result<Published, Error> {
    admit(runtime, &batch)?;
    let turn = batch.order.turn().await.ok_or(Error::JournalUnavailable)?;
    let came_in = Instant::now();
    let world = runtime.world();
    let received = batch.events.len() as u64;
    world.tallies.received.fetch_add(received, Ordering::Relaxed);
    let mut accepted = Accepted::default();
    let mut outcomes = Vec::with_capacity(batch.events.len());
    let mut stamps = Stamps::default();
    for bytes in &batch.events {
        let mut judged = match judge(runtime, &batch.shop, bytes) {
            Ok(judged) => judged,
            Err(outcome) => {
                world.tallies.rejected.fetch_add(1, Ordering::Relaxed);
                outcomes.push(outcome);
                continue;
            }
        };
        let mut event_id = String::new();
        if let Ok(Record::Event(event)) = &mut judged.decoded.record {
            if stamps::is_wanted(&event.event) {
                event.stamps = stamps.of(runtime, event).await;
            }
            // Nobody could tell later which id was given to an event that turns out to be a problem.
            if batch.with_ids || (judged.given_id && batch.level == Level::Applied) {
                event_id.clone_from(&event.event.event_id);
            }
        }
        accepted.push(runtime, outcomes.len(), bytes, judged);
        outcomes.push(Outcome { event_id, fate: Fate::Accepted });
    }
    if accepted.records.is_empty() {
        turn.used();
        return Ok(Published { outcomes, position: Position::default() });
    }
    let waiting = match batch.level {
        Level::Logged => BTreeMap::new(),
        Level::Applied => accepted.wait(runtime, deadline).await?,
    };
    let (position, appended) = accepted.append(runtime, turn, came_in).await?;
    if batch.level == Level::Applied {
        judged(runtime, &waiting, &appended, &position, deadline, &mut outcomes).await?;
        name_problems(&batch, &mut outcomes);
    }
    Ok(Published { outcomes, position })
}

/// Says what intake would refuse; appends nothing.
pub(crate) fn validate(runtime: &Runtime, batch: &Publication) -> Result<Published, Error> {
    too_many(batch)?;
    let outcomes = batch.events.iter().map(|bytes| match judge(runtime, &batch.shop, bytes) {
        Ok(judged) => {
            let event_id = judged.event().map(|event| event.event.event_id.clone()).unwrap_or_default();
            Outcome { event_id, fate: Fate::Accepted }
        }
        Err(outcome) => outcome,
    });
    Ok(Published { outcomes: outcomes.collect(), position: Position::default() })
}

fn too_many(batch: &Publication) -> Result<(), Error> {
    if batch.events.len() > EVENTS_PER_BATCH {
        let message = format!("at most {EVENTS_PER_BATCH} events a message");
        return Err(Error::Refused(Refusal::new(Reason::TooManyItems, "events", message)));
    }
    Ok(())
}

/// Sheds at the door: before anything is decoded.
fn admit(runtime: &Runtime, batch: &Publication) -> Result<(), Error> {
    too_many(batch)?;
    let world = runtime.world();
    if *world.hub.draining.borrow() {
        return Err(Error::Draining);
    }
    let mut here = world.cells(Journal::Users).iter().filter(|cell| cell.is_here());
    let shed = here.any(|cell| {
        let folded = *cell.position.borrow();
        cell.appended.load(Ordering::Relaxed).saturating_sub(folded) > UNFOLDED_RECORDS
    });
    if shed {
        world.tallies.shed.fetch_add(1, Ordering::Relaxed);
        return Err(Error::Overloaded { retry_after: RETRY_AFTER });
    }
    Ok(())
}

/// An event that may go into a journal, as it will stand there.
struct Judged {
    /// Boxed once: from here to its fold it is handed on by many.
    decoded: Box<Decoded>,
    given_id: bool,
    given_shop: bool,
}

impl Judged {
    fn event(&self) -> Option<&record::Event> {
        match &self.decoded.record {
            Ok(Record::Event(event)) => Some(event),
            _ => None,
        }
    }
}

fn judge(runtime: &Runtime, shop: &str, bytes: &Bytes) -> Result<Judged, Outcome> {
    let rejected = |event_id: String, refusal| Outcome { event_id, fate: Fate::Rejected(refusal) };
    let mut event = v1::Event::decode(bytes.clone()).map_err(|error| {
        rejected(String::new(), Refusal::new(Reason::PayloadUndecodable, "", error.to_string()))
    })?;
    let given_id = event.event_id.is_empty();
    if given_id {
        event.event_id = runtime.next_event_id();
    }
    let given_shop = event.shop.is_empty() && shop != record::DEFAULT_SHOP;
    if given_shop {
        shop.clone_into(&mut event.shop);
    }
    match record::take_event(event, Vec::new()) {
        Ok(event) => {
            let decoded = Box::new(Decoded { record: Ok(Record::Event(event)), is_event: true });
            Ok(Judged { decoded, given_id, given_shop })
        }
        Err(refused) => {
            let (event, refusal) = *refused;
            Err(rejected(event.event_id, refusal))
        }
    }
}

/// Events on their way into the journals, in one buffer.
#[derive(Default)]
struct Accepted {
    buffer: BytesMut,
    records: Vec<Leaving>,
    /// How many of each kind.
    kinds: [u64; KIND_NAMES.len()],
}

struct Leaving {
    /// Place in the batch.
    place: usize,
    shard: ShardId,
    /// Its record's end in the buffer.
    end: usize,
    decoded: Box<Decoded>,
}

/// Where a record of the batch went.
struct Landed {
    place: usize,
    shard: ShardId,
    offset: u64,
}

impl Accepted {
    fn push(&mut self, runtime: &Runtime, place: usize, bytes: &Bytes, judged: Judged) {
        let Some(event) = judged.event() else { return };
        let given = Given {
            event_id: if judged.given_id { &event.event.event_id } else { "" },
            shop: if judged.given_shop { &event.event.shop } else { "" },
        };
        if let Some(kind) = &event.event.kind {
            self.kinds[record::kind_place(kind)] += 1;
        }
        super::record::put(bytes, given, &event.stamps, &mut self.buffer);
        let shard = runtime.world().home(event.journal(), &event.key).id;
        self.records.push(Leaving { place, shard, end: self.buffer.len(), decoded: judged.decoded });
    }

    /// Somebody waits at the desk of each shard it goes to, wherever that is.
    async fn wait<'a>(
        &self,
        runtime: &'a Runtime,
        deadline: Option<Instant>,
    ) -> Result<BTreeMap<ShardId, Waiting<'a>>, Error> {
        let shards: BTreeSet<ShardId> = self.records.iter().map(|leaving| leaving.shard).collect();
        let world = runtime.world();
        let mut waiting = BTreeMap::new();
        for cell in shards.into_iter().filter_map(|shard| world.cell(shard)) {
            waiting.insert(cell.id, cell.desk.wait());
            if !cell.answers_here() {
                far::man(world, cell, deadline).await?;
            }
        }
        Ok(waiting)
    }

    /// Appends all of it. The next batch of the order has its turn as soon as this one stands in the journal's queue.
    async fn append(
        self,
        runtime: &Runtime,
        turn: Turn,
        came_in: Instant,
    ) -> Result<(Position, Vec<Landed>), Error> {
        let world = runtime.world();
        let bytes = self.buffer.freeze();
        let _room = runtime.room_for(bytes.len())?;
        let mut from = 0;
        let mut records = Vec::with_capacity(self.records.len());
        for leaving in &self.records {
            records.push(NewRecord { shard: leaving.shard, bytes: bytes.slice(from..leaving.end) });
            from = leaving.end;
        }
        let appending = world.ports.journal.enqueue(records, turn.line()).await;
        turn.used();
        let became = appending.await;
        let mut landed = Vec::with_capacity(became.len());
        let mut fresh: BTreeMap<ShardId, Vec<(u64, Box<Decoded>)>> = BTreeMap::new();
        for (became, Leaving { place, shard, decoded, .. }) in became.into_iter().zip(self.records) {
            match became {
                Appended::At { offset, .. } => {
                    landed.push(Landed { place, shard, offset });
                    fresh.entry(shard).or_default().push((offset, decoded));
                }
                // A batch is one append: what became of one record became of all.
                Appended::Refused(refused) => return Err(refused.into()),
                Appended::Unknown => return Err(Error::OutcomeUnknown),
            }
        }
        let mut position = Position::default();
        for (shard, fresh) in fresh {
            let last = fresh.last().map_or(0, |(offset, _)| *offset);
            position.reach(shard, last);
            if let Some(cell) = world.cell(shard).filter(|cell| cell.is_here()) {
                cell.appended.fetch_max(last, Ordering::Relaxed);
                let events = fresh.len() as u64;
                cell.fresh.put(fresh.into_iter());
                world.underway(cell, Batch { came_in, events, last });
            }
        }
        for (count, many) in world.tallies.ingested.iter().zip(self.kinds).filter(|(_, many)| *many > 0) {
            count.fetch_add(many, Ordering::Relaxed);
        }
        Ok((position, landed))
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::JournalFull,
            Refused::Unavailable => Self::JournalUnavailable,
            Refused::TooLarge => {
                let message = "a record with its stamps is at most 256 KiB";
                Self::Refused(Refusal::new(Reason::MessageTooLarge, "events", message))
            }
        }
    }
}

/// Waits for the fold's word on every record.
async fn judged(
    runtime: &Runtime,
    waiting: &BTreeMap<ShardId, Waiting<'_>>,
    landed: &[Landed],
    position: &Position,
    deadline: Option<Instant>,
    outcomes: &mut [Outcome],
) -> Result<(), Error> {
    let mut far = words_from_afar(runtime, waiting, landed, position, deadline).await?;
    for landed in landed {
        let word = match far.remove(&(landed.shard, landed.offset)) {
            Some(word) => word,
            None => waiting.get(&landed.shard).and_then(|desk| desk.word(landed.offset)),
        };
        let fate = match word {
            Some(Word::Verdict(Verdict::Counted)) => Fate::Counted,
            Some(Word::Verdict(Verdict::Duplicate)) => Fate::Duplicate,
            Some(Word::Verdict(Verdict::Late)) => Fate::Late,
            Some(Word::Verdict(Verdict::Rejected(refusal))) => Fate::Rejected(refusal),
            // It was folded while nobody was at the desk any more: an owner that replays says nothing twice.
            _ => return Err(Error::OutcomeUnknown),
        };
        outcomes[landed.place].fate = fate;
    }
    Ok(())
}

/// Waits until every shard has folded its records. Words that are not on a desk here come over with that.
async fn words_from_afar(
    runtime: &Runtime,
    waiting: &BTreeMap<ShardId, Waiting<'_>>,
    landed: &[Landed],
    position: &Position,
    deadline: Option<Instant>,
) -> Result<BTreeMap<(ShardId, u64), Option<Word>>, Error> {
    let world = runtime.world();
    let mut words = BTreeMap::new();
    for (&shard, desk) in waiting {
        let (Some(cell), Some(&last)) = (world.cell(shard), position.0.get(&shard)) else { continue };
        if said_here(cell, desk, last, deadline).await? {
            continue;
        }
        let offsets = landed.iter().filter(|landed| landed.shard == shard).map(|landed| landed.offset);
        let offsets: Vec<u64> = offsets.collect();
        let said = far::words(world, cell, offsets.clone(), deadline).await?;
        words.extend(offsets.into_iter().map(|offset| (shard, offset)).zip(said));
    }
    Ok(words)
}

/// Events with a problem are named, whether names were asked for or not.
fn name_problems(batch: &Publication, outcomes: &mut [Outcome]) {
    if batch.with_ids {
        return;
    }
    for (outcome, bytes) in outcomes.iter_mut().zip(&batch.events) {
        let is_problem = !matches!(outcome.fate, Fate::Accepted | Fate::Counted);
        if is_problem && outcome.event_id.is_empty() {
            outcome.event_id =
                v1::Event::decode(bytes.clone()).map(|event| event.event_id).unwrap_or_default();
        }
    }
}

/// Bytes of the node's name in an id: an id has 64, and behind the name go 32 bits of starts and 60 of events.
const MOST_OF_A_NAME: usize = 24;

/// Ids for events that came without: told apart over every start of every node.
#[derive(Debug, Default)]
pub(crate) struct EventIds(AtomicU64);

impl EventIds {
    pub(crate) fn next(&self, node: &str, incarnation: u64) -> String {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let node = &node[..node.floor_char_boundary(MOST_OF_A_NAME)];
        format!("souk:{node}:{incarnation}:{n}")
    }
}

#[cfg(test)]
mod tests {
    use souk_model::limits::ID_BYTES;

    use super::*;

    #[test]
    fn an_id_is_whole_whatever_the_node_is_called() {
        for node in ["", "n-1", &"n".repeat(64), &"ü".repeat(32), &format!("n{}", "ü".repeat(32))] {
            let ids = EventIds(AtomicU64::new((1 << 60) - 2));
            let starts = u64::from(u32::MAX);
            let (first, second) = (ids.next(node, starts), ids.next(node, starts));
            assert_ne!(first, second);
            assert!(second.len() <= ID_BYTES, "{second}");
        }
    }
}
