//! The recount: a cell for every metric, key set, key, window and measure, filled fact by fact.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{How, METRICS, Measure, Metric};
use super::fact::Fact;
use super::rows::{RowKey, Rows};
use super::value::Value;
use super::window::Window;
use crate::measure::clock::Millis;

#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    cells: BTreeMap<Place, Vec<Cell>>,
    /// For sliding windows of people: when each was there.
    moments: BTreeMap<Place, BTreeMap<u32, Vec<Millis>>>,
}

/// A row by the places of its metric, key set and window in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    metric: usize,
    keys: usize,
    window: usize,
    start: Millis,
    key: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Cell {
    count: i64,
    sum: i64,
    money: BTreeMap<String, (i64, i64)>,
    people: BTreeSet<u32>,
    values: Vec<i64>,
}

impl Tables {
    pub(super) fn count(&mut self, fact: &Fact) {
        for (metric, declared) in METRICS.iter().enumerate() {
            if !declared.measures.iter().any(|measure| measure.takes(fact)) {
                continue;
            }
            for (keys, dimensions) in declared.keys.iter().enumerate() {
                let key: Vec<String> = dimensions.iter().map(|name| fact.dimensions[name].clone()).collect();
                for (window, kept) in declared.windows.iter().enumerate() {
                    let start = kept.start(fact.at);
                    let place = Place { metric, keys, window, start, key: key.clone() };
                    self.count_in(declared, *kept, place, fact);
                }
            }
        }
    }

    fn count_in(&mut self, metric: &Metric, window: Window, place: Place, fact: &Fact) {
        if matches!(window, Window::Sliding { .. }) {
            if let Some(who) = fact.who {
                self.moments.entry(place).or_default().entry(who).or_default().push(fact.at);
            }
            return;
        }
        let cells = self.cells.entry(place).or_insert_with(|| vec![Cell::default(); metric.measures.len()]);
        for (measure, cell) in metric.measures.iter().zip(cells) {
            if measure.takes(fact) {
                cell.count(measure.how, fact);
            }
        }
    }

    pub(super) fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        for (place, cells) in &self.cells {
            let metric = &METRICS[place.metric];
            for (measure, cell) in metric.measures.iter().zip(cells) {
                if let Some(value) = cell.value(measure.how, metric, cells) {
                    rows.put(place.row(place.start), measure.name, value);
                }
            }
        }
        for (place, people) in &self.moments {
            let metric = &METRICS[place.metric];
            if let Window::Sliding { size, step, .. } = metric.windows[place.window] {
                for (start, there) in people_there(size, step, people) {
                    rows.put(place.row(start), metric.measures[0].name, Value::Number(there));
                }
            }
        }
        rows
    }
}

/// How many people were there in each instance of a sliding window.
fn people_there(size: Millis, step: Millis, people: &BTreeMap<u32, Vec<Millis>>) -> Vec<(Millis, i64)> {
    let mut changes: BTreeMap<Millis, i64> = BTreeMap::new();
    for moments in people.values() {
        for (first, last) in Window::spans(size, step, moments) {
            *changes.entry(first).or_default() += 1;
            *changes.entry(last + step).or_default() -= 1;
        }
    }
    let mut there = Vec::new();
    let mut count = 0;
    let mut changes = changes.into_iter().peekable();
    while let Some((from, change)) = changes.next() {
        count += change;
        let until = changes.peek().map_or(from, |(next, _)| *next);
        let mut start = from;
        while count > 0 && start < until {
            there.push((start, count));
            start += step;
        }
    }
    there
}

impl Place {
    fn row(&self, start: Millis) -> RowKey {
        let metric = &METRICS[self.metric];
        let names = metric.keys[self.keys].iter().map(|name| (*name).to_owned());
        RowKey {
            metric: metric.name,
            window: metric.windows[self.window].name(),
            start,
            key: names.zip(self.key.iter().cloned()).collect(),
        }
    }
}

impl Measure {
    fn takes(&self, fact: &Fact) -> bool {
        let of_type = |kind: &String| self.types.contains(&kind.as_str());
        self.from.contains(&fact.name)
            && (self.types.is_empty() || fact.dimensions.get("type").is_some_and(of_type))
    }
}

impl Cell {
    fn count(&mut self, how: How, fact: &Fact) {
        match how {
            How::Count => self.count += fact.sign,
            How::Sum(field) => self.sum += fact.sign * fact.numbers[field],
            How::Mean(field) => {
                self.count += fact.sign;
                self.sum += fact.sign * fact.numbers[field];
            }
            How::Money(field) | How::MeanMoney(field) => {
                let (currency, amount) = &fact.money[field];
                let (sum, count) = self.money.entry(currency.clone()).or_default();
                *sum += fact.sign * amount;
                *count += fact.sign;
            }
            How::People => self.people.extend(fact.who),
            How::Quantile(field, _) => self.values.push(fact.numbers[field]),
            How::Ratio(..) => {}
        }
    }

    fn value(&self, how: How, metric: &Metric, cells: &[Self]) -> Option<Value> {
        let by_currency = |of: fn(&(i64, i64)) -> i64| {
            Value::money(self.money.iter().map(|(code, amount)| (code.clone(), of(amount))).collect())
        };
        match how {
            How::Count => Value::number(self.count),
            How::Sum(_) => Value::number(self.sum),
            How::Mean(_) => Value::fraction(self.sum, self.count),
            How::Money(_) => by_currency(|(sum, _)| *sum),
            // Half a minor unit is rounded up.
            How::MeanMoney(_) => by_currency(|(sum, count)| (2 * sum + count).div_euclid(2 * count)),
            How::People => Value::number(self.people.len() as i64),
            How::Quantile(_, hundredths) => {
                let mut values = self.values.clone();
                values.sort_unstable();
                let rank = (hundredths * values.len()).div_ceil(100);
                rank.checked_sub(1).and_then(|rank| Value::number(values[rank]))
            }
            How::Ratio(above, below) => {
                let of = |name| metric.measures.iter().zip(cells).find(|(measure, _)| measure.name == name);
                Value::fraction(of(above)?.1.count, of(below)?.1.count)
            }
        }
    }
}
