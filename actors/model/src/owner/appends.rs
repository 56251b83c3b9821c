//! Appends of saga steps. What became of one is soft knowledge: whatever did not arrive is sent again from state.

use std::collections::BTreeMap;

use souk_proto::journal::v1 as journal;

use crate::journal::Journal;
use crate::key::ActorKey;
use crate::limits::APPENDS_IN_FLIGHT;
use crate::owner::Core;
use crate::owner::effect::{AppendKey, Effect, Tag};
use crate::time::{Millis, SECOND};

/// An append without an answer is not waited for any longer than this.
const PATIENCE: Millis = 10 * SECOND;

/// Appends whose outcome is open, by tag, with the time they are forgotten at.
#[derive(Debug, Default)]
pub(super) struct Appends {
    open: BTreeMap<Tag, Millis>,
}

impl Appends {
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= APPENDS_IN_FLIGHT
    }

    /// Appends a step to another actor's journal. Beyond the limit it is left to its re-send.
    pub(super) fn send<F>(
        &mut self,
        core: &mut Core<F>,
        journal: Journal,
        to: ActorKey,
        step: journal::Step,
        out: &mut Vec<Effect>,
    ) {
        if self.is_full() {
            return;
        }
        let tag = core.clock.tag();
        self.open.insert(tag, core.clock.now() + PATIENCE);
        let record = Box::new(journal::Record { body: Some(journal::record::Body::Step(step)) });
        out.push(Effect::Append { tag, journal, key: AppendKey::Actor(to), record });
    }

    /// Appended, refused or unknown: if it did not arrive, state still implies it.
    pub(super) fn answered(&mut self, tag: Tag) {
        self.open.remove(&tag);
    }

    pub(super) fn expire(&mut self, now: Millis) {
        self.open.retain(|_, until| *until > now);
    }
}
