//! Counting one fact under one key: which cells it touches and what it adds to them. SEMANTICS.md section 11.

use xxhash_rust::xxh3::xxh3_64;

use super::cells::TOTAL;
use super::plan::{Bump, MetricPlan};
use super::presence::{Presence, Visit};
use super::row::Row;
use super::runs::{gain, spread};
use super::stream::Outboxes;
use crate::bucket::KeyRef;
use crate::fact::{Fact, Sign};
use crate::metric::aggregate::part::Part;
use crate::metric::aggregate::{Place, UserSlots};
use crate::metric::{PaneSize, Quantity, Value};
use crate::time::{Millis, Now};

/// Sets the keys of a metric's several measures of users apart; odd, so that no two of them meet.
const ORDINAL_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// One row being counted in.
pub(super) struct Counting<'a> {
    pub row: &'a mut Row,
    pub key: KeyRef<'a>,
    pub outboxes: &'a mut Outboxes,
    pub now: &'a Now,
    pub plan: &'a MetricPlan,
}

impl Counting<'_> {
    /// Counts a fact that is not late and whose key is admitted. `taken` has a bit per bump whose filters passed.
    pub(super) fn count(
        &mut self,
        fact: &Fact<'_>,
        bumps: &[Bump],
        taken: u64,
        mut presence: Option<&mut Presence>,
    ) {
        // The total's cell comes first, and difference counts never reach back before the pane: these places stay.
        let total = self.plan.has_total.then(|| self.cell(TOTAL, true));
        let pane = self.plan.here.pane.map(|pane| self.cell(pane.start, true));
        for (at, bump) in bumps.iter().enumerate() {
            match &bump.place {
                Some(_) if taken & (1 << at) == 0 => {}
                None => {}
                Some(Place::Users(slots)) => {
                    if let Some(presence) = presence.as_deref_mut().filter(|_| fact.sign == Sign::Counted) {
                        self.user(slots, fact.time, presence);
                    }
                }
                Some(place) => {
                    if let Some(cell) = pane {
                        self.bump(cell, place, fact);
                    }
                    if let Some(cell) = total {
                        self.bump(cell, place, fact);
                    }
                }
            }
        }
    }

    fn bump(&mut self, cell: usize, place: &Place, fact: &Fact<'_>) {
        let sign = fact.sign.factor();
        let cells = &mut self.row.cells;
        match *place {
            Place::Count { number } => cells.add(cell, number, sign),
            Place::Sum { number, of } => {
                if let Some(Value::Number(value)) = fact.number(of) {
                    cells.add(cell, number, sign * value);
                }
            }
            Place::Mean { sum, count, of } => {
                if let Some(Value::Number(value)) = fact.number(of) {
                    cells.add(cell, sum, sign * value);
                    cells.add(cell, count, sign);
                }
            }
            Place::MoneySum { part, of } | Place::MoneyMean { part, of } => {
                self.part(cell, part, of, fact, || Part::Totals(Vec::new()));
            }
            Place::Least { part, of } => self.part(cell, part, of, fact, || Part::Least(Vec::new())),
            Place::Greatest { part, of } => self.part(cell, part, of, fact, || Part::Greatest(Vec::new())),
            Place::Quantile { part, of, .. } => {
                self.part(cell, part, of, fact, || Part::Multisets(Vec::new()))
            }
            Place::Distinct { part, of } => {
                let hash = xxh3_64(fact.field(of).as_bytes()) as i64;
                let exact_to = self.plan.layout.exact_to(part);
                let set = cells.part_mut(cell, part, || Part::Distinct(Default::default()));
                set.count(None, hash, sign, exact_to);
            }
            Place::Users(_) | Place::Ratio { .. } => {}
        }
    }

    fn part(&mut self, cell: usize, part: u8, of: Quantity, fact: &Fact<'_>, empty: impl FnOnce() -> Part) {
        let (unit, value) = match fact.number(of) {
            Some(Value::Number(value)) => (None, value),
            Some(Value::Money(money)) => (Some(money.currency), money.minor),
            None => return,
        };
        let exact_to = self.plan.layout.exact_to(part);
        self.row.cells.part_mut(cell, part, empty).count(unit, value, fact.sign.factor(), exact_to);
    }

    /// Counts the actor in every window the fact brings it into.
    fn user(&mut self, slots: &UserSlots, time: Millis, presence: &mut Presence) {
        // A metric counted anew has seen nobody yet.
        let key = self.key.hash ^ (slots.ordinal ^ self.plan.since << 8).wrapping_mul(ORDINAL_STEP);
        if let Some(slot) = slots.total
            && presence.first_ever(key, time, self.now.high_water)
        {
            self.add(TOTAL, slot, 1);
        }
        let Some(pane) = self.plan.here.pane else { return };
        let (before, after) = match presence.visit(key, pane.start, self.plan.reach, self.now.high_water) {
            Visit::Known => return,
            Visit::Between { before, after } => (before, after),
        };
        if let PaneSize::Fixed(size) = self.plan.metric.pane {
            let number = |start: Millis| start.div_euclid(size);
            for (length, slot) in &slots.sliding {
                let n = length / size;
                if let Some(ends) = gain(number(pane.start), n, before.map(number), after.map(number)) {
                    // The difference at a window's end lies in the last pane before it.
                    spread(ends, n, |end, difference| self.add((end - 1) * size, *slot, difference));
                }
            }
        }
        for (instance, (_, slot)) in self.plan.here.instances.iter().zip(&slots.instances) {
            let known = |pane: Option<Millis>| pane.is_some_and(|pane| instance.contains(pane));
            if !known(before) && !known(after) {
                self.add(pane.start, *slot, 1);
            }
        }
    }

    fn add(&mut self, start: Millis, slot: usize, difference: i64) {
        let cell = self.cell(start, false);
        self.row.cells.add(cell, slot, difference);
    }

    /// The cell of a pane, about to change.
    #[inline]
    fn cell(&mut self, start: Millis, counted: bool) -> usize {
        let (cells, stride) = (&mut self.row.cells, self.plan.layout.numbers);
        let cell = if counted { cells.place_near(start, stride) } else { cells.place(start, stride) };
        let before = self.row.cells.stamp(cell, self.now.offset, counted);
        if before != self.now.offset && !self.outboxes.has(self.row.queued, before) {
            self.outboxes.changed(&mut self.row.queued, self.key, start, before, self.now);
        }
        cell
    }
}
