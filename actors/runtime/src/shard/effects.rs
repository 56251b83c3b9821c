//! Effects: what an owner wants done, done. Requests to the outside run beside the actor and come back as messages; each is bounded by the
//! owner's protocol, which has at most one of a kind under way and gives it up when no answer comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message as _;
use souk_model::journal::{Journal, ShardId};
use souk_model::output::Output;
use souk_model::owner::{
    AppendKey, AppendOutcome, CrashPoint, Effect, Input, PeerMessage, StopReason, Tag, Unavailable,
};
use souk_model::time::Millis;

use super::actor::State;
use super::{Cell, Mail, Message, Word, World};
use crate::far;
use crate::limits::{READ_BYTES, READ_WAIT};
use crate::ports::{Appended, NewRecord};

/// Does everything in order. Gives the time of the wake-up asked for.
pub(super) fn carry_out(state: &State, effects: &mut Vec<Effect>) -> Option<Millis> {
    let State { world, cell, mail, .. } = state;
    let mut appends = Vec::new();
    let mut wake = None;
    for effect in effects.drain(..) {
        match effect {
            Effect::Append { tag, journal, key, record } => {
                let shard = home(world, journal, &key);
                appends.push((tag, shard, NewRecord { shard, bytes: record.encode_to_vec().into() }));
            }
            Effect::Send { to, message } => send(world, cell, to, message),
            Effect::Publish { outputs } => publish(world, cell, outputs),
            Effect::WakeAt { at } => wake = Some(at),
            Effect::Passed(point) => passed(world, cell, point),
            Effect::Stop(reason) => stop(cell, mail, reason),
            Effect::ReadEntries { tag, from } => read_entries(world, cell, mail, tag, from),
            request => ask(world, cell.id, mail, request),
        }
    }
    append(world, mail, appends);
    wake
}

/// Requests to the store, and where the partition stands.
fn ask(world: &Arc<World>, id: ShardId, mail: &Mail, request: Effect) {
    let (world, mail) = (Arc::clone(world), mail.clone());
    tokio::spawn(async move {
        let store = &world.ports.store;
        let reply = match request {
            Effect::ReadManifest { tag } => {
                Input::Manifest { tag, result: store.manifest(id).await.map(|found| found.map(Box::new)) }
            }
            Effect::WriteManifest { tag, condition, manifest } => {
                Input::Flipped { tag, outcome: store.write_manifest(condition, *manifest).await }
            }
            Effect::WriteSegments { tag, segments } => {
                Input::SegmentsWritten { tag, outcome: store.write_segments(id, segments).await }
            }
            Effect::LoadSections { tag, sections } => {
                Input::Sections { tag, result: store.load_sections(id, sections).await }
            }
            Effect::ReadEnds { tag } => Input::Ends { tag, result: world.ports.journal.ends(id).await },
            Effect::DeleteSegments { segments } => return store.delete_segments(id, segments).await,
            _ => return,
        };
        mail.send(Message::Reply(reply));
    });
}

/// Reads on, and decodes beside the actor: readers of the shard do not wait for that.
fn read_entries(world: &Arc<World>, cell: &Arc<Cell>, mail: &Mail, tag: Tag, from: u64) {
    let (world, cell, mail) = (Arc::clone(world), Arc::clone(cell), mail.clone());
    tokio::spawn(async move {
        let result = world.ports.journal.read(cell.id, from, READ_BYTES, READ_WAIT).await;
        // Whoever appended these was told at the same moment: let it leave them decoded.
        tokio::task::yield_now().await;
        let decoded = match &result {
            Ok(read) => cell.fresh.take(&read.entries),
            Err(Unavailable) => Vec::new(),
        };
        mail.send(Message::Entries { input: Input::Entries { tag, result }, decoded });
    });
}

fn home(world: &World, journal: Journal, key: &AppendKey) -> ShardId {
    match key {
        AppendKey::Actor(key) => world.home(journal, key).id,
        AppendKey::Shard(shard) => *shard,
    }
}

fn append(world: &Arc<World>, mail: &Mail, appends: Vec<(Tag, ShardId, NewRecord)>) {
    if appends.is_empty() {
        return;
    }
    let (world, mail) = (Arc::clone(world), mail.clone());
    tokio::spawn(async move {
        let (asked, records): (Vec<(Tag, ShardId)>, Vec<NewRecord>) =
            appends.into_iter().map(|(tag, shard, record)| ((tag, shard), record)).unzip();
        let became = world.ports.journal.append(records).await;
        for ((tag, shard), became) in asked.into_iter().zip(became) {
            let outcome = match became {
                Appended::At { offset, .. } => AppendOutcome::At { shard, offset },
                Appended::Refused(_) => AppendOutcome::Refused,
                Appended::Unknown => AppendOutcome::Unknown,
            };
            mail.send(Message::Reply(Input::Appended { tag, outcome }));
        }
    });
}

fn send(world: &Arc<World>, cell: &Cell, to: ShardId, message: PeerMessage) {
    let is_tally = matches!(message, PeerMessage::Tally(_));
    let taken = world.cell(to).is_some_and(|target| match target.is_here() {
        true => target.send_peer(cell.id, message),
        false => far::send(world, cell, target, message),
    });
    if !taken {
        world.tallies.peers_dropped.fetch_add(1, Ordering::Relaxed);
    } else if is_tally {
        world.tallies.tally_batches.fetch_add(1, Ordering::Relaxed);
    }
}

/// Hands on what the fold said: to callers at the desk, and to those who watch actors.
fn publish(world: &World, cell: &Cell, outputs: Vec<Output>) {
    let manned = cell.desk.is_manned();
    let watched = world.hub.markers.watches_actors();
    if !manned && !watched {
        return;
    }
    let mut words = Vec::new();
    for output in outputs {
        match output {
            Output::Verdict { offset, verdict } if manned => words.push((offset, Word::Verdict(verdict))),
            Output::Decided { offset, outcome, .. } if manned => words.push((offset, Word::Decided(outcome))),
            Output::Changed { actor } if watched => world.hub.markers.actor_changed(cell.id.journal, &actor),
            _ => {}
        }
    }
    if !words.is_empty() {
        cell.desk.put(words.into_iter());
    }
}

fn passed(world: &World, cell: &Cell, point: CrashPoint) {
    if point == CrashPoint::ManifestFlipped {
        let position = cell.lock().as_ref().and_then(|owner| owner.manifest()).map(|now| now.position);
        if let Some(position) = position {
            world.tallies.cuts.fetch_add(1, Ordering::Relaxed);
            world.ports.journal.release(cell.id, position);
        }
    }
    tracing::trace!(shard = %cell.id, ?point, "passed");
}

fn stop(cell: &Cell, mail: &Mail, reason: StopReason) {
    let text = reason.to_string();
    *cell.ended.lock() = Some(reason);
    mail.stop(text);
}
