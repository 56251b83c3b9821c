//! One record from begin to end, the same for both journals: time moves, due timers fire, the record is applied or refused.

use crate::actor::StateError;
use crate::journal::Entry;
use crate::output::Outputs;
use crate::owner::fold::Progress;
use crate::record::Record;
use crate::shard::ahead::Decoded;
use crate::shard::core::{At, Core};

/// A shard that folds record by record.
pub(super) trait Steps {
    fn core(&mut self) -> &mut Core;

    /// Fires up to a slice of due timers; `true` when none is left.
    fn fire_due(&mut self, at: At, out: &mut Outputs) -> Result<bool, StateError>;

    /// The record itself; `bytes` is what a dead letter keeps of it.
    fn apply(&mut self, at: At, bytes: &[u8], record: &Record, out: &mut Outputs) -> Result<(), StateError>;

    /// The record is folded.
    fn settle(&mut self, at: At);

    /// Folds one slice of an entry; decodes it if that was not done ahead.
    fn step(&mut self, entry: &Entry, out: &mut Outputs) -> Result<Progress, StateError> {
        let decoded = self.core().take_decoded(entry);
        let progress = self.step_decoded(entry.into(), &entry.bytes, &decoded, out)?;
        if progress == Progress::More {
            self.core().put_decoded(entry.offset, decoded);
        }
        Ok(progress)
    }

    /// Folds one slice of a decoded record: due timers first, then the record.
    fn step_decoded(
        &mut self,
        at: At,
        bytes: &[u8],
        decoded: &Decoded,
        out: &mut Outputs,
    ) -> Result<Progress, StateError> {
        self.core().begin(at, decoded);
        if !self.core().timers_come_late() && !self.fire_due(at, out)? {
            return Ok(Progress::More);
        }
        let refusal = self.core().finish(at);
        match (&decoded.record, &refusal) {
            (Err(refusal), _) | (Ok(_), Some(refusal)) => {
                self.core().refuse(at, bytes, refusal, decoded.is_event, out)
            }
            (Ok(record), None) => self.apply(at, bytes, record, out)?,
        }
        while self.core().timers_come_late() && !self.fire_due(at, out)? {}
        self.settle(at);
        Ok(Progress::Done)
    }
}
