//! The journey: an actor's newest 64 steps through the shop, in journal order, kept in one run of bytes so that a page view
//! allocates nothing.

use super::kind::Kind;
use crate::actor::StateError;
use crate::codec::{Reader, Writer, damaged};
use crate::limits::{DIMENSION_BYTES, JOURNEY_STEPS};
use crate::time::Millis;

/// Steps as bytes: the kind, the target's length in two bytes, the target; between two steps the difference of their times. A step about
/// the same thing as the one before has no target of its own: people look at what they then put into the cart.
#[derive(Debug, Default, Clone)]
pub struct Journey {
    bytes: Vec<u8>,
    first_time: Millis,
    newest_time: Millis,
    /// Where the oldest step kept begins: what lies before it is dropped now and then, not step by step.
    oldest_at: u16,
    /// Where the newest step begins, and where its target is.
    newest_at: u16,
    newest_target_at: u16,
    steps: u8,
}

/// Offsets take two bytes: what is kept and as much again of what is not.
const _: () = assert!(2 * JOURNEY_STEPS * (TIME + HEAD + DIMENSION_BYTES) <= u16::MAX as usize);

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
/// The length of a target that is the one of the step before.
const SAME: u16 = u16::MAX;

impl Journey {
    /// The step before one at `time`: within `gap` of it, either way.
    pub fn before(&self, time: Millis, gap: Millis) -> Option<Step<'_>> {
        let near = self.steps > 0 && time.abs_diff(self.newest_time) <= gap.max(0).unsigned_abs();
        near.then(|| self.newest())
    }

    fn newest(&self) -> Step<'_> {
        let target = std::str::from_utf8(self.newest_target()).unwrap_or_default();
        Step { time: self.newest_time, kind: self.kind_at(self.newest_at.into()), target }
    }

    fn newest_target(&self) -> &[u8] {
        let from = usize::from(self.newest_target_at);
        &self.bytes[from..self.end_of(from - HEAD)]
    }

    pub fn push(&mut self, step: Step<'_>) {
        if usize::from(self.steps) == JOURNEY_STEPS {
            self.drop_oldest();
        }
        let target = cut(step.target);
        let same = self.steps > 0 && self.newest_target() == target.as_bytes();
        if self.steps == 0 {
            self.first_time = step.time;
        } else {
            self.bytes.extend_from_slice(&step.time.wrapping_sub(self.newest_time).to_le_bytes());
        }
        self.newest_at = self.bytes.len() as u16;
        self.newest_time = step.time;
        self.bytes.push(step.kind as u8);
        if same {
            self.bytes.extend_from_slice(&SAME.to_le_bytes());
        } else {
            self.bytes.extend_from_slice(&(target.len() as u16).to_le_bytes());
            self.newest_target_at = self.bytes.len() as u16;
            self.bytes.extend_from_slice(target.as_bytes());
        }
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
        let oldest = usize::from(self.oldest_at);
        let end = self.end_of(oldest);
        let mut next = end + TIME;
        self.first_time = self.first_time.wrapping_add(self.difference_at(end));
        if self.length_at(next) == SAME {
            next = self.hand_on_target(oldest, next);
        }
        self.oldest_at = next as u16;
        self.steps -= 1;
        if next > self.bytes.len() / 2 {
            self.bytes.drain(..next);
            self.newest_at -= self.oldest_at;
            self.newest_target_at -= self.oldest_at;
            self.oldest_at = 0;
        }
    }

    /// The oldest step goes, the next is about the same: it gets the target, before its own end. Where it then begins.
    fn hand_on_target(&mut self, oldest: usize, next: usize) -> usize {
        let target = oldest + HEAD..self.end_of(oldest);
        let begin = next - target.len();
        let head = [self.bytes[next], self.bytes[oldest + 1], self.bytes[oldest + 2]];
        if usize::from(self.newest_target_at) == target.start {
            self.newest_target_at = (begin + HEAD) as u16;
        }
        if usize::from(self.newest_at) == next {
            self.newest_at = begin as u16;
        }
        self.bytes.copy_within(target, begin + HEAD);
        self.bytes[begin..begin + HEAD].copy_from_slice(&head);
        begin
    }

    fn length_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at + 1], self.bytes[at + 2]])
    }

    fn end_of(&self, at: usize) -> usize {
        match self.length_at(at) {
            SAME => at + HEAD,
            length => at + HEAD + usize::from(length),
        }
    }

    fn difference_at(&self, at: usize) -> i64 {
        let mut bytes = [0; TIME];
        bytes.copy_from_slice(&self.bytes[at..at + TIME]);
        i64::from_le_bytes(bytes)
    }

    fn kind_at(&self, at: usize) -> Kind {
        Kind::of_code(self.bytes[at]).unwrap_or(Kind::Custom)
    }

    /// The steps kept, oldest first.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let (mut at, mut time, mut target) = (usize::from(self.oldest_at), self.first_time, "");
        (0..self.steps).map(move |place| {
            if place > 0 {
                time = time.wrapping_add(self.difference_at(at));
                at += TIME;
            }
            let end = self.end_of(at);
            if self.length_at(at) != SAME {
                target = std::str::from_utf8(&self.bytes[at + HEAD..end]).unwrap_or_default();
            }
            let step = Step { time, kind: self.kind_at(at), target };
            at = end;
            step
        })
    }

    /// See [`crate::actor::Actor::touch`].
    pub(super) fn touch(&self) -> u64 {
        self.bytes.get(usize::from(self.newest_at)).map_or(0, |byte| u64::from(*byte))
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
