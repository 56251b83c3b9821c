//! The join: cells of all sources and panes of a window made into the values of a metric's measures.

use smallvec::SmallVec;

use crate::metric::aggregate::part::{Part, Total};
use crate::metric::aggregate::{Place, Unit, UserSlots};
use crate::metric::{PaneSize, TimeRange, Window};
use crate::tally::cells::{Cells, Slice};
use crate::tally::plan::MetricPlan;
use crate::tally::runs::block_start;
use crate::time::Millis;

use super::row::{Meant, SeriesRow};

/// The value of one measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    pub figure: Figure,
    /// Whether it was only approximated.
    pub sketched: bool,
}

/// A value as whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// Nothing was counted that has a value.
    None,
    Integer(i64),
    /// A mean or a ratio; the denominator is 0 when nothing was counted.
    Fraction {
        numerator: i64,
        denominator: i64,
    },
    /// By currency.
    Amounts(Vec<(Unit, i64)>),
    /// Sums and counts by currency.
    Means(Vec<(Unit, Total)>),
}

/// One row's cells of one window instance.
#[derive(Debug)]
pub(super) struct Joined<'a> {
    row: &'a SeriesRow,
    plan: &'a MetricPlan,
    meant: &'a Meant,
    window: Window,
    range: TimeRange,
    /// Of each source; of as many as a small node has partitions without an allocation.
    cells: SmallVec<[Slice<'a>; 8]>,
}

impl<'a> Joined<'a> {
    pub(super) fn of(
        row: &'a SeriesRow,
        plan: &'a MetricPlan,
        meant: &'a Meant,
        window: Window,
        range: TimeRange,
    ) -> Self {
        let within = |cells: &'a Cells| match window {
            Window::Total => cells.total(),
            _ => cells.range(range.start, range.end),
        };
        let cells = row.cells(meant).map(within).collect();
        Self { row, plan, meant, window, range, cells }
    }

    /// Whether any source counted anything in it.
    pub(super) fn is_counted(&self) -> bool {
        self.cells.iter().any(|cells| cells.is_counted())
    }

    /// Every measure, by its place in the metric.
    pub(super) fn measures(&self) -> Vec<Measured> {
        (0..self.plan.layout.measures.len()).map(|measure| self.measure(measure)).collect()
    }

    pub(super) fn measure(&self, measure: usize) -> Measured {
        let exact = |figure| Measured { figure, sketched: false };
        match &self.plan.layout.measures[measure] {
            Place::Count { number } | Place::Sum { number, .. } => exact(Figure::Integer(self.sum(*number))),
            Place::Mean { sum, count, .. } => {
                exact(Figure::Fraction { numerator: self.sum(*sum), denominator: self.sum(*count) })
            }
            Place::Users(slots) => exact(Figure::Integer(self.users(slots))),
            Place::Ratio { numerator, denominator } => exact(self.ratio(*numerator, *denominator)),
            Place::MoneySum { part, .. } => exact(Figure::Amounts(self.totals(*part, |total| total.sum))),
            Place::MoneyMean { part, .. } => exact(Figure::Means(self.totals(*part, |total| total))),
            Place::Least { part, of } | Place::Greatest { part, of } => exact(match self.part(*part) {
                Some(Part::Least(values) | Part::Greatest(values)) => figure(values, of.is_money()),
                _ => figure(Vec::new(), of.is_money()),
            }),
            Place::Quantile { part, of, millionths, .. } => {
                let Some(Part::Multisets(sets)) = self.part(*part) else {
                    return exact(figure(Vec::new(), of.is_money()));
                };
                let sketched = sets.iter().any(|(_, set)| !set.is_exact());
                let values = sets.iter().filter_map(|(unit, set)| Some((*unit, set.quantile(*millionths)?)));
                Measured { figure: figure(values.collect(), of.is_money()), sketched }
            }
            Place::Distinct { part, .. } => match self.part(*part) {
                Some(Part::Distinct(set)) => Measured {
                    figure: Figure::Integer(i64::try_from(set.count()).unwrap_or(i64::MAX)),
                    sketched: !set.is_exact(),
                },
                _ => exact(Figure::Integer(0)),
            },
        }
    }

    fn sum(&self, slot: usize) -> i64 {
        self.cells.iter().fold(0, |sum, cells| sum.saturating_add(cells.sum(slot)))
    }

    fn part(&self, slot: u8) -> Option<Part> {
        let exact_to = self.plan.layout.exact_to(slot);
        let mut parts = self.cells.iter().flat_map(|cells| cells.iter()).filter_map(|cell| cell.part(slot));
        let mut joined = parts.next()?.clone();
        parts.for_each(|part| joined.merge(part, exact_to));
        Some(joined)
    }

    /// Currencies with anything left in them: what was taken back whole is as if it had never been.
    fn totals<T>(&self, slot: u8, of: impl Fn(Total) -> T) -> Vec<(Unit, T)> {
        let Some(Part::Totals(totals)) = self.part(slot) else { return Vec::new() };
        totals
            .into_iter()
            .filter(|(_, total)| total.count != 0)
            .map(|(unit, total)| (unit, of(total)))
            .collect()
    }

    fn users(&self, slots: &UserSlots) -> i64 {
        match self.window {
            Window::Total => slots.total.map_or(0, |slot| self.sum(slot)),
            Window::Sliding { size, .. } => {
                let slot = slots.sliding.iter().find(|(have, _)| *have == size);
                slot.map_or(0, |(_, slot)| self.sliding_users(size, *slot))
            }
            window => {
                let slot = slots.instances.iter().find(|(have, _)| *have == window);
                slot.map_or(0, |(_, slot)| self.sum(*slot))
            }
        }
    }

    /// The difference at a window's end lies in the last pane before it: the count is their sum within the end's block.
    fn sliding_users(&self, size: Millis, slot: usize) -> i64 {
        let PaneSize::Fixed(pane) = self.plan.metric.pane else { return 0 };
        let end = self.range.end.div_euclid(pane);
        let first = block_start(end, size / pane) - 1;
        self.row.cells(self.meant).map(|cells| cells.range(first * pane, self.range.end).sum(slot)).sum()
    }

    fn ratio(&self, numerator: usize, denominator: usize) -> Figure {
        let plain = |measure| match self.measure(measure).figure {
            Figure::Integer(value) => Some(value),
            _ => None,
        };
        match (plain(numerator), plain(denominator)) {
            (Some(numerator), Some(denominator)) => Figure::Fraction { numerator, denominator },
            _ => Figure::None,
        }
    }
}

fn figure(values: Vec<(Unit, i64)>, is_money: bool) -> Figure {
    match values.first() {
        _ if is_money => Figure::Amounts(values),
        Some((_, value)) => Figure::Integer(*value),
        None => Figure::None,
    }
}
