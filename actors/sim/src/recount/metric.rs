//! Counting: which facts each metric took, under which keys (section 11).

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::tz::TimeZone;

use super::fact::Fact;
use super::settings::{Filter, Measure, Metric, Settings};
use super::time::{DAY, Judgement, MINUTE, Ms};
use super::window::Window;

/// The key beyond `max_keys`.
const OTHER: &str = "other";

/// A metric's own book: facts = counted + late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Facts that were the metric's.
    pub facts: u64,
    /// Of them, counted.
    pub counted: u64,
    /// Of them, too late.
    pub late: u64,
}

/// A counted fact with its key for each key set.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) keys: Vec<Vec<String>>,
    pub(super) fact: Rc<Fact>,
}

/// One metric of one shard.
#[derive(Debug, Clone)]
pub(super) struct Count {
    pub(super) metric: Metric,
    pub(super) rows: Vec<Row>,
    pub(super) ledger: Ledger,
    /// For each key set: the shop and key admitted, and where its newest pane ends.
    admitted: Vec<BTreeMap<(String, Vec<String>), Ms>>,
}

/// All metrics of one shard.
#[derive(Debug, Clone, Default)]
pub(super) struct Book(pub(super) BTreeMap<String, Count>);

impl Book {
    /// Metrics added count from here; removed ones are forgotten, and those whose name now means something else.
    pub(super) fn follow(&mut self, settings: &Settings) {
        self.0.retain(|name, count| {
            settings.metrics.get(name).is_some_and(|metric| metric.means(&count.metric))
        });
        for (name, metric) in &settings.metrics {
            let count = self.0.entry(name.clone()).or_insert_with(|| Count {
                metric: metric.clone(),
                rows: Vec::new(),
                ledger: Ledger::default(),
                admitted: vec![BTreeMap::new(); metric.keys.len()],
            });
            count.metric.keep = metric.keep;
        }
    }

    /// Lets every metric judge one fact.
    pub(super) fn judge(&mut self, fact: Fact, judgement: Judgement) {
        let fact = Rc::new(fact);
        for count in self.0.values_mut() {
            count.judge(&fact, judgement);
        }
    }
}

impl Count {
    fn judge(&mut self, fact: &Rc<Fact>, judgement: Judgement) {
        if !self.metric.measures.values().any(|measure| takes(&self.metric, measure, fact)) {
            return;
        }
        self.ledger.facts += 1;
        let oldest = judgement.watermark(self.metric.lateness) - self.metric.correct_for;
        if fact.at < oldest {
            self.ledger.late += 1;
            return;
        }
        self.ledger.counted += 1;
        let pane_end = self.metric.pane_end(fact.at);
        let keys = (0..self.metric.keys.len()).map(|set| self.admit(set, fact, pane_end, oldest)).collect();
        self.rows.push(Row { keys, fact: Rc::clone(fact) });
    }

    /// The key this fact counts under: its own while there is room, else `other`.
    fn admit(&mut self, set: usize, fact: &Fact, pane_end: Ms, oldest: Ms) -> Vec<String> {
        let own: Vec<_> = self.metric.keys[set].iter().map(|dimension| fact.dimension(dimension)).collect();
        let admitted = &mut self.admitted[set];
        admitted.retain(|_, end| *end > oldest);
        let full = admitted.len() >= self.metric.max_keys;
        match admitted.entry((fact.shop.clone(), own.clone())) {
            std::collections::btree_map::Entry::Occupied(mut known) => {
                *known.get_mut() = pane_end.max(*known.get());
                own
            }
            std::collections::btree_map::Entry::Vacant(_) if full => vec![OTHER.to_owned(); own.len()],
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(pane_end);
                own
            }
        }
    }
}

impl Metric {
    /// Where the finest pane holding `t` ends; with a window `total` never.
    fn pane_end(&self, t: Ms) -> Ms {
        let windows = || self.windows.iter().map(|(_, window)| *window);
        if windows().any(|window| window == Window::Total) {
            return Ms::MAX;
        }
        let fixed = windows().filter_map(|window| window.grain()).reduce(gcd);
        let calendar = windows().any(|window| window.grain().is_none());
        // Days of other zones begin on some quarter of an hour.
        let civil = if self.zone == TimeZone::UTC { DAY } else { 15 * MINUTE };
        let grain = match (fixed, calendar) {
            (None, _) => return Window::Day.instances(t, &self.zone).first().map_or(t, |day| day.end),
            (Some(fixed), true) => gcd(fixed, civil),
            (Some(fixed), false) => fixed,
        };
        (t.div_euclid(grain) + 1) * grain
    }
}

fn gcd(a: Ms, b: Ms) -> Ms {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Whether a measure counts a fact.
pub(super) fn takes(metric: &Metric, measure: &Measure, fact: &Fact) -> bool {
    measure.from.iter().any(|kind| kind == fact.kind)
        && passes(&metric.filter, fact)
        && passes(&measure.filter, fact)
}

fn passes(filter: &Filter, fact: &Fact) -> bool {
    filter.iter().all(|(field, values)| values.contains(&fact.dimension(field)))
}
