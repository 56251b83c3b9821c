//! Counting one fact under one key: which cells it touches and what it adds to them. SEMANTICS.md section 11.

use xxhash_rust::xxh3::xxh3_64;

use super::cells::{Cells, Place, TOTAL};
use super::plan::{MetricPlan, Reading};
use super::presence::{Presence, Visit};
use super::row::Row;
use super::runs::{gain, spread};
use super::stream::Outboxes;
use crate::bucket::Spot;
use crate::fact::{Fact, Sign};
use crate::metric::aggregate::part::Part;
use crate::metric::aggregate::{Place as Bump, UserSlots};
use crate::metric::{PaneSize, Quantity, Value};
use crate::time::{Millis, Now};

/// Sets the keys of a metric's several measures of users apart; odd, so that no two of them meet.
const ORDINAL_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// One fact as one metric reads it.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub plan: &'a MetricPlan,
    pub reading: &'a Reading,
    /// A bit per measure that takes it.
    pub taken: u64,
    /// Panes that end by then make no key live.
    pub dead: Millis,
}

/// Counts one fact in one row after the other.
pub(super) struct RowCounter<'a, 'f> {
    pub outboxes: &'a mut Outboxes,
    pub now: &'a Now,
    pub fact: &'a Fact<'f>,
    /// The actor's; a keyless fact has none and counts as nobody's.
    pub presence: Option<&'a mut Presence>,
}

impl RowCounter<'_, '_> {
    /// Counts a fact that is not late in a row whose key is admitted.
    #[inline]
    pub(super) fn count(&mut self, read: &Read<'_>, spot: Spot<'_>, row: &mut Row) {
        let Read { plan, reading, taken, .. } = read;
        // The total's cell comes first, and difference counts never reach back before the pane: these places stay.
        let total = plan.has_total.then(|| {
            let place = row.cells.place_after(Place::FIRST, 0, TOTAL, plan.layout.numbers);
            self.stamp(row, spot, place, TOTAL, true);
            place
        });
        let pane = plan.has_panes.then(|| {
            let place = row.cells.place_near(plan.here.pane.start, plan.layout.numbers);
            self.stamp(row, spot, place, plan.here.pane.start, true);
            place
        });
        let sign = self.fact.sign.factor();
        for (measure, number) in &reading.counts {
            if taken >> measure & 1 == 0 {
                continue;
            }
            if let Some(pane) = pane {
                row.cells.add(pane, *number, sign);
            }
            if let Some(total) = total {
                row.cells.add(total, *number, sign);
            }
        }
        for (measure, bump) in &reading.bumps {
            if taken >> measure & 1 == 1 {
                self.bump(plan, spot, row, (pane, total), bump);
            }
        }
    }

    fn bump(
        &mut self,
        plan: &MetricPlan,
        spot: Spot<'_>,
        row: &mut Row,
        (pane, total): (Option<Place>, Option<Place>),
        bump: &Bump,
    ) {
        if let Bump::Users(slots) = bump {
            return self.user(plan, slots, spot, row, pane);
        }
        for cell in [pane, total].into_iter().flatten() {
            self.bump_cell(plan, &mut row.cells, cell, bump);
        }
    }

