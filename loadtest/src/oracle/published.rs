//! The tables that nodes write for people to read: what must stand in each when everything is counted, and which rows are not as they
//! must be. Which tables there are is [`declared`]'s.

mod declared;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::rows::{RowKey, Rows};
use super::value::Value;
use crate::measure::clock::Millis;
use declared::{OWN_CURRENCY, TABLES};

/// The names of all tables.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// What stands in a column. Times are milliseconds, money is minor units.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Text(String),
    Whole(i64),
    Double(f64),
}

impl Datum {
    /// What was never counted and what was taken back to nothing look the same to whoever adds rows up.
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Whole(0)) || *self == Self::Double(0.0)
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
        }
    }
}

/// A row by column; a column without a value is left out.
pub type Row = BTreeMap<String, Datum>;

/// Names one row: its table's place, then its key's columns as text.
type Place = (usize, Vec<String>);

/// Rows of all tables, without values that are nothing.
#[derive(Debug, Clone, Default)]
pub struct Published(BTreeMap<Place, Row>);

impl Published {
    /// What must stand in the tables.
    pub fn recounted(rows: &Rows) -> Self {
        let mut published = Self::default();
        for (place, table) in TABLES.iter().enumerate() {
            let mut shown: Vec<_> = rows.0.iter().filter(|(row, _)| table.shows(row)).collect();
            if let Some(most) = table.top {
                shown = first(shown, table.values[0], most);
            }
            for row in shown.into_iter().flat_map(|(row, values)| table.rows(row, values)) {
                published.put(place, row);
            }
        }
        published
    }

    /// Takes rows that were read from a table.
    pub fn read(&mut self, table: &str, rows: Vec<Row>) {
        let Some(place) = TABLES.iter().position(|known| known.name == table) else { return };
        rows.into_iter().for_each(|row| self.put(place, row));
    }

    fn put(&mut self, place: usize, mut row: Row) {
        let text =
            |column: &str, row: &mut Row| row.remove(column).map_or_else(String::new, |at| at.to_string());
        let key = TABLES[place].key.iter().map(|(column, _)| text(column, &mut row)).collect();
        row.retain(|_, value| !value.is_nothing());
        if !row.is_empty() {
            self.0.insert((place, key), row);
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A line per row that is not as it must be. Event time has come as far as `reached`: rows of sliding windows that begin to end
    /// after it need not be there yet, but if they are they must be right.
    pub fn differences(&self, found: &Self, reached: Millis) -> Vec<String> {
        let nothing = Row::new();
        let places: BTreeSet<&Place> = self.0.keys().chain(found.0.keys()).collect();
        let differ = places.into_iter().filter_map(|place| {
            let must = self.0.get(place).unwrap_or(&nothing);
            let is = found.0.get(place);
            if is.is_none() && TABLES[place.0].may_wait(&place.1, reached) {
                return None;
            }
            let is = is.unwrap_or(&nothing);
            (must != is).then(|| told(place, must, is))
        });
        differ.collect()
    }
}

fn told((place, key): &Place, must: &Row, is: &Row) -> String {
    let table = &TABLES[*place];
    let key: Vec<_> =
        table.key.iter().zip(key).map(|((column, _), value)| format!("{column}={value}")).collect();
    let columns: BTreeSet<&String> = must.keys().chain(is.keys()).collect();
    let text = |value: Option<&Datum>| value.map_or_else(|| "nothing".to_owned(), Datum::to_string);
    let wrong = columns
        .into_iter()
        .filter(|column| must.get(*column) != is.get(*column))
        .map(|column| format!("{column} is {}, {} is right", text(is.get(column)), text(must.get(column))));
    format!("table {} {}: {}", table.name, key.join(" "), wrong.collect::<Vec<_>>().join("; "))
}

/// The first rows of each window by an amount in the shop's own currency; those without one last, equal ones in key order.
fn first<'r>(
    rows: Vec<(&'r RowKey, &'r BTreeMap<String, Value>)>,
    measure: &str,
    most: usize,
) -> Vec<(&'r RowKey, &'r BTreeMap<String, Value>)> {
    let amount = |values: &BTreeMap<String, Value>| match values.get(measure) {
        Some(Value::Money(amounts)) => amounts.get(OWN_CURRENCY).copied(),
        _ => None,
    };
    let windows = rows.chunk_by(|a, b| a.0.start == b.0.start);
    let firsts = windows.flat_map(|window| {
        let mut ranked = window.to_vec();
        ranked.sort_by_key(|(row, values)| (std::cmp::Reverse(amount(values)), &row.key));
        ranked.truncate(most);
        ranked
    });
    firsts.collect()
}
