//! Ticks: time passing in a silent journal. The record says nothing; the append time the journal gives it is the time.

use crate::limits::CALL_TRIES;
use crate::owner::call::{Call, Due};
use crate::owner::effect::{AppendKey, Effect, Tag};
use crate::owner::reader::Reader;
use crate::owner::{Core, Fold};
use crate::time::{Millis, SECOND};

/// How long a journal must have been silent.
const SILENCE: Millis = SECOND;

/// At most one tick is on its way. Two owners' ticks, or one that arrives twice, are harmless.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    under_way: Option<Call>,
    /// Not again before this.
    not_before: Millis,
}

impl Ticks {
    pub(super) fn answered(&mut self, tag: Tag) {
        if self.under_way.as_ref().is_some_and(|call| call.awaits(tag)) {
            self.under_way = None;
        }
    }

    /// Appends a tick when the owner stands at the journal's end, it has been silent there, and the fold waits for time to pass.
    pub(super) fn poll<F: Fold>(&mut self, core: &mut Core<F>, reader: &Reader, out: &mut Vec<Effect>) {
        if let Some(call) = &mut self.under_way {
            if call.due(&mut core.clock) == Some(Due::Lost) {
                self.under_way = None;
            }
            return;
        }
        let now = core.clock.now();
        if now < self.not_before
            || now < reader.arrived_at() + SILENCE
            || !reader.at_end()
            || !core.fold.wants_ticks()
        {
            return;
        }
        self.not_before = now + SILENCE;
        let (call, tag) = Call::begin(&mut core.clock, CALL_TRIES);
        self.under_way = Some(call);
        let shard = core.fold.id();
        out.push(Effect::Append {
            tag,
            journal: shard.journal,
            key: AppendKey::Shard(shard),
            record: Box::new(core.fold.tick()),
        });
    }
}