    fn bump_cell(&self, plan: &MetricPlan, cells: &mut Cells, cell: Place, bump: &Bump) {
        let (fact, sign) = (self.fact, self.fact.sign.factor());
        let mut part = |slot: u8, of: Quantity, empty: fn() -> Part| {
            let (unit, value) = match fact.number(of) {
                Some(Value::Number(value)) => (None, value),
                Some(Value::Money(money)) => (Some(money.currency), money.minor),
                None => return,
            };
            cells.part_mut(cell, slot, empty).count(unit, value, sign, plan.layout.exact_to(slot));
        };
        match *bump {
            Bump::Sum { number, of } => {
                if let Some(Value::Number(value)) = fact.number(of) {
                    cells.add(cell, number, sign * value);
                }
            }
            Bump::Mean { sum, count, of } => {
                if let Some(Value::Number(value)) = fact.number(of) {
                    cells.add(cell, sum, sign * value);
                    cells.add(cell, count, sign);
                }
            }
            Bump::MoneySum { part: slot, of } | Bump::MoneyMean { part: slot, of } => {
                part(slot, of, || Part::Totals(Vec::new()));
            }
            Bump::Least { part: slot, of } => part(slot, of, || Part::Least(Vec::new())),
            Bump::Greatest { part: slot, of } => part(slot, of, || Part::Greatest(Vec::new())),
            Bump::Quantile { part: slot, of, .. } => part(slot, of, || Part::Multisets(Vec::new())),
            Bump::Distinct { part: slot, of } => {
                let hash = xxh3_64(fact.field(of).as_bytes()) as i64;
                let set = cells.part_mut(cell, slot, || Part::Distinct(Default::default()));
                set.count(None, hash, sign, plan.layout.exact_to(slot));
            }
            Bump::Count { .. } | Bump::Users(_) | Bump::Ratio { .. } => {}
        }
    }

    /// Counts the actor in every window the fact brings it into. `here` is the place of the fact's pane.
    fn user(
        &mut self,
        plan: &MetricPlan,
        slots: &UserSlots,
        spot: Spot<'_>,
        row: &mut Row,
        here: Option<Place>,
    ) {
        let (time, high_water) = (self.fact.time, self.now.high_water);
        let Some(presence) = self.presence.as_deref_mut().filter(|_| self.fact.sign == Sign::Counted) else {
            return;
        };
        // A metric counted anew has seen nobody yet.
        let key = spot.hash() ^ (slots.ordinal ^ plan.since << 8).wrapping_mul(ORDINAL_STEP);
        let is_first = slots.total.is_some() && presence.first_ever(key, time, high_water);
        let pane = plan.here.pane;
        let visit = here.map(|here| (here, presence.visit(key, pane.start, plan.reach, high_water)));
        if let Some(slot) = slots.total.filter(|_| is_first) {
            self.add(plan, spot, row, (Place::FIRST, 0, TOTAL), (slot, 1));
        }
        let Some((here, Visit::Between { before, after })) = visit else { return };
        if let PaneSize::Fixed(size) = plan.metric.pane
            && !slots.sliding.is_empty()
        {
            let number = |start: Millis| start.div_euclid(size);
            let (pane, before, after) = (number(pane.start), before.map(number), after.map(number));
            for (length, slot) in &slots.sliding {
                let n = length / size;
                if let Some(ends) = gain(pane, n, before, after) {
                    // The difference at a window's end lies in the last pane before it.
                    spread(ends, n, |end, difference| {
                        let near = (here, (end - 1 - pane) as u32, (end - 1) * size);
                        self.add(plan, spot, row, near, (*slot, difference));
                    });
                }
            }
        }
        for (instance, (_, slot)) in plan.here.instances.iter().zip(&slots.instances) {
            let known = |pane: Option<Millis>| pane.is_some_and(|pane| instance.contains(pane));
            if !known(before) && !known(after) {
                self.add(plan, spot, row, (here, 0, pane.start), (*slot, 1));
            }
        }
    }

    /// Adds to a number of the cell of a pane, which is likely so many cells after a place.
    fn add(
        &mut self,
        plan: &MetricPlan,
        spot: Spot<'_>,
        row: &mut Row,
        (near, after, start): (Place, u32, Millis),
        (slot, difference): (usize, i64),
    ) {
        let place = row.cells.place_after(near, after, start, plan.layout.numbers);
        self.stamp(row, spot, place, start, false);
        row.cells.add(place, slot, difference);
    }

    /// The cell of a pane is about to change.
    #[inline]
    fn stamp(&mut self, row: &mut Row, spot: Spot<'_>, place: Place, start: Millis, counted: bool) {
        let before = row.cells.stamp(place, self.now.offset, counted);
        if before != self.now.offset && !self.outboxes.has(row.queued, before) {
            self.outboxes.changed(&mut row.queued, spot, start, self.now);
        }
    }
}
