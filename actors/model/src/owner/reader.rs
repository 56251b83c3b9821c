//! Reading the journal: one read under way at a time, some way ahead of folding, in order, without gaps.

use std::collections::VecDeque;

use crate::journal::Entry;
use crate::limits::{CALL_TRIES, READ_AHEAD, READ_TRIES};
use crate::owner::call::{Call, Due};
use crate::owner::clock::ShellClock;
use crate::owner::effect::{Effect, StopReason, Tag};
use crate::owner::input::{Ends, Entries, Unavailable};
use crate::owner::{Core, Halt};
use crate::time::Millis;

/// After a read that found nothing, for a shell that does not hold such reads back.
const PAUSE: Millis = 20;

/// Where reading stands.
pub(super) struct Reader {
    epoch: u64,
    next: u64,
    /// The newest end of the partition heard of. It may lag behind what was read.
    end: u64,
    /// When something last arrived.
    arrived_at: Millis,
    state: State,
}

enum State {
    Idle {
        until: Millis,
    },
    Reading(Call),
    /// Entries are missing where the read began: either the journal has a hole there, or retention ate them.
    Gap(Call, Vec<Entry>),
}

impl Reader {
    pub(super) fn new(epoch: u64, next: u64, end: u64, clock: &ShellClock) -> Self {
        Self { epoch, next, end, arrived_at: clock.now(), state: State::Idle { until: clock.now() } }
    }

    pub(super) fn arrived_at(&self) -> Millis {
        self.arrived_at
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Whether everything known to be in the journal has been read.
    pub(super) fn at_end(&self) -> bool {
        self.next > self.end
    }

    /// Entries known to be in the journal but not read yet.
    pub(super) fn behind(&self) -> u64 {
        (self.end + 1).saturating_sub(self.next)
    }

    /// Takes a read's result; entries go to the queue.
    pub(super) fn entries<F>(
        &mut self,
        core: &mut Core<F>,
        tag: Tag,
        result: Result<Entries, Unavailable>,
        queue: &mut VecDeque<Entry>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Halt> {
        match (&mut self.state, result) {
            (State::Reading(call), Ok(read)) if call.awaits(tag) => self.arrived(core, read, queue, out),
            (State::Reading(call), Err(_)) if call.awaits(tag) => failed(call, &core.clock)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes the ends that explain a gap.
    pub(super) fn ends<F>(
        &mut self,
        core: &mut Core<F>,
        tag: Tag,
        result: Result<Ends, Unavailable>,
        queue: &mut VecDeque<Entry>,
    ) -> Result<(), Halt> {
        match (&mut self.state, result) {
            (State::Gap(call, _), Ok(ends)) if call.awaits(tag) => self.explained(core, &ends, queue),
            (State::Gap(call, _), Err(_)) if call.awaits(tag) => failed(call, &core.clock),
            _ => Ok(()),
        }
    }

    fn arrived<F>(
        &mut self,
        core: &mut Core<F>,
        read: Entries,
        queue: &mut VecDeque<Entry>,
        out: &mut Vec<Effect>,
    ) {
        self.end = self.end.max(read.end);
        let complete = match read.entries.first() {
            Some(first) => first.offset <= self.next,
            None => self.at_end(),
        };
        if complete {
            return self.take(core, read.entries, queue);
        }
        let (call, tag) = Call::begin(&mut core.clock, CALL_TRIES);
        out.push(Effect::ReadEnds { tag });
        self.state = State::Gap(call, read.entries);
    }

    fn explained<F>(
        &mut self,
        core: &mut Core<F>,
        ends: &Ends,
        queue: &mut VecDeque<Entry>,
    ) -> Result<(), Halt> {
        if ends.start > self.next {
            let finding =
                format!("the journal starts at {}, but {} is to be folded next", ends.start, self.next);
            return Err(Halt::Doubt { epoch: self.epoch, finding });
        }
        self.end = self.end.max(ends.end);
        if let State::Gap(_, entries) =
            std::mem::replace(&mut self.state, State::Idle { until: core.clock.now() })
        {
            self.take(core, entries, queue);
        }
        Ok(())
    }

    fn take<F>(&mut self, core: &Core<F>, entries: Vec<Entry>, queue: &mut VecDeque<Entry>) {
        let now = core.clock.now();
        self.state = State::Idle { until: if entries.is_empty() { now + PAUSE } else { now } };
        for entry in entries {
            if entry.offset < self.next {
                continue;
            }
            self.next = entry.offset + 1;
            self.end = self.end.max(entry.offset);
            self.arrived_at = now;
            queue.push_back(entry);
        }
    }

    /// Reads on, unless enough is waiting to be folded.
    pub(super) fn poll<F>(
        &mut self,
        core: &mut Core<F>,
        waiting: usize,
        out: &mut Vec<Effect>,
    ) -> Result<(), Halt> {
        match &mut self.state {
            State::Idle { until } if waiting < READ_AHEAD && core.clock.now() >= *until => {
                let (call, tag) = Call::begin(&mut core.clock, READ_TRIES);
                out.push(Effect::ReadEntries { tag, from: self.next });
                self.state = State::Reading(call);
            }
            State::Idle { .. } => {}
            State::Reading(call) => match call.due(&mut core.clock) {
                Some(Due::Lost) => failed(call, &core.clock)?,
                Some(Due::Again(tag)) => out.push(Effect::ReadEntries { tag, from: self.next }),
                None => {}
            },
            State::Gap(call, _) => match call.due(&mut core.clock) {
                Some(Due::Lost) => failed(call, &core.clock)?,
                Some(Due::Again(tag)) => out.push(Effect::ReadEnds { tag }),
                None => {}
            },
        }
        Ok(())
    }

    pub(super) fn wake(&self, waiting: usize) -> Millis {
        match &self.state {
            State::Idle { .. } if waiting >= READ_AHEAD => Millis::MAX,
            State::Idle { until } => *until,
            State::Reading(call) | State::Gap(call, _) => call.wake(),
        }
    }
}

fn failed(call: &mut Call, clock: &ShellClock) -> Result<(), Halt> {
    call.failed(clock).map_err(|_| StopReason::Unavailable("the journal").into())
}
