//! Records: bytes of a journal entry → a decoded, valid [`Record`] the fold can take without looking again.
//!
//! [`decode`] is the first step of a record's way through a shard, and intake calls the same validation before it appends:
//! every field has a bound and a charset, and a refusal names the field by its path. Nothing is allocated but what prost
//! and the actor's key need; messages of refusals are put together only when something is refused.

mod check;
mod command;
mod event;
mod key;
mod stamp;
mod step;
#[cfg(test)]
mod tests;
mod time;

pub use check::{is_id, is_user_id};
pub use command::{action_name as command_name, is_for_product};
pub use event::{KIND_NAMES, kind_name, kind_place};
pub use key::{DEFAULT_SHOP, actor_of, is_of_product, journal_of, key_of, product_id};
pub use step::action_name as step_name;

use prost::Message as _;
use souk_proto::journal::v1 as journal;
use souk_proto::journal::v1::record::Body;
use souk_proto::v1;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::journal::Journal;
use crate::key::ActorKey;
use crate::limits::{RECORD_BYTES, SETTINGS_BYTES};
use crate::record::check::{Checked, missing, refuse, within};
use crate::settings;
use crate::time::Millis;
use crate::verdict::{Reason, Refusal};

/// A decoded record: every field within its bounds.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    Event(Event),
    Command(Command),
    Step(Step),
    Settings(journal::Settings),
    Tick,
    VersionBarrier(u32),
}

/// A valid event with what every fold of it needs computed once.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The actor it belongs to: a user, a guest, a product, or its own id when keyless. SEMANTICS.md section 2.
    pub key: ActorKey,
    /// No user, no session and no product: it is folded without an actor.
    pub keyless: bool,
    /// Its own time, if it gave one.
    pub time: Option<Millis>,
    /// xxh3-64 of its id, for deduplication.
    pub fingerprint: u64,
    pub event: v1::Event,
    pub stamps: Vec<journal::Stamp>,
    pub bridge: Option<journal::BridgeStamp>,
}

/// A valid command: its action is set and in bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub key: ActorKey,
    pub command: journal::Command,
}

/// A valid step: its action is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub key: ActorKey,
    pub step: journal::Step,
}

impl Event {
    /// The journal it belongs to.
    pub fn journal(&self) -> Journal {
        let is_of_product = self.event.kind.as_ref().is_some_and(is_of_product);
        if is_of_product { Journal::Products } else { Journal::Users }
    }

    pub fn stamp(&self, product_id: &str) -> Option<&journal::Stamp> {
        self.stamps.iter().find(|stamp| stamp.product_id == product_id)
    }
}

impl Command {
    /// The salt an erase brings.
    pub fn erase_salt(&self) -> Option<&[u8]> {
        match &self.command.action {
            Some(journal::command::Action::EraseUser(erase)) => Some(&erase.salt),
            _ => None,
        }
    }
}

/// Decodes and validates one entry of a journal.
pub fn decode(bytes: &[u8]) -> Result<Record, Refusal> {
    if bytes.len() > RECORD_BYTES {
        return Err(undecodable(format!("a record is at most {RECORD_BYTES} bytes")));
    }
    let record = journal::Record::decode(bytes).map_err(|error| undecodable(error.to_string()))?;
    match record.body {
        Some(Body::Event(record)) => event_record(record).map(Record::Event),
        Some(Body::Command(command)) => {
            validate_command(&command)?;
            Ok(Record::Command(Command { key: ActorKey::new(&command.shop, &command.actor_id), command }))
        }
        Some(Body::Step(step)) => {
            validate_step(&step)?;
            Ok(Record::Step(Step { key: ActorKey::new(&step.shop, &step.actor_id), step }))
        }
        Some(Body::Settings(settings)) => settings_record(settings).map(Record::Settings),
        Some(Body::Tick(_)) => Ok(Record::Tick),
        Some(Body::VersionBarrier(barrier)) => Ok(Record::VersionBarrier(barrier.fold_version)),
        None => Err(undecodable("is of no kind this build knows")),
    }
}

/// Whether every field of an event is within its bounds. Its time is compared with log time by the fold alone.
pub fn validate_event(event: &v1::Event) -> Result<(), Refusal> {
    event::event(event).map(drop)
}

/// Makes a reported event ready for the fold, as [`decode`] would of its record; gives it back where a field is out of its bounds.
pub fn take_event(event: v1::Event, stamps: Vec<journal::Stamp>) -> Result<Event, Box<(v1::Event, Refusal)>> {
    match event::event(&event) {
        Ok(time) => Ok(ready(event, time, stamps, None)),
        Err(refusal) => Err(Box::new((event, refusal))),
    }
}

/// Whether every field of a command is within its bounds.
pub fn validate_command(command: &journal::Command) -> Result<(), Refusal> {
    command::command(command)
}

/// Whether every field of a saga step is within its bounds.
pub fn validate_step(step: &journal::Step) -> Result<(), Refusal> {
    step::step(step)
}

fn event_record(record: journal::EventRecord) -> Result<Event, Refusal> {
    let journal::EventRecord { event, stamps, bridge } = record;
    let event = event.ok_or_else(|| missing("event"))?;
    let time = event::event(&event)?;
    stamp::stamps(&stamps)?;
    if let Some(bridge) = &bridge {
        stamp::bridge(bridge)?;
    }
    Ok(ready(event, time, stamps, bridge))
}

fn ready(
    event: v1::Event,
    time: Option<Millis>,
    stamps: Vec<journal::Stamp>,
    bridge: Option<journal::BridgeStamp>,
) -> Event {
    let (key, keyless) = key::event_key(&event);
    let fingerprint = fingerprint(&key, keyless, &event.event_id);
    Event { key, keyless, time, fingerprint, event, stamps, bridge }
}

/// Keyless events of a bucket share one memory: there the id alone would not tell two of them apart.
fn fingerprint(key: &ActorKey, keyless: bool, event_id: &str) -> u64 {
    let seed = if keyless { key.hash() } else { 0 };
    xxh3_64_with_seed(event_id.as_bytes(), seed)
}

/// The text is compiled by the fold, which knows the settings before it; here it must be the text its hash says.
fn settings_record(record: journal::Settings) -> Result<journal::Settings, Refusal> {
    within("settings", check_settings(&record))?;
    Ok(record)
}

fn check_settings(record: &journal::Settings) -> Checked {
    if record.body.len() > SETTINGS_BYTES {
        return Err(refuse(Reason::SettingsInvalid, "body", format!("is at most {SETTINGS_BYTES} bytes")));
    }
    if record.hash != settings::hash_of(&record.body) {
        return Err(refuse(Reason::SettingsInvalid, "hash", "is not the body's"));
    }
    Ok(())
}

#[cold]
fn undecodable(message: impl Into<String>) -> Refusal {
    Refusal::new(Reason::PayloadUndecodable, "", message)
}
