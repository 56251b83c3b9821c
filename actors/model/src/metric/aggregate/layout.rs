//! Where each measure of a metric lies in its cells. Made from the declaration alone, so users and products shards agree on it.

use crate::fact::FactKind;
use crate::metric::{Aggregator, Filter, Metric, Quantity, Window};
use crate::time::Millis;

/// The slots of a metric's cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// By place of the measure in the metric.
    pub measures: Vec<Place>,
    /// Plain numbers in every cell.
    pub numbers: usize,
    /// Up to how many values a part stays exact, by its slot.
    pub exact_to: Vec<usize>,
}

/// Where one measure lies: numbers by their slot, parts by theirs.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Count { number: usize },
    Sum { number: usize, of: Quantity },
    Mean { sum: usize, count: usize, of: Quantity },
    MoneySum { part: u8, of: Quantity },
    MoneyMean { part: u8, of: Quantity },
    Least { part: u8, of: Quantity },
    Greatest { part: u8, of: Quantity },
    Quantile { part: u8, of: Quantity, millionths: u32, shared: bool },
    Distinct { part: u8, of: crate::metric::Field },
    Users(UserSlots),
    Ratio { numerator: usize, denominator: usize },
}

/// The numbers behind one measure of distinct users.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserSlots {
    /// Which of the metric's measures of users it is: keeps their presences apart.
    pub ordinal: u64,
    /// A difference count per size of sliding window, whatever its steps.
    pub sliding: Vec<(Millis, usize)>,
    /// People new in their window, per tumbling and calendar window.
    pub instances: Vec<(Window, usize)>,
    /// People new for ever, in the cell of the total.
    pub total: Option<usize>,
}

/// What makes two quantiles share one multiset.
type Source<'a> = (Quantity, usize, &'a [FactKind], &'a [Filter]);

impl Layout {
    pub fn of(metric: &Metric) -> Self {
        let mut layout = Self::default();
        let mut multisets: Vec<(Source<'_>, u8)> = Vec::new();
        let mut users = 0;
        for measure in &metric.measures {
            let place = match measure.aggregator {
                Aggregator::Count => Place::Count { number: layout.number() },
                Aggregator::Sum(of) if of.is_money() => Place::MoneySum { part: layout.part(0), of },
                Aggregator::Sum(of) => Place::Sum { number: layout.number(), of },
                Aggregator::Mean(of) if of.is_money() => Place::MoneyMean { part: layout.part(0), of },
                Aggregator::Mean(of) => Place::Mean { sum: layout.number(), count: layout.number(), of },
                Aggregator::Min(of) => Place::Least { part: layout.part(0), of },
                Aggregator::Max(of) => Place::Greatest { part: layout.part(0), of },
                Aggregator::Distinct { of, exact_to } => Place::Distinct { part: layout.part(exact_to), of },
                Aggregator::Ratio { numerator, denominator } => Place::Ratio { numerator, denominator },
                Aggregator::DistinctUsers => {
                    users += 1;
                    Place::Users(layout.user_slots(users - 1, &metric.windows))
                }
                Aggregator::Quantile { of, millionths, exact_to } => {
                    let source: Source<'_> = (of, exact_to, &measure.from, &measure.filters);
                    let known = multisets.iter().find(|(have, _)| *have == source).map(|(_, part)| *part);
                    let part = known.unwrap_or_else(|| {
                        let part = layout.part(exact_to);
                        multisets.push((source, part));
                        part
                    });
                    Place::Quantile { part, of, millionths, shared: known.is_some() }
                }
            };
            layout.measures.push(place);
        }
        layout
    }

    /// Up to how many values the part of this slot stays exact.
    pub fn exact_to(&self, part: u8) -> usize {
        self.exact_to.get(usize::from(part)).copied().unwrap_or(0)
    }

    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers - 1
    }

    fn part(&mut self, exact_to: usize) -> u8 {
        self.exact_to.push(exact_to);
        u8::try_from(self.exact_to.len() - 1).unwrap_or(u8::MAX) // settings bound a metric's measures far below
    }

    fn user_slots(&mut self, ordinal: u64, windows: &[Window]) -> UserSlots {
        let mut slots = UserSlots { ordinal, ..UserSlots::default() };
        for window in windows {
            match window {
                Window::Total => slots.total = slots.total.or_else(|| Some(self.number())),
                Window::Sliding { size, .. } if slots.sliding.iter().any(|(have, _)| have == size) => {}
                Window::Sliding { size, .. } => slots.sliding.push((*size, self.number())),
                _ if slots.instances.iter().any(|(have, _)| have == window) => {}
                _ => slots.instances.push((*window, self.number())),
            }
        }
        slots
    }
}
