//! Records: bytes of a journal entry → a decoded, valid [`Record`] the fold can take without looking again.
//!
//! [`decode`] is the first step of a record's way through a shard, and intake calls the same validation before it appends.

use souk_proto::journal::v1 as journal;
use souk_proto::v1;

use crate::key::ActorKey;
use crate::time::Millis;

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
    /// No user and no session: it belongs to no person.
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
