//! The journey: an actor's newest 64 steps through the shop, in journal order, kept in one run of bytes so that a page view
//! allocates nothing.

use super::kind::Kind;
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::limits::{DIMENSION_BYTES, JOURNEY_STEPS};
use crate::time::Millis;

/// Steps as bytes: the kind, the target's length in two bytes, the target; between two steps the difference of their times.
#[derive(Debug, Default, Clone)]
pub struct Journey {
    bytes: Vec<u8>,
    /// Where the oldest step kept begins: what lies before it is dropped now and then, not step by step.
    oldest_at: usize,
    /// Where the newest step begins.
    newest_at: usize,
    first_time: Millis,
    newest_time: Millis,
    steps: u8,
}

/// One step: when, what kind of event, and what it was about (a page, a product, a query; empty when nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    pub time: Millis,
    pub kind: Kind,
    pub target: &'a str,
}

impl Step<'_> {
    /// What `step_from` and `step_to` call it: a page view by its page, any other by its kind.
    pub fn name(&self) -> &str {
        if self.kind == Kind::PageView { self.target } else { self.kind.name() }
    }
}

/// Bytes of a time difference.
const TIME: usize = 8;
/// Beside a step's kind in state: it came with the step before, or is about the same thing, and the time or the target is left out.
const AT_ONCE: u8 = 1 << 6;
const SAME_TARGET: u8 = 1 << 7;
/// Bytes before a step's target.
const HEAD: usize = 3;

impl Journey {
    /// The step before one at `time`: within `gap` of it, either way.
    pub fn before(&self, time: Millis, gap: Millis) -> Option<Step<'_>> {
        let near = self.steps > 0 && time.abs_diff(self.newest_time) <= gap.max(0).unsigned_abs();
        near.then(|| self.read(self.newest_at, self.newest_time))
    }

    pub fn push(&mut self, step: Step<'_>) {
        if usize::from(self.steps) == JOURNEY_STEPS {
            self.drop_oldest();
        }
        if self.steps == 0 {
            self.first_time = step.time;
        } else {
            self.bytes.extend_from_slice(&step.time.wrapping_sub(self.newest_time).to_le_bytes());
        }
        let target = cut(step.target);
        self.newest_at = self.bytes.len();
        self.newest_time = step.time;
        self.bytes.push(step.kind as u8);
        self.bytes.extend_from_slice(&(target.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(target.as_bytes());
        self.steps += 1;
    }

    /// Forgets the oldest steps as long as they are from before `time`.
    pub fn forget_before(&mut self, time: Millis) {
        while self.steps > 0 && self.first_time < time {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if self.steps <= 1 {
            *self = Self::default();
            return;
        }
        let end = self.end_of(self.oldest_at);
        self.first_time = self.first_time.wrapping_add(self.difference_at(end));
        self.oldest_at = end + TIME;
        self.steps -= 1;
        if self.oldest_at > self.bytes.len() / 2 {
            self.bytes.drain(..self.oldest_at);
            self.newest_at -= self.oldest_at;
            self.oldest_at = 0;
        }
    }

    fn end_of(&self, at: usize) -> usize {
        at + HEAD + usize::from(u16::from_le_bytes([self.bytes[at + 1], self.bytes[at + 2]]))
    }

    fn difference_at(&self, at: usize) -> i64 {
        let mut bytes = [0; TIME];
        bytes.copy_from_slice(&self.bytes[at..at + TIME]);
        i64::from_le_bytes(bytes)
    }

    fn read(&self, at: usize, time: Millis) -> Step<'_> {
        let kind = Kind::of_code(self.bytes[at]).unwrap_or(Kind::Custom);
        let target = std::str::from_utf8(&self.bytes[at + HEAD..self.end_of(at)]).unwrap_or_default();
        Step { time, kind, target }
    }

    /// The steps kept, oldest first.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let (mut at, mut time) = (self.oldest_at, self.first_time);
        (0..self.steps).map(move |place| {
            if place > 0 {
                time = time.wrapping_add(self.difference_at(at));
                at += TIME;
            }
            let step = self.read(at, time);
            at = self.end_of(at);
            step
        })
    }

    /// See [`crate::actor::Actor::touch`].
    pub(super) fn touch(&self) -> u64 {
        self.bytes.get(self.newest_at).map_or(0, |byte| u64::from(*byte))
    }

    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }

    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        w.count(self.steps.into());
        let mut before = None;
        for step in self.steps() {
            let at_once = before.is_some_and(|before: Step<'_>| before.time == step.time);
            let same = before.is_some_and(|before| before.target == step.target);
            let flag = |bit: u8, set: bool| if set { bit } else { 0 };
            w.byte(step.kind as u8 | flag(AT_ONCE, at_once) | flag(SAME_TARGET, same));
            if !at_once {
                w.time(step.time);
            }
            if !same {
                w.word(step.target);
            }
            before = Some(step);
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, StateError> {
        let mut journey = Self::default();
        let mut before: Option<Step<'_>> = None;
        for _ in 0..r.count(JOURNEY_STEPS)? {
            let code = r.byte()?;
            let kind = Kind::of_code(code & !(AT_ONCE | SAME_TARGET));
            let like = |flag: u8| before.filter(|_| code & flag != 0);
            let time = like(AT_ONCE).map_or_else(|| r.time(), |before| Ok(before.time))?;
            let target = like(SAME_TARGET).map_or_else(|| r.word(), |before| Ok(before.target))?;
            let kind = kind.ok_or_else(|| damaged("a step of no known kind"))?;
            let step = Step { time, kind, target };
            journey.push(step);
            before = Some(step);
        }
        Ok(journey)
    }
}

/// A target as long as a dimension can be: more is never shown.
fn cut(target: &str) -> &str {
    &target[..target.floor_char_boundary(DIMENSION_BYTES)]
}
